"""The rules that PostgreSQL keeps by itself, attacked with plain SQL and real commits, as a stranger with the app's
password would."""

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from learning247.kit.ids import new_id
from wallets.enums import DEBT_ENTRY_KINDS, AccountKind, EntryKind
from wallets.models import JournalEntry, JournalLine, LedgerAccount
from wallets.services.accounts import person_account, platform_account
from wallets.services.journal import Posting, entry_post
from wallets.tests.builders import build_person, post_sale

pytestmark = pytest.mark.usefixtures("committed_db")


def execute(sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else None


def insert_entry(currency="NGN", kind="sale"):
    (row,) = execute(
        "INSERT INTO wallets_journalentry (uuid, key, kind, currency, source_kind, source_id, reference, description)"
        " VALUES (%s, %s, %s, %s, 'test', '1', '1', '') RETURNING id",
        [new_id(), new_id().hex, kind, currency],
    )
    return row[0]


def insert_line(entry_id, account_id, amount_minor, currency="NGN"):
    execute(
        "INSERT INTO wallets_journalline (entry_id, account_id, amount_minor, currency) VALUES (%s, %s, %s, %s)",
        [entry_id, account_id, amount_minor, currency],
    )


def open_account(kind, owner=None, currency="NGN"):
    account = LedgerAccount.objects.create(
        owner=owner, kind=kind, currency=currency, balance_minor=None if owner is None else 0
    )
    return account.pk


def rule_of(refusal):
    return refusal.value.__cause__.diag.constraint_name


def test_an_entry_whose_lines_do_not_sum_to_zero_cannot_commit():
    fees, sales = open_account("fees"), open_account("sales")

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        entry = insert_entry()
        insert_line(entry, fees, 100)
        insert_line(entry, sales, -99)

    assert rule_of(refusal) == "ledger_entry_sums_to_zero"
    assert JournalEntry.objects.count() == 0


def test_a_line_after_an_early_check_is_checked_again():
    fees, sales, unsettled = open_account("fees"), open_account("sales"), open_account("unsettled")

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        entry = insert_entry()
        insert_line(entry, fees, 100)
        insert_line(entry, sales, -100)
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        execute("SET CONSTRAINTS ALL DEFERRED")
        insert_line(entry, unsettled, 5)

    assert rule_of(refusal) == "ledger_entry_sums_to_zero"
    assert JournalLine.objects.count() == 0


def test_an_entry_without_lines_cannot_commit():
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        insert_entry()

    assert rule_of(refusal) == "ledger_entry_has_lines"


def test_lines_cannot_be_added_to_an_entry_that_was_posted_before():
    creator = build_person()
    entry = post_sale(creator.pk, gross_minor=100, fee_minor=20)
    sales, unsettled = open_account("sales"), open_account("unsettled")

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        insert_line(entry, sales, 5)
        insert_line(entry, unsettled, -5)

    assert rule_of(refusal) == "ledger_entry_is_open"
    assert JournalLine.objects.filter(entry_id=entry).count() == 3


@pytest.mark.parametrize(("entry_currency", "line_currency"), [("NGN", "USD"), ("USD", "NGN"), ("USD", "USD")])
def test_a_line_has_the_currency_of_its_account_and_of_its_entry(entry_currency, line_currency):
    naira = open_account("fees")

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        insert_line(insert_entry(entry_currency), naira, 100, line_currency)

    assert rule_of(refusal) == "ledger_currency_matches"


def test_a_line_needs_an_account_that_exists():
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        insert_line(insert_entry(), 987_654_321, 100)

    assert rule_of(refusal) == "ledger_account_exists"


def test_plain_sql_cannot_overdraw_a_person():
    creator = build_person()
    post_sale(creator.pk, gross_minor=100, fee_minor=0)
    available = LedgerAccount.objects.get(owner=creator).pk
    sales = open_account("sales")

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        entry = insert_entry(kind="adjustment")
        insert_line(entry, available, -101)
        insert_line(entry, sales, 101)

    assert rule_of(refusal) == "ledger_no_overdraft"
    assert LedgerAccount.objects.get(pk=available).balance_minor == 100


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE wallets_journalentry SET description = 'x'",
        "UPDATE wallets_journalline SET amount_minor = amount_minor + 1",
        "DELETE FROM wallets_journalentry",
        "DELETE FROM wallets_journalline",
        "TRUNCATE wallets_journalline",
        "TRUNCATE wallets_journalentry CASCADE",
        "DELETE FROM wallets_ledgeraccount",
        "TRUNCATE wallets_ledgeraccount CASCADE",
        "UPDATE wallets_ledgeraccount SET currency = 'USD'",
        "UPDATE wallets_ledgeraccount SET owner_id = NULL, balance_minor = NULL",
        "UPDATE wallets_seal SET entry_count = 0",
        "DELETE FROM wallets_seal",
    ],
)
@pytest.mark.parametrize("session", ["origin", "replica"])
def test_nothing_posted_can_be_changed_whatever_the_session_says(sql, session):
    creator = build_person()
    post_sale(creator.pk, gross_minor=100, fee_minor=20)
    before = execute("SELECT id, account_id, amount_minor, balance_after_minor FROM wallets_journalline ORDER BY id")

    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        execute(f"SET LOCAL session_replication_role = {session}")
        execute(sql)

    assert rule_of(refusal) == "ledger_is_immutable"
    assert (
        execute("SELECT id, account_id, amount_minor, balance_after_minor FROM wallets_journalline ORDER BY id")
        == before
    )


def test_a_balance_cannot_be_written_directly():
    creator = build_person()
    post_sale(creator.pk, gross_minor=100, fee_minor=20)

    with pytest.raises(IntegrityError) as refusal:
        execute("UPDATE wallets_ledgeraccount SET balance_minor = 1000000 WHERE owner_id = %s", [creator.pk])

    assert rule_of(refusal) == "ledger_balance_moves_by_lines"
    assert LedgerAccount.objects.get(owner=creator).balance_minor == 80


def test_an_account_opens_empty():
    creator = build_person()

    with pytest.raises(IntegrityError) as refusal:
        LedgerAccount.objects.create(owner=creator, kind="available", currency="NGN", balance_minor=500)

    assert rule_of(refusal) == "ledger_balance_moves_by_lines"


def test_the_line_itself_cannot_claim_a_balance_or_a_number():
    fees, sales = open_account("fees"), open_account("sales")

    with transaction.atomic():
        entry = insert_entry()
        for account, amount in ((fees, 100), (sales, -100)):
            execute(
                "INSERT INTO wallets_journalline"
                " (id, entry_id, account_id, amount_minor, currency, balance_after_minor)"
                " VALUES (77, %s, %s, %s, 'NGN', 999)",
                [entry, account, amount],
            )

    lines = JournalLine.objects.order_by("id")
    assert [(line.pk == 77, line.balance_after_minor) for line in lines] == [(False, None), (False, None)]


def test_the_database_and_the_code_agree_on_which_kinds_may_leave_a_debt():
    ((source,),) = execute("SELECT prosrc FROM pg_proc WHERE proname = 'ledger_place_line'")

    listed = source.split("entry_kind IN (")[1].split(")")[0]

    assert {name.strip(" '") for name in listed.split(",")} == {kind.value for kind in DEBT_ENTRY_KINDS}


def test_a_savepoint_between_entry_and_lines_changes_nothing():
    fees, sales = open_account("fees"), open_account("sales")

    with transaction.atomic():
        with transaction.atomic():
            entry = insert_entry()
        with transaction.atomic():
            insert_line(entry, fees, 100)
            insert_line(entry, sales, -100)

    assert JournalLine.objects.filter(entry_id=entry).count() == 2


def test_a_role_that_does_not_own_the_tables_cannot_disable_a_guard():
    execute("DROP ROLE IF EXISTS ledger_app")
    execute("CREATE ROLE ledger_app")
    try:
        execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ledger_app")
        execute("SET ROLE ledger_app")
        with pytest.raises(Exception) as refusal:
            execute("ALTER TABLE wallets_journalline DISABLE TRIGGER ledger_is_immutable")
        assert isinstance(refusal.value.__cause__, psycopg.errors.InsufficientPrivilege)
    finally:
        execute("RESET ROLE")
        execute("DROP OWNED BY ledger_app")
        execute("DROP ROLE ledger_app")


def test_posting_outside_a_transaction_is_a_mistake_of_the_caller():
    creator = build_person()

    with pytest.raises(RuntimeError, match="in the transaction of the event"):
        entry_post(
            key="loose",
            kind=EntryKind.SALE,
            currency="NGN",
            postings=[
                Posting(person_account(creator.pk), 1),
                Posting(platform_account(AccountKind.SALES), -1),
            ],
            source_kind="test",
            source_id="1",
            reference="1",
            description="",
        )
