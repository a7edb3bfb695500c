"""`manage.py grant_app_role NAME --database owner`: what the application's database role may do, and no more.

Run it as the owner of the tables, after each `migrate --database owner`. The role can read everything, write every
table but the ledger's, and there only insert: it owns nothing, so it can neither disable a guard nor drop one.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from psycopg import sql

# Table -> rights of the application. A balance is changed by ledger_place_line(), which runs as its owner.
LEDGER_RIGHTS = {
    "wallets_ledgeraccount": "SELECT, INSERT",
    "wallets_journalentry": "SELECT, INSERT",
    "wallets_journalline": "SELECT, INSERT",
    "wallets_seal": "SELECT, INSERT",
    "records_auditentry": "SELECT, INSERT",
    "risk_decision": "SELECT, INSERT, UPDATE (ip, device, card, bank)",
    "risk_ruleversion": "SELECT, INSERT, UPDATE (status)",
    "django_migrations": "SELECT",
}


class Command(BaseCommand):
    help = "Give the application's database role its rights; the ledger's tables it may only read and add to."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", help="The role that DATABASE_URL signs in with.")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, choices=tuple(connections))

    def handle(self, *args: Any, role: str, database: str, **options: Any) -> None:
        connection = connections[database]
        with transaction.atomic(using=database), connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [role])
            found = cursor.fetchone()
            if found is None:
                raise CommandError(f"There is no role {role}: create it first (CREATE ROLE {role} LOGIN PASSWORD …).")
            if found[0]:
                raise CommandError(f"{role} is a superuser, whom no right restrains: use an ordinary role.")
            cursor.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tableowner = %s", [role]
            )
            owned = sorted(name for (name,) in cursor.fetchall())
            if owned:
                raise CommandError(f"{role} owns {', '.join(owned)}: migrate as the owner (MIGRATION_DATABASE_URL).")
            name = sql.Identifier(role)
            for statement in (
                "GRANT USAGE ON SCHEMA {schema} TO {role}",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
                "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
                # The guards run as triggers, for which nobody needs a right; the posting function is for everybody.
                "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} FROM {role}",
            ):
                cursor.execute(sql.SQL(statement).format(schema=sql.Identifier(self._schema(cursor)), role=name))
            for table, rights in LEDGER_RIGHTS.items():
                cursor.execute(
                    sql.SQL("REVOKE ALL ON {table} FROM {role}").format(table=sql.Identifier(table), role=name)
                )
                cursor.execute(
                    sql.SQL("GRANT {rights} ON {table} TO {role}").format(
                        rights=sql.SQL(rights), table=sql.Identifier(table), role=name
                    )
                )
        self.stdout.write(f"{role} may now run the application; the ledger it can only read and add to.")

    def _schema(self, cursor: Any) -> str:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0])
