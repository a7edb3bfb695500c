"""In production the application signs in with a role that owns nothing; the whole posting works with its rights."""

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction

from learning247.kit.ids import new_id
from wallets.deployment import app_role_owns_no_ledger_table
from wallets.models import JournalLine, LedgerAccount, Seal
from wallets.selectors import balances_of
from wallets.tests.builders import build_person, post_sale, seal_all


@pytest.fixture
def app_role(committed_db):
    """A role with the rights that the command gives, in which the test then runs."""
    role = f"app_{new_id().hex[-12:]}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role}")
    call_command("grant_app_role", role, verbosity=0)
    yield role
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")
        cursor.execute(f"DROP OWNED BY {role}")
        cursor.execute(f"DROP ROLE {role}")


def become(role):
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {role}")


def test_the_role_can_post_a_sale_and_seal_the_journal(app_role):
    become(app_role)
    creator = build_person()

    post_sale(creator.pk, gross_minor=100, fee_minor=20)
    seal_all(entries=1)

    assert balances_of(user=creator)[0].available == 80
    assert Seal.objects.get().entry_count == 1


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE wallets_journalline DISABLE TRIGGER ledger_is_immutable",
        "DROP TRIGGER ledger_place_line ON wallets_journalline",
        "UPDATE wallets_journalline SET amount_minor = 1",
        "UPDATE wallets_ledgeraccount SET balance_minor = 1000000",
        "DELETE FROM wallets_seal",
        "TRUNCATE wallets_journalentry CASCADE",
        "UPDATE records_auditentry SET reason = 'x'",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION ledger_place_line() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    ],
)
def test_the_role_can_neither_change_the_books_nor_disarm_a_guard(app_role, sql):
    creator = build_person()
    post_sale(creator.pk, gross_minor=100, fee_minor=20)
    become(app_role)

    with pytest.raises(ProgrammingError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)

    assert isinstance(refusal.value.__cause__, psycopg.errors.InsufficientPrivilege)
    assert LedgerAccount.objects.get(owner=creator).balance_minor == 80
    assert JournalLine.objects.count() == 3


def test_a_superuser_is_refused_because_no_right_restrains_it(committed_db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (me,) = cursor.fetchone()

    with pytest.raises(CommandError, match="superuser"):
        call_command("grant_app_role", me, verbosity=0)


def test_a_role_that_does_not_exist_is_named(committed_db):
    with pytest.raises(CommandError, match="There is no role nobody_here"):
        call_command("grant_app_role", "nobody_here", verbosity=0)


def test_the_deployment_check_objects_to_a_role_that_could_disarm_the_ledger(committed_db):
    (objection,) = app_role_owns_no_ledger_table(None, ["default"])

    assert objection.id == "wallets.E001"


def test_the_deployment_check_is_content_with_the_granted_role(app_role):
    become(app_role)

    assert app_role_owns_no_ledger_table(None, ["default"]) == []
