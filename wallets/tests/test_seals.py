"""Seals: they cover only what no running transaction can still precede, and whatever is changed under them is found."""

from contextlib import AbstractContextManager
from inspect import unwrap

import pytest
from django.db import IntegrityError, transaction

from learning247.records.tests.races import at_once
from wallets.enums import AccountKind
from wallets.models import AccountCheckpoint, JournalEntry, JournalLine, LedgerAccount, Seal, SealHorizon
from wallets.selectors import platform_balance
from wallets.services import seals
from wallets.services.seals import SealRun, ledger_seal
from wallets.tests.builders import build_person, post_sale
from wallets.tests.races import breaches, execute, guards_off, held_open, poll

pytestmark = pytest.mark.usefixtures("committed_db")


def assert_everything_holds():
    assert breaches() == []


def sell(count=1, *, gross_minor=100, fee_minor=20):
    creator = build_person()
    return [post_sale(creator.pk, gross_minor=gross_minor, fee_minor=fee_minor) for _ in range(count)]


@pytest.fixture(autouse=True)
def numbers_from_one(committed_db):
    """Rolled-back tests before these have used numbers up in the database that this one was cloned from."""
    for sequence in ("ledger_entry_number", "ledger_line_number"):
        execute(f"ALTER SEQUENCE {sequence} RESTART")


def seal():
    """A run of the sealer, once the transactions of its horizon have ended; those of other databases count too."""
    return poll(lambda: run if (run := ledger_seal()).entries else None)


def seal_everything():
    """Two runs: the first places a horizon behind the last entry (unless an older one is sealed first)."""
    placed = poll(lambda: ledger_seal() and _horizon_stands_behind_the_last_entry())
    assert placed
    return seal()


def _horizon_stands_behind_the_last_entry():
    return SealHorizon.objects.filter(entry_id__gte=JournalEntry.objects.latest("id").pk).exists()


def sealed_ranges():
    return list(Seal.objects.order_by("id").values_list("first_entry_id", "last_entry_id", "entry_count"))


# --- How far a seal reaches


def test_the_first_run_places_a_horizon_and_the_second_seals_up_to_it():
    first, *_, last = sell(5)

    assert ledger_seal() == SealRun(0, 0)
    sell(2)
    assert seal() == SealRun(seals=1, entries=5)

    assert sealed_ranges() == [(first, last, 5)]
    assert_everything_holds()


def test_nothing_to_seal_writes_no_seal():
    assert [ledger_seal() for _ in range(3)] == [SealRun(0, 0)] * 3
    assert not Seal.objects.exists()


def test_each_seal_continues_the_one_before_it():
    for _ in range(3):
        sell(2)
        seal_everything()

    links = list(Seal.objects.order_by("id").values_list("previous_digest", "digest"))
    assert bytes(links[0][0]) == bytes(32)
    assert [bytes(previous) for previous, _ in links[1:]] == [bytes(digest) for _, digest in links[:-1]]
    assert [count for *_, count in sealed_ranges()] == [2, 2, 2]
    assert_everything_holds()


def test_a_long_backlog_becomes_several_seals(monkeypatch):
    monkeypatch.setattr(seals, "ENTRIES_PER_SEAL", 3)
    sell(8)

    assert seal_everything() == SealRun(seals=3, entries=8)

    assert [count for *_, count in sealed_ranges()] == [3, 3, 2]
    assert_everything_holds()


@pytest.mark.race
def test_a_sale_that_has_its_number_but_has_not_committed_keeps_the_seal_away():
    sell(2)
    late = build_person()
    with held_open(lambda: post_sale(late.pk, gross_minor=700, fee_minor=0)):
        sell(2)
        ledger_seal()
        assert [ledger_seal() for _ in range(3)] == [SealRun(0, 0)] * 3
        assert not Seal.objects.exists()

    assert seal() == SealRun(seals=1, entries=5)
    assert_everything_holds()


@pytest.mark.race
def test_control_without_the_wait_the_late_sale_would_break_the_chain(monkeypatch):
    monkeypatch.setattr(seals, "_matured", lambda horizon: True)
    sell(2)
    late = build_person()
    with held_open(lambda: post_sale(late.pk, gross_minor=700, fee_minor=0)):
        sell(2)
        seal_everything()

    assert breaches("I12") == [("I12", "seal 1: entries 1–5 are not what was sealed")]
    assert platform_balance(kind=AccountKind.GATEWAY_PAYSTACK, currency="NGN") == -400, "the checkpoint lost 7.00"


@pytest.mark.race
def test_a_sale_that_begins_while_a_run_seals_is_not_cut_off_by_the_horizon_of_that_run(monkeypatch):
    """The run that seals has a transaction id from its first write on; a sale that takes its number after that, yet
    before the next horizon is placed, stands below that horizon with a higher transaction id."""
    sell(2)
    ledger_seal()
    late, seal_up_to = build_person(), seals._seal_up_to
    open_sales: list[AbstractContextManager[None]] = []

    def seal_and_let_a_sale_begin(horizon_entry_id):
        run = seal_up_to(horizon_entry_id)
        if not open_sales:
            sale = held_open(lambda: post_sale(late.pk, gross_minor=700, fee_minor=0))
            sale.__enter__()
            open_sales.append(sale)
            sell(1)
        return run

    monkeypatch.setattr(seals, "_seal_up_to", seal_and_let_a_sale_begin)
    assert seal() == SealRun(seals=1, entries=2)
    while_it_runs = ledger_seal()
    open_sales[0].__exit__(None, None, None)

    assert while_it_runs == SealRun(0, 0)
    assert seal() == SealRun(seals=1, entries=2)
    assert platform_balance(kind=AccountKind.GATEWAY_PAYSTACK, currency="NGN") == -1_000
    assert_everything_holds()


@pytest.mark.race
def test_control_a_horizon_placed_by_the_sealing_transaction_itself_cuts_a_sale_off():
    """What the horizon's own transaction is for: the same race as above, with both in one."""
    sell(2)
    ledger_seal()
    late, sale = build_person(), None
    assert poll(lambda: seals._matured(SealHorizon.objects.get()))
    with transaction.atomic():
        assert unwrap(seals._seal_to_horizon)() == SealRun(seals=1, entries=2)
        sale = held_open(lambda: post_sale(late.pk, gross_minor=700, fee_minor=0))
        sale.__enter__()
        at_once(1, lambda number: sell(1))
        unwrap(seals._place_horizon)()
    run = seal()
    sale.__exit__(None, None, None)
    assert run == SealRun(seals=1, entries=1)

    assert breaches("I12") == [("I12", "seal 2: entries 3–4 are not what was sealed")]


@pytest.mark.race
def test_two_sealers_at_once_write_one_chain():
    sell(6)
    ledger_seal()

    runs = poll(four_sealers)

    assert sorted(run.entries for run in runs) == [0, 0, 0, 6]
    assert [count for *_, count in sealed_ranges()] == [6]
    assert_everything_holds()


def four_sealers():
    runs = at_once(4, lambda number: ledger_seal())
    return runs if any(run.entries for run in runs) else None


@pytest.mark.race
def test_control_without_their_lock_two_sealers_disturb_each_other(monkeypatch):
    """The unique columns of the chain are what stops them then: one of the two fails."""
    sell(40)
    ledger_seal()
    monkeypatch.setattr(seals, "_execute", execute_all_but_locks)

    def seal_or_say_why(number):
        try:
            return ledger_seal().entries
        except IntegrityError as error:
            return type(error).__name__

    answers = poll(lambda: None if set(found := at_once(4, seal_or_say_why)) == {0} else found)

    assert "IntegrityError" in answers


def execute_all_but_locks(sql, parameters=None, _execute=seals._execute):
    if "pg_advisory_xact_lock" not in sql:
        _execute(sql, parameters)


@pytest.mark.race
def test_postings_never_wait_for_a_seal():
    sell(3)
    ledger_seal()
    creator = build_person()
    post_sale(creator.pk, gross_minor=100, fee_minor=20)

    with held_open(unwrap(seals._seal_to_horizon)), transaction.atomic():
        execute("SET LOCAL lock_timeout = '500ms'")
        post_sale(creator.pk, gross_minor=100, fee_minor=20)

    seal_everything()
    assert_everything_holds()


# --- Checkpoints


def test_checkpoint_and_tail_add_up_to_the_sum_of_the_lines():
    sell(3, gross_minor=1_000, fee_minor=200)
    seal_everything()
    sell(2, gross_minor=1_000, fee_minor=200)
    fees = LedgerAccount.objects.get(code="platform:fees:NGN")

    assert AccountCheckpoint.objects.get(account=fees).balance_minor == 600
    assert platform_balance(kind=AccountKind.FEES, currency="NGN") == 1_000

    seal_everything()
    assert AccountCheckpoint.objects.get(account=fees).balance_minor == 1_000
    assert platform_balance(kind=AccountKind.FEES, currency="NGN") == 1_000
    assert_everything_holds()


def test_people_have_no_checkpoint():
    sell(1)
    seal_everything()

    assert set(AccountCheckpoint.objects.values_list("account__code", flat=True)) == {
        "platform:fees:NGN",
        "platform:gateway-paystack:NGN",
    }


# --- What is changed under a seal is found


def tampered(sql, *parameters):
    with guards_off("wallets_journalentry", "wallets_journalline", "wallets_ledgeraccount", "wallets_seal"):
        execute(sql, *parameters)


def test_a_changed_amount_is_found():
    first, second, _ = sell(3)
    seal_everything()
    line = JournalLine.objects.get(entry_id=second, account__owner__isnull=False)

    tampered("UPDATE wallets_journalline SET amount_minor = amount_minor + 1 WHERE id = %s", line.pk)

    assert ("I12", f"seal 1: entries {first}–{first + 2} are not what was sealed") in breaches("I12")
    assert breaches("I1") == [
        ("I1", f"entry {second} ({JournalEntry.objects.get(pk=second).key}): 3 lines sum to NGN 0.01")
    ]
    assert breaches("I2") == [
        ("I2", f"account {line.account.code}: cached NGN 2.40, lines sum to NGN 2.41, the last line left NGN 2.40")
    ]


def test_a_change_that_adds_up_in_itself_is_found_by_the_seal_alone():
    """Two amounts of one entry, both balances and the line's own trace: only the chain remembers."""
    first, second = sell(2)
    seal_everything()
    account = LedgerAccount.objects.get(owner__isnull=False)

    with guards_off("wallets_journalline", "wallets_ledgeraccount"):
        execute(
            "UPDATE wallets_journalline"
            " SET amount_minor = amount_minor + 5, balance_after_minor = balance_after_minor + 5"
            " WHERE entry_id = %s AND account_id = %s",
            second,
            account.pk,
        )
        execute(
            "UPDATE wallets_journalline l SET amount_minor = amount_minor - 5 FROM wallets_ledgeraccount a"
            " WHERE a.id = l.account_id AND a.code = 'platform:gateway-paystack:NGN' AND l.entry_id = %s",
            second,
        )
        execute("UPDATE wallets_ledgeraccount SET balance_minor = balance_minor + 5 WHERE id = %s", account.pk)
        execute(
            "UPDATE wallets_accountcheckpoint c SET balance_minor = c.balance_minor - 5 FROM wallets_ledgeraccount a"
            " WHERE a.id = c.account_id AND a.code = 'platform:gateway-paystack:NGN'"
        )

    assert breaches() == [("I12", f"seal 1: entries {first}–{second} are not what was sealed")]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE wallets_journalentry SET description = 'A sale.'",
        "UPDATE wallets_journalentry SET reference = 'x'",
        "UPDATE wallets_journalentry SET posted_at = posted_at + interval '1 microsecond'",
        "UPDATE wallets_journalentry SET key = key || 'x'",
        "UPDATE wallets_journalentry SET source_id = 'x'",
        "UPDATE wallets_journalline SET balance_after_minor = balance_after_minor + 1",
    ],
)
def test_any_changed_field_is_found(change):
    (entry,) = sell(1)
    seal_everything()

    tampered(change)

    assert breaches("I12") == [("I12", f"seal 1: entries {entry}–{entry} are not what was sealed")]


def test_a_line_removed_is_found():
    (entry,) = sell(1)
    seal_everything()

    tampered("DELETE FROM wallets_journalline WHERE amount_minor = 20")

    assert [code for code, _ in breaches()] == ["I1", "I2", "I12"]
    assert breaches("I12") == [("I12", f"seal 1: entries {entry}–{entry} are not what was sealed")]


def test_a_line_added_is_found():
    (entry,) = sell(1)
    seal_everything()
    sales = LedgerAccount.objects.create(kind=AccountKind.SALES, currency="NGN")

    tampered(
        "INSERT INTO wallets_journalline (id, entry_id, account_id, amount_minor, currency)"
        " VALUES (nextval('ledger_line_number'), %s, %s, 1, 'NGN')",
        entry,
        sales.pk,
    )

    assert breaches("I12") == [("I12", f"seal 1: entries {entry}–{entry} are not what was sealed")]
    assert [code for code, _ in breaches("I1")] == ["I1"]


def test_an_entry_removed_with_all_its_lines_is_found():
    first, second, third = sell(3)
    seal_everything()

    with guards_off("wallets_journalentry", "wallets_journalline"):
        execute("DELETE FROM wallets_journalline WHERE entry_id = %s", second)
        execute("DELETE FROM wallets_journalentry WHERE id = %s", second)

    assert breaches("I12") == [("I12", f"seal 1: entries {first}–{third} are not what was sealed")]


def test_a_link_taken_out_of_the_chain_is_found():
    for _ in range(3):
        sell(1)
        seal_everything()

    tampered("DELETE FROM wallets_seal WHERE id = 2")

    assert breaches("I12") == [("I12", "seal 3 does not continue the one before it")]


def test_a_seal_computed_anew_over_changed_entries_no_longer_fits_the_next():
    sell(1)
    seal_everything()
    sell(1)
    seal_everything()
    tampered("UPDATE wallets_journalentry SET description = 'x' WHERE id = 1")
    _, digest = seals.range_digest(first=1, last=1, previous=bytes(32))

    tampered("UPDATE wallets_seal SET digest = %s WHERE id = 1", digest)

    assert breaches("I12") == [("I12", "seal 2 does not continue the one before it")]


# --- Elsewhere


def test_a_database_restored_into_a_new_cluster_goes_on_sealing():
    """There the transaction ids begin anew: the horizon's lies far ahead of every one to come."""
    sell(2)
    ledger_seal()
    SealHorizon.objects.update(transaction_id=2**60)

    assert seal() == SealRun(seals=1, entries=2)

    sell(1)
    assert seal_everything().entries == 1
    assert SealHorizon.objects.get().transaction_id < 2**60
    assert_everything_holds()
