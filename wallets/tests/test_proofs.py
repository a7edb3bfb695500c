"""Each invariant finds the breach that it is for, and names the row. The breaches are planted with the guards off, as
only the owner of the tables could."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction

from learning247.records.services.audit import audit_record
from wallets.enums import AccountKind, EntryKind
from wallets.models import JournalEntry, JournalLine, LedgerAccount, Seal
from wallets.proofs import GUARDS
from wallets.tests.builders import build_person, post_between, post_sale
from wallets.tests.races import breaches, execute, guards_off
from wallets.tests.test_seals import seal_everything

pytestmark = pytest.mark.usefixtures("committed_db")

LINES, ENTRIES, ACCOUNTS = "wallets_journalline", "wallets_journalentry", "wallets_ledgeraccount"


@pytest.fixture
def sale(committed_db):
    """A sale of NGN 1.00, 0.20 of it the fee; (entry, the creator's line, the creator's account)."""
    entry = JournalEntry.objects.get(pk=post_sale(build_person().pk, gross_minor=100, fee_minor=20))
    line = JournalLine.objects.select_related("account").get(entry=entry, account__owner__isnull=False)
    return entry, line, line.account


def planted(sql, *parameters, tables=(LINES,)):
    with guards_off(*tables):
        execute(sql, *parameters)


def test_nothing_is_found_where_nothing_is_wrong(sale):
    seal_everything()
    assert breaches() == []


def test_i1_finds_an_entry_that_does_not_sum_to_zero(sale):
    entry, line, _ = sale
    planted("UPDATE wallets_journalline SET amount_minor = 81 WHERE id = %s", line.pk)
    assert breaches("I1") == [("I1", f"entry {entry.pk} ({entry.key}): 3 lines sum to NGN 0.01")]


def test_i1_finds_an_entry_without_lines(sale):
    entry, _, _ = sale
    planted("DELETE FROM wallets_journalline WHERE entry_id = %s", entry.pk)
    assert breaches("I1") == [("I1", f"entry {entry.pk} ({entry.key}): 0 lines sum to NGN 0.00")]


def test_i1_finds_a_line_without_an_entry(sale):
    _, line, _ = sale
    planted("UPDATE wallets_journalline SET entry_id = 999 WHERE id = %s", line.pk)
    assert ("I1", f"line {line.pk} belongs to entry 999, which does not exist") in breaches("I1")


def test_i2_finds_a_balance_that_is_not_the_sum_of_its_lines(sale):
    _, _, account = sale
    planted("UPDATE wallets_ledgeraccount SET balance_minor = 1000000 WHERE id = %s", account.pk, tables=(ACCOUNTS,))
    assert breaches("I2") == [
        ("I2", f"account {account.code}: cached NGN 10000.00, lines sum to NGN 0.80, the last line left NGN 0.80")
    ]


def test_i2_finds_a_line_whose_trace_does_not_fit(sale):
    _, line, account = sale
    planted("UPDATE wallets_journalline SET balance_after_minor = 5 WHERE id = %s", line.pk)
    assert breaches("I2") == [
        ("I2", f"account {account.code}: cached NGN 0.80, lines sum to NGN 0.80, the last line left NGN 0.05")
    ]


def test_i2_finds_a_checkpoint_that_is_not_the_sum_of_its_lines(sale):
    seal_everything()
    execute("UPDATE wallets_accountcheckpoint SET balance_minor = 21 WHERE balance_minor = 20")
    assert breaches("I2") == [("I2", "account platform:fees:NGN: checkpoint NGN 0.21, lines sum to NGN 0.20")]


def test_i3_finds_a_debit_that_overdrew(sale):
    _, _, account = sale
    post_between(account.owner_id, amount_minor=80)
    line = JournalLine.objects.get(account=account, amount_minor=-80)
    planted("UPDATE wallets_journalline SET balance_after_minor = -1 WHERE id = %s", line.pk)
    assert breaches("I3") == [("I3", f"line {line.pk}: a withdrawal_hold left account {account.code} at NGN -0.01")]


@pytest.mark.parametrize(
    ("table", "trigger"), [(table, name) for table, names in GUARDS.items() for name in sorted(names)]
)
@pytest.mark.parametrize("how", ["DISABLE TRIGGER {0}", "ENABLE TRIGGER {0}", "ENABLE REPLICA TRIGGER {0}"])
def test_i4_finds_a_guard_that_does_not_stand_always(table, trigger, how):
    execute(f"ALTER TABLE {table} {how.format(trigger)}")
    assert breaches("I4") == [("I4", f"trigger {trigger} on {table} is missing or can be switched off")]


def test_i4_finds_a_guard_that_was_dropped(sale):
    execute("DROP TRIGGER ledger_entry_sums_to_zero ON wallets_journalline")
    assert breaches("I4") == [
        ("I4", "trigger ledger_entry_sums_to_zero on wallets_journalline is missing or can be switched off")
    ]


def test_the_list_of_guards_is_what_the_migration_made():
    made = execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
        " WHERE NOT tgisinternal AND tgname LIKE 'ledger_%%' ORDER BY 1, 2"
    )
    assert made == sorted((table, name) for table, names in GUARDS.items() for name in names)


def test_i5_finds_two_sales_of_one_source(sale):
    entry, _, account = sale
    second = post_sale(account.owner_id, gross_minor=100, fee_minor=20)
    planted("UPDATE wallets_journalentry SET source_id = %s WHERE id = %s", entry.source_id, second, tables=(ENTRIES,))
    assert breaches("I5") == [("I5", f"test {entry.source_id}: several sale entries, {entry.pk} … {second}")]


def test_i5_lets_kinds_that_may_repeat_repeat(sale):
    _, _, account = sale
    ids = []
    for _ in range(2):
        post_between(account.owner_id, amount_minor=1, kind=EntryKind.ADJUSTMENT)
        ids.append(JournalEntry.objects.latest("id").pk)
    planted("UPDATE wallets_journalentry SET source_id = 'one' WHERE id = ANY(%s)", ids, tables=(ENTRIES,))
    assert breaches("I5") == []


def test_i12_finds_a_gap_between_two_seals():
    creator = build_person()
    for _ in range(2):
        post_sale(creator.pk, gross_minor=100, fee_minor=20)
        seal_everything()
    second = Seal.objects.order_by("id")[1]
    planted(
        "UPDATE wallets_seal SET first_entry_id = first_entry_id - 1 WHERE id = %s", second.pk, tables=("wallets_seal",)
    )
    assert ("I12", f"seal {second.pk} does not continue the one before it") in breaches("I12")


def test_i12_finds_an_entry_with_a_number_that_was_never_handed_out(sale):
    entry, _, _ = sale
    far = entry.pk + 1_000
    planted("UPDATE wallets_journalline SET entry_id = %s WHERE entry_id = %s", far, entry.pk)
    planted("UPDATE wallets_journalentry SET id = %s WHERE id = %s", far, entry.pk, tables=(ENTRIES,))

    detail = f"entry {far} ({entry.key}) lies outside of the numbers handed out, 1–{entry.pk}"
    assert breaches("I12") == [("I12", detail)]


def test_i15_finds_an_adjustment_that_nobody_answers_for(sale):
    _, _, account = sale
    entry = JournalEntry.objects.get(pk=post_between(account.owner_id, amount_minor=1, kind=EntryKind.ADJUSTMENT))

    detail = f"adjustment {entry.pk} ({entry.key}) has no audit row with an actor and a reason"
    assert breaches("I15") == [("I15", detail)]


def test_i15_is_content_with_an_adjustment_that_has_its_audit_row(sale):
    _, _, account = sale
    entry = JournalEntry.objects.get(pk=post_between(account.owner_id, amount_minor=1, kind=EntryKind.ADJUSTMENT))
    with transaction.atomic():
        audit_record(
            actor=build_person(),
            action="ledger.adjusted",
            subject_kind="journal_entry",
            subject_id=entry.key,
            reason="A test",
        )

    assert breaches("I15") == []


def test_i13_finds_a_line_in_another_currency(sale):
    _, line, account = sale
    planted("UPDATE wallets_journalline SET currency = 'USD' WHERE id = %s", line.pk)
    assert breaches("I13") == [("I13", f"line {line.pk} in USD: entry in NGN, account {account.code}")]


def test_i13_finds_an_account_in_another_currency(sale):
    _, line, _ = sale
    dollars = LedgerAccount.objects.create(kind=AccountKind.SALES, currency="USD")
    planted("UPDATE wallets_journalline SET account_id = %s WHERE id = %s", dollars.pk, line.pk)
    assert ("I13", f"line {line.pk} in NGN: entry in NGN, account platform:sales:USD") in breaches("I13")


# --- The command


def prove(*arguments):
    out = StringIO()
    try:
        call_command("prove", *arguments, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def test_the_command_ends_with_0_when_everything_holds():
    code, text = prove()
    assert code == 0
    assert text.endswith("Everything holds.\n")
    document = json.loads(prove("--json")[1])
    assert document["holds"] is True
    codes = {check["code"] for check in document["checks"]}
    assert {"I1", "I2", "I3", "I4", "I5", "I7", "I8", "I9", "I10", "I11", "I12", "I13"} <= codes


def test_the_command_ends_with_1_and_names_the_row(sale):
    entry, line, _ = sale
    planted("UPDATE wallets_journalline SET amount_minor = 81 WHERE id = %s", line.pk)

    code, text = prove("--only", "I1")
    assert code == 1
    assert f"! entry {entry.pk} ({entry.key}): 3 lines sum to NGN 0.01\n" in text

    code, text = prove("--json", "--only", "I1,I13")
    assert code == 1
    document = json.loads(text)
    assert document["holds"] is False
    assert [(check["code"], check["breaches"], check["holds"]) for check in document["checks"]] == [
        ("I1", 1, False),
        ("I13", 0, True),
    ]
