"""What production must not forget about the ledger. Run with `manage.py check --deploy --database default`."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from wallets.proofs import GUARDS


@register(Tags.database, deploy=True)
def app_role_owns_no_ledger_table(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Whoever owns a table can disable its guards, and a superuser can do anything."""
    if not databases or "default" not in databases:
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),"
            " array(SELECT tablename::text FROM pg_tables WHERE tableowner = current_user AND tablename = ANY(%s))",
            [list(GUARDS)],
        )
        row = cursor.fetchone()
    role, is_superuser, owned = row
    if not is_superuser and not owned:
        return []
    return [
        Error(
            f"The application signs in to PostgreSQL as {role}, which can disable the guards of the ledger.",
            hint="Give DATABASE_URL an ordinary role, migrate as the owner (MIGRATION_DATABASE_URL,"
            " manage.py migrate --database owner) and run manage.py grant_app_role ROLE --database owner.",
            id="wallets.E001",
        )
    ]
