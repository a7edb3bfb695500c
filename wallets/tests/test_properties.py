"""Generated cases: splits, amounts as text, any order of movements against a plain model, and locks in any order."""

from dataclasses import dataclass, field
from threading import Barrier
from typing import Any

import hypothesis.strategies as st
import pytest
from django.db import OperationalError, connection, transaction
from hypothesis import HealthCheck, assume, given, settings

from learning247.kit.ids import new_id
from learning247.kit.money import EXPONENTS, MAX_MINOR, InvalidAmount, Money, share_of
from learning247.records.tests.races import at_once
from wallets.enums import DEBT_ENTRY_KINDS, AccountKind, EntryKind
from wallets.errors import InsufficientBalance
from wallets.models import JournalEntry, JournalLine, LedgerAccount
from wallets.selectors import balances_of, platform_balance
from wallets.services.accounts import person_account, platform_account
from wallets.services.journal import Posting, entry_post
from wallets.tests.builders import build_person, post_between, post_sale
from wallets.tests.races import breaches

CURRENCIES = st.sampled_from(sorted(EXPONENTS))
MINOR = st.integers(min_value=0, max_value=MAX_MINOR)


# --- Splits and amounts


@pytest.mark.property
@given(gross=MINOR, bps=st.integers(min_value=0, max_value=10_000))
def test_a_fee_and_the_rest_are_the_whole_and_the_fee_is_the_nearest_unit(gross, bps):
    fee = share_of(gross, bps)

    assert 0 <= fee <= gross
    assert abs(fee * 10_000 - gross * bps) <= 5_000
    assert share_of(gross, 0) == 0
    assert share_of(gross, 10_000) == gross


@pytest.mark.property
@given(gross=MINOR, bps=st.integers(min_value=0, max_value=9_999))
def test_a_higher_rate_never_takes_less(gross, bps):
    assert share_of(gross, bps) <= share_of(gross, bps + 1)


@pytest.mark.property
@given(minor=MINOR, currency=CURRENCIES)
def test_an_amount_written_and_read_is_the_same(minor, currency):
    money = Money(minor, currency)

    assert Money.from_decimal_string(money.amount, currency) == money
    whole, _, places = money.amount.partition(".")
    assert len(places) == EXPONENTS[currency]
    assert int(whole + places) == minor


@pytest.mark.property
@given(text=st.text(max_size=30) | st.from_regex(r"-?\d{0,20}\.?\d{0,5}", fullmatch=True), currency=CURRENCIES)
def test_any_text_is_an_exact_amount_or_refused(text, currency):
    try:
        money = Money.from_decimal_string(text, currency)
    except InvalidAmount:
        return
    whole, _, places = text.partition(".")
    assert text.isascii() and whole.isdigit() and len(places) <= EXPONENTS[currency]
    assert money.minor == int(whole + places.ljust(EXPONENTS[currency], "0"))


# --- Any order of movements


@dataclass
class Model:
    """A wallet as one would keep it on paper."""

    accounts: dict[str, int] = field(default_factory=lambda: {"available": 0, "held": 0})
    fees: int = 0
    gateway: int = 0

    def moves(self, source: str, target: str, amount: int) -> bool:
        if self.accounts[source] < amount:
            return False
        self.accounts[source] -= amount
        self.accounts[target] += amount
        return True


def refund(creator_id: Any, amount: int) -> None:
    movement = new_id().hex
    with transaction.atomic():
        entry_post(
            key=f"test:{movement}:refund",
            kind=EntryKind.REFUND,
            currency="NGN",
            postings=[
                Posting(person_account(creator_id), -amount),
                Posting(platform_account(AccountKind.GATEWAY_PAYSTACK), amount),
            ],
            source_kind="test",
            source_id=movement,
            reference=movement[:12],
            description="A refund",
        )


AMOUNTS = st.integers(min_value=1, max_value=300)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sale"), AMOUNTS, st.integers(min_value=0, max_value=10_000)),
        st.tuples(st.sampled_from(["hold", "release", "refund"]), AMOUNTS, st.just(0)),
    ),
    min_size=1,
    max_size=12,
)


@pytest.mark.property
@pytest.mark.django_db
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_sequence_of_movements_ends_where_the_model_ends(steps):
    """Sales, holds, releases and refunds: the same balances, and refused exactly where the model says no."""
    creator, model = build_person(), Model()
    before = {
        kind: platform_balance(kind=kind, currency="NGN") for kind in (AccountKind.FEES, AccountKind.GATEWAY_PAYSTACK)
    }

    for what, amount, bps in steps:
        if what == "sale":
            fee = share_of(amount, bps)
            assert post_sale(creator.pk, gross_minor=amount, fee_minor=fee)
            model.accounts["available"] += amount - fee
            model.fees += fee
            model.gateway -= amount
        elif what == "refund":
            refund(creator.pk, amount)  # may leave a debt
            model.accounts["available"] -= amount
            model.gateway += amount
        else:
            source, target = ("available", "held") if what == "hold" else ("held", "available")
            if model.moves(source, target, amount):
                post_between(creator.pk, amount_minor=amount, source=AccountKind(source), target=AccountKind(target))
            else:
                with pytest.raises(InsufficientBalance):
                    post_between(
                        creator.pk, amount_minor=amount, source=AccountKind(source), target=AccountKind(target)
                    )

    balance = balances_of(user=creator)
    found = {"available": balance[0].available, "held": balance[0].held} if balance else {"available": 0, "held": 0}
    assert found == model.accounts
    moved = {kind: platform_balance(kind=kind, currency="NGN") - minor for kind, minor in before.items()}
    assert moved == {AccountKind.FEES: model.fees, AccountKind.GATEWAY_PAYSTACK: model.gateway}
    traces = JournalLine.objects.filter(account__owner=creator).order_by("account_id", "id")
    running: dict[int, int] = {}
    for line in traces:
        running[line.account_id] = running.get(line.account_id, 0) + line.amount_minor
        assert line.balance_after_minor == running[line.account_id]
    assert breaches() == []


@pytest.mark.property
@pytest.mark.django_db
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(list(EntryKind)), have=st.integers(0, 100), take=st.integers(1, 200),
    account=st.sampled_from([AccountKind.AVAILABLE, AccountKind.HELD, AccountKind.CLEARING, AccountKind.DISPUTED]),
)  # fmt: skip
def test_only_a_refund_or_a_dispute_takes_an_available_balance_below_zero(kind, have, take, account):
    assume(have != take)
    creator = build_person()
    if have:
        deposit(creator.pk, account, have)
    allowed = take <= have or (account == AccountKind.AVAILABLE and kind in DEBT_ENTRY_KINDS)

    if allowed:
        debit(creator.pk, account, take, kind)
    else:
        with pytest.raises(InsufficientBalance):
            debit(creator.pk, account, take, kind)

    balance = sum(row.total for row in balances_of(user=creator))
    assert balance == (have - take if allowed else have)


def deposit(owner_id, account, amount):
    debit(owner_id, account, -amount, EntryKind.ADJUSTMENT)


def debit(owner_id, account, amount, kind):
    movement = new_id().hex
    with transaction.atomic():
        entry_post(
            key=f"test:{movement}:debit",
            kind=kind,
            currency="NGN",
            postings=[
                Posting(person_account(owner_id, account), -amount),
                Posting(platform_account(AccountKind.SALES), amount),
            ],
            source_kind="test",
            source_id=movement,
            reference=movement[:12],
            description="A debit",
        )


# --- Locks in any order


def transfer(first, second, amount):
    movement = new_id().hex
    with transaction.atomic():
        entry_post(
            key=f"test:{movement}:transfer",
            kind=EntryKind.ADJUSTMENT,
            currency="NGN",
            postings=[Posting(person_account(first), -amount), Posting(person_account(second), amount)],
            source_kind="test",
            source_id=movement,
            reference=movement[:12],
            description="A transfer",
        )


@pytest.fixture
def ada_and_bola(committed_db):
    people = build_person(), build_person()
    for person in people:
        post_sale(person.pk, gross_minor=10_000, fee_minor=0)
    return [person.pk for person in people]


@pytest.mark.race
def test_two_that_post_to_the_same_accounts_in_opposite_order_never_deadlock(ada_and_bola):
    """Three hundred rounds, both at once: Ada pays Bola while Bola pays Ada."""
    ada, bola = ada_and_bola
    barrier = Barrier(2)

    def pay(number):
        giver, taker = (ada, bola) if number else (bola, ada)
        for _ in range(300):
            barrier.wait(20)
            transfer(giver, taker, 7)

    at_once(2, pay)

    assert JournalEntry.objects.filter(kind=EntryKind.ADJUSTMENT).count() == 600
    balances = LedgerAccount.objects.filter(owner__isnull=False).values_list("balance_minor", flat=True)
    assert list(balances) == [10_000, 10_000]
    assert breaches() == []


@pytest.mark.race
def test_control_lines_that_go_in_unordered_do_deadlock(ada_and_bola):
    """The same movement by hand, each giver's account first: PostgreSQL ends one of the two."""
    ada, bola = ada_and_bola
    accounts = {code.split(":")[0]: pk for pk, code in LedgerAccount.objects.values_list("pk", "code")}
    barrier = Barrier(2)

    def pay_by_hand(number):
        giver, taker = (ada, bola) if number else (bola, ada)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO wallets_journalentry (uuid, key, kind, currency, source_kind, source_id, reference,"
                    " description) VALUES (%s, %s, 'adjustment', 'NGN', 'test', '1', '1', '') RETURNING id",
                    [new_id(), new_id().hex],
                )
                (entry,) = cursor.fetchone()
                for owner, amount in ((giver, -7), (taker, 7)):
                    cursor.execute(
                        "INSERT INTO wallets_journalline (entry_id, account_id, amount_minor, currency)"
                        " VALUES (%s, %s, %s, 'NGN')",
                        [entry, accounts[str(owner)], amount],
                    )
                    if amount < 0:
                        barrier.wait(20)
        except OperationalError as error:
            return str(error).splitlines()[0]
        return "posted"

    assert sorted(at_once(2, pay_by_hand)) == ["deadlock detected", "posted"]
    assert breaches() == []


@pytest.mark.race
def test_many_that_open_the_same_accounts_at_once_all_post(committed_db):
    """The first sales of a platform: nobody's accounts are open, and everybody opens the platform's."""
    people = [build_person().pk for _ in range(32)]

    at_once(32, lambda number: post_sale(people[number], gross_minor=100, fee_minor=20))

    assert platform_balance(kind=AccountKind.FEES, currency="NGN") == 640
    assert LedgerAccount.objects.filter(owner__isnull=True).count() == 2
    assert breaches() == []


@pytest.mark.race
def test_many_holds_at_once_take_no_more_than_there_is(committed_db):
    creator = build_person()
    post_sale(creator.pk, gross_minor=1_000, fee_minor=0)

    def hold(number):
        try:
            post_between(creator.pk, amount_minor=100)
        except InsufficientBalance:
            return "refused"
        return "held"

    answers = at_once(24, hold)

    assert sorted(answers) == ["held"] * 10 + ["refused"] * 14
    balance = balances_of(user=creator)[0]
    assert (balance.available, balance.held) == (0, 1_000)
    assert breaches() == []


@pytest.mark.race
def test_one_key_posted_by_many_at_once_is_in_the_books_once(committed_db):
    creator = build_person()

    def post(number):
        try:
            return post_sale(creator.pk, gross_minor=100, fee_minor=20, key="payment:1:sale")
        except Exception as error:  # noqa: BLE001 - its name is the answer
            return type(error).__name__

    answers = at_once(16, post)

    assert [answer for answer in answers if isinstance(answer, str)] == ["AlreadyPosted"] * 15
    assert balances_of(user=creator)[0].available == 80
    assert breaches() == []
