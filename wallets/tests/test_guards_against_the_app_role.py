"""Tricks of a session that has the application's password: temporary objects in the ledger's names, guards attached
to a table of one's own. None of them may move money."""

import pytest
from django.db import DatabaseError, connection, transaction

from learning247.kit.ids import new_id
from wallets.models import JournalEntry, JournalLine, LedgerAccount, Seal
from wallets.tests.builders import build_person, post_sale, seal_all

pytestmark = pytest.mark.usefixtures("committed_db")


def execute(sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else None


def insert_entry():
    return execute(
        "INSERT INTO public.wallets_journalentry"
        " (uuid, key, kind, currency, source_kind, source_id, reference, description)"
        " VALUES (%s, %s, 'sale', 'NGN', 'test', '1', '1', '') RETURNING id",
        [new_id(), new_id().hex],
    )[0][0]


def rule_of(refusal):
    return refusal.value.__cause__.diag.constraint_name


def test_a_temporary_journal_does_not_hide_an_unbalanced_entry():
    creator = build_person()
    post_sale(creator.pk, gross_minor=100, fee_minor=20)
    account = LedgerAccount.objects.get(owner=creator).pk

    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        execute("CREATE TEMP TABLE wallets_journalline (entry_id bigint, amount_minor bigint) ON COMMIT DROP")
        execute("GRANT ALL ON wallets_journalline TO PUBLIC")
        entry = insert_entry()
        execute("INSERT INTO pg_temp.wallets_journalline VALUES (%s, 0)", [entry])
        execute(
            "INSERT INTO public.wallets_journalline (entry_id, account_id, amount_minor, currency)"
            " VALUES (%s, %s, 100000000, 'NGN')",
            [entry, account],
        )

    assert rule_of(refusal) == "ledger_entry_sums_to_zero"
    assert LedgerAccount.objects.get(pk=account).balance_minor == 80


def test_a_temporary_sequence_does_not_number_the_journal():
    creator = build_person()
    first = post_sale(creator.pk, gross_minor=100, fee_minor=20)

    execute("CREATE TEMP SEQUENCE ledger_entry_number MINVALUE -1000 START -5")
    second = post_sale(creator.pk, gross_minor=100, fee_minor=20)
    execute("DROP SEQUENCE pg_temp.ledger_entry_number")

    assert second == first + 1


def test_a_temporary_entry_does_not_open_a_closed_one():
    creator = build_person()
    closed = post_sale(creator.pk, gross_minor=100, fee_minor=20)
    fees = LedgerAccount.objects.get(code="platform:fees:NGN").pk

    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        execute(
            "CREATE TEMP TABLE wallets_journalentry ON COMMIT DROP AS SELECT %s::bigint AS id,"
            " pg_current_xact_id()::text::bigint AS transaction_id, 'sale'::text AS kind, 'NGN'::text AS currency",
            [closed],
        )
        execute("GRANT ALL ON wallets_journalentry TO PUBLIC")
        execute(
            "INSERT INTO public.wallets_journalline (entry_id, account_id, amount_minor, currency)"
            " VALUES (%s, %s, 5, 'NGN')",
            [closed, fees],
        )

    assert rule_of(refusal) == "ledger_entry_is_open"


def test_a_guard_attached_to_another_table_moves_no_balance():
    creator = build_person()
    post_sale(creator.pk, gross_minor=100, fee_minor=20)
    account = LedgerAccount.objects.get(owner=creator).pk

    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        execute("CREATE TEMP TABLE mine (LIKE public.wallets_journalline) ON COMMIT DROP")
        execute("CREATE TRIGGER mine BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION public.ledger_place_line()")
        entry = insert_entry()
        execute(
            "INSERT INTO mine (entry_id, account_id, amount_minor, currency) VALUES (%s, %s, 777777, 'NGN')",
            [entry, account],
        )

    assert rule_of(refusal) == "ledger_balance_moves_by_lines"
    assert LedgerAccount.objects.get(pk=account).balance_minor == 80


def test_an_entry_cannot_claim_when_it_was_posted_or_be_of_an_unknown_kind():
    creator = build_person()
    entry = post_sale(creator.pk, gross_minor=100, fee_minor=20)
    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        execute(
            "INSERT INTO wallets_journalentry"
            " (uuid, key, kind, currency, source_kind, source_id, reference, description, posted_at)"
            " VALUES (%s, 'x', 'bogus', 'NGN', 'test', '1', '1', '', '2001-01-01')",
            [new_id()],
        )

    assert rule_of(refusal) == "journal_entry_kind_known"
    assert JournalEntry.objects.get(pk=entry).posted_at.year >= 2026


def test_a_seal_that_does_not_continue_the_chain_is_refused():
    creator = build_person()
    entry = post_sale(creator.pk, gross_minor=100, fee_minor=20)
    seal_all(entries=1)

    with pytest.raises(DatabaseError) as refusal, transaction.atomic():
        Seal.objects.create(
            first_entry_id=entry + 5,
            last_entry_id=entry + 9,
            entry_count=1,
            previous_digest=b"\1" * 32,
            digest=b"\2" * 32,
        )

    assert rule_of(refusal) == "ledger_seal_continues"
    assert Seal.objects.count() == 1
    assert JournalLine.objects.count() == 3
