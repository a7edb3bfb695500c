"""Many who withdraw the same money at the same moment: as much goes as there is, each code once, each transfer once."""

from collections import Counter
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection, transaction

from learning247.kit.ids import new_id
from learning247.records.services.prove import checks_run
from learning247.records.tests.races import at_once
from wallets.enums import AccountKind, EntryKind, WithdrawalStatus
from wallets.errors import InsufficientBalance, WithdrawalLimitExceeded, WithdrawalNotCancellable, WithdrawalOver
from wallets.models import JournalEntry, Withdrawal
from wallets.selectors import balances_by_kind
from wallets.services import withdrawals
from wallets.services.accounts import person_account, platform_account
from wallets.services.journal import Posting, entry_post
from wallets.services.transfers import transfer_carry_on
from wallets.services.withdrawal_checks import doubt_of
from wallets.services.withdrawals import withdrawal_cancel, withdrawal_confirm
from wallets.tests.withdrawing import PROVEN, Creator, build_account

pytestmark = pytest.mark.race


@pytest.fixture
def proved(committed_db):
    yield
    assert [result for result in checks_run(only=PROVEN) if not result.holds] == []


def begun(creator, count, amount="1000.00"):
    """(id, code) of as many withdrawals that wait."""
    account = build_account(creator.user)
    ids = [creator.begun(amount, account.pk) for _ in range(count)]
    return [(withdrawal_id, creator.code(withdrawal_id)) for withdrawal_id in ids]


def outcome(work, **arguments):
    """The status that comes of it, or the name of the refusal."""
    try:
        return work(**arguments).status
    except (InsufficientBalance, WithdrawalLimitExceeded, WithdrawalNotCancellable, WithdrawalOver) as refusal:
        return type(refusal).__name__


def confirmed_at_once(creator, waiting):
    return Counter(
        at_once(
            len(waiting),
            lambda number: outcome(
                withdrawal_confirm,
                owner=creator.user,
                withdrawal_id=waiting[number][0],
                code=waiting[number][1],
            ),
        )
    )


@pytest.mark.parametrize("good_for", [0, 1, 7, 16])
def test_of_sixteen_confirmed_at_once_as_many_go_as_there_is_money_for(proved, good_for):
    ada = Creator(available_minor=1_600_000)
    waiting = begun(ada, 16)
    take_away(ada, 1_600_000 - good_for * 100_000)

    outcomes = confirmed_at_once(ada, waiting)

    accepted = outcomes["processing"] + outcomes["in_review"]
    assert accepted == good_for
    assert outcomes["InsufficientBalance"] == 16 - good_for
    assert ada.has(available=0, held=good_for * 100_000)


def test_one_code_confirmed_by_eight_at_once_holds_once(proved):
    ada = Creator()
    waiting = begun(ada, 1)

    outcomes = confirmed_at_once(ada, waiting * 8)

    assert outcomes == {"processing": 8}
    assert ada.has(available=9_900_000, held=100_000)
    assert JournalEntry.objects.filter(kind="withdrawal_hold").count() == 1


def test_cancelled_and_confirmed_at_once_it_is_one_of_the_two(proved):
    ada = Creator()
    for withdrawal_id, code in begun(ada, 4):

        def work(number, withdrawal_id=withdrawal_id, code=code):
            if number:
                return outcome(withdrawal_cancel, owner=ada.user, withdrawal_id=withdrawal_id)
            return outcome(withdrawal_confirm, owner=ada.user, withdrawal_id=withdrawal_id, code=code)

        outcomes = at_once(2, work)

        status = Withdrawal.objects.get(pk=withdrawal_id).status
        expected = (
            ["WithdrawalOver", "cancelled"] if status == "cancelled" else ["processing", "WithdrawalNotCancellable"]
        )
        assert outcomes == expected
    on_their_way = Withdrawal.objects.filter(status=WithdrawalStatus.PROCESSING).count()
    assert ada.has(available=10_000_000 - on_their_way * 100_000, held=on_their_way * 100_000)


def test_one_withdrawal_in_the_hands_of_eight_workers_is_one_transfer(gateways, proved):
    ada = Creator(gateways.url)
    withdrawal = ada.confirmed("5000.00", ada.add_account()["id"])

    for _ in range(3):
        at_once(8, lambda number: transfer_carry_on(withdrawal_id=withdrawal.pk))

    assert len(gateways.control.rows("paystack.transfers")) == 1
    posts = gateways.control.requests(provider="paystack", method="POST", path="/transfer")
    assert len([post for post in posts if post["path"] == "/transfer"]) == 1


# --- The lock of the wallet, and what happens without it

MEETING = 2.0  # seconds; with the lock nobody comes


@pytest.fixture
def both_have_looked(monkeypatch):
    """Each waits for the other after it has looked at the limits, and goes on alone where it cannot come."""
    barrier, ask = Barrier(2), doubt_of

    def wait(*arguments, **options):
        with suppress(BrokenBarrierError):
            barrier.wait(MEETING)
        return ask(*arguments, **options)

    monkeypatch.setattr(withdrawals, "doubt_of", wait)


def test_two_at_once_stay_within_the_daily_limit(proved, both_have_looked, settings):
    settings.WITHDRAWAL_LIMITS = {"NGN": (100_000, 100_000, 100_000)}
    ada = Creator()

    outcomes = confirmed_at_once(ada, begun(ada, 2))

    assert outcomes == {"processing": 1, "WithdrawalLimitExceeded": 1}


def test_control_without_the_lock_of_the_wallet_both_go_beyond_the_limit(
    proved, both_have_looked, settings, monkeypatch
):
    monkeypatch.setattr(withdrawals, "wallet_lock", balances_by_kind)
    settings.WITHDRAWAL_LIMITS = {"NGN": (100_000, 100_000, 100_000)}
    ada = Creator()

    outcomes = confirmed_at_once(ada, begun(ada, 2))

    assert outcomes == {"processing": 2}, "the control must show the fault"


def take_away(creator, amount_minor):
    """As a refund does: it asks nobody."""
    if not amount_minor:
        return
    with transaction.atomic():
        entry_post(
            key=f"test:{new_id().hex}",
            kind=EntryKind.REFUND,
            currency="NGN",
            postings=[
                Posting(person_account(creator.user.pk), -amount_minor),
                Posting(platform_account(AccountKind.GATEWAY_PAYSTACK), amount_minor),
            ],
            source_kind="test",
            source_id=new_id().hex,
            reference="test",
            description="A refund",
        )
    assert connection.in_atomic_block is False
