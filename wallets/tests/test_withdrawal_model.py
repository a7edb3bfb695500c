"""Withdrawals against a model in plain Python: any order of sales, codes, transfers and their ends, refunds and
disputes.

The gateway is played: it makes a transfer or not, answers or not, and ends it any way at any time. After every step the
balances are the model's, and at the end all checks hold. `PROPERTY_EXAMPLES=2000` plays as many.
"""

import os
from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from accounts.errors import CodeInvalid
from accounts.tests.builders import build_admin
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from wallets.enums import AccountKind, EntryKind, WithdrawalStatus
from wallets.errors import (
    GatewayBalanceLow,
    InsufficientBalance,
    PayoutGatewayUnavailable,
    PayoutRefused,
    WithdrawalNotCancellable,
    WithdrawalOver,
)
from wallets.models import GatewayCircuit, Withdrawal, WithdrawalReview
from wallets.payouts import TransferReport, TransferRequest, TransferStatus
from wallets.selectors import balances_by_kind
from wallets.services import transfers
from wallets.services.accounts import person_account, platform_account
from wallets.services.journal import Posting, entry_post
from wallets.services.transfers import transfer_carry_on, transfer_refresh
from wallets.services.withdrawal_reviews import withdrawal_approve, withdrawal_reject
from wallets.services.withdrawals import withdrawal_cancel, withdrawal_confirm, withdrawal_start
from wallets.tests.builders import post_between, post_sale
from wallets.tests.races import breaches
from wallets.tests.withdrawing import Creator, build_account, everything_is_due

EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "200"))
STEPS = 50
OPEN, HELD, PAID, OVER = "open", "held", "paid", "over"


class PlayedGateway:
    """`next` says how the next transfer goes: ok, timeout (nothing made), lost (made, not answered), refused, low."""

    def __init__(self) -> None:
        self.next = "ok"
        self.made: dict[str, TransferReport] = {}
        self.sent: list[str] = []

    def create_transfer(self, request: TransferRequest) -> TransferReport:
        how, self.next = self.next, "ok"
        if how == "timeout":
            raise PayoutGatewayUnavailable
        if how == "refused":
            raise PayoutRefused("No such account.")
        if how == "low":
            raise GatewayBalanceLow
        if request.reference not in self.made:
            self.sent.append(request.reference)
            self.made[request.reference] = TransferReport(
                TransferStatus.PENDING,
                request.reference,
                request.amount_minor,
                request.currency,
                f"T{new_id().hex}",
                1_000,
            )
        if how == "lost":
            raise PayoutGatewayUnavailable
        return self.made[request.reference]

    def fetch_transfer(self, *, reference: str, gateway_transfer_id: str) -> TransferReport:
        return self.made.get(reference) or TransferReport(TransferStatus.UNKNOWN_THERE, reference, 0, "", "")

    def end(self, reference: str, status: TransferStatus) -> None:
        """As far as it may: what has failed stays so, what was paid may only come back."""
        report = self.made.get(reference)
        if report is None or report.status in (TransferStatus.FAILED, TransferStatus.REVERSED):
            return
        if report.status == TransferStatus.PAID and status != TransferStatus.REVERSED:
            return
        self.made[reference] = TransferReport(
            status, reference, report.amount_minor, report.currency, report.gateway_transfer_id, 1_000
        )


@dataclass
class Model:
    available: int = 0
    disputed: int = 0
    states: dict[Any, str] = field(default_factory=dict)
    amounts: dict[Any, int] = field(default_factory=dict)

    @property
    def held(self) -> int:
        return sum(self.amounts[one] for one, state in self.states.items() if state == HELD)


STEP = st.one_of(
    st.tuples(st.just("sale"), st.integers(1, 900_000)),
    st.tuples(st.just("ask"), st.integers(100_000, 400_000)),
    st.tuples(st.just("confirm"), st.integers(0, 5)),
    st.tuples(st.just("confirm"), st.integers(0, 5)),
    st.tuples(st.just("wrong"), st.integers(0, 5)),
    st.tuples(st.just("cancel"), st.integers(0, 5)),
    st.tuples(st.just("decide"), st.booleans()),
    st.tuples(
        st.just("send"), st.tuples(st.integers(0, 5), st.sampled_from(("ok", "timeout", "lost", "refused", "low")))
    ),
    st.tuples(st.just("send"), st.tuples(st.integers(0, 5), st.just("ok"))),
    st.tuples(
        st.just("end"),
        st.tuples(
            st.integers(0, 5), st.sampled_from((TransferStatus.PAID, TransferStatus.FAILED, TransferStatus.REVERSED))
        ),
    ),
    st.tuples(st.just("event"), st.integers(0, 5)),
    st.tuples(st.just("refund"), st.integers(1, 500_000)),
    st.tuples(st.just("dispute"), st.integers(1, 300_000)),
    st.tuples(st.just("won"), st.just(0)),
)


@pytest.mark.property
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, max_size=STEPS))
def test_any_order_of_what_happens_to_withdrawals_leaves_what_the_model_says(committed_db, monkeypatch, steps):
    gateway, model, ada, staff = PlayedGateway(), Model(), Creator(available_minor=0), build_admin()
    monkeypatch.setattr(transfers, "payout_gateway_named", lambda method: gateway)
    account = build_account(ada.user)

    for name, value in [("sale", 1_000_000), *steps]:
        GatewayCircuit.objects.all().delete()
        PLAYS[name](ada, staff, account, gateway, model, value)
        found = balances_by_kind(owner_id=ada.user.pk, currency="NGN")
        assert (
            found.get(AccountKind.AVAILABLE, 0), found.get(AccountKind.HELD, 0), found.get(AccountKind.DISPUTED, 0)
        ) == (model.available, model.held, model.disputed), (name, value)  # fmt: skip

    assert len(gateway.sent) == len(set(gateway.sent))
    assert breaches("I1", "I2", "I3", "I5", "I6", "I10") == []


def chosen(model, number, *states):
    """The number-th of the withdrawals in one of these states, counted round; None where there is none."""
    found = [one for one, state in model.states.items() if state in states]
    return found[number % len(found)] if found else None


def sale(ada, staff, account, gateway, model, gross):
    post_sale(ada.user.pk, gross_minor=gross, fee_minor=gross * 20 // 100)
    model.available += gross - gross * 20 // 100


def ask(ada, staff, account, gateway, model, amount):
    try:
        withdrawal = withdrawal_start(
            owner=ada.user,
            account_id=account.pk,
            amount=Money(amount, "NGN"),
            operation="test",
            idempotency_key=new_id().hex,
        )
    except InsufficientBalance:
        assert amount > model.available
        return
    assert amount <= model.available
    model.states[withdrawal.pk], model.amounts[withdrawal.pk] = OPEN, amount


def confirm(ada, staff, account, gateway, model, number):
    one = chosen(model, number, OPEN, HELD)
    if one is None:
        return
    was = model.states[one]
    try:
        withdrawal_confirm(owner=ada.user, withdrawal_id=one, code=ada.code(one))
    except InsufficientBalance:
        assert was == OPEN and model.amounts[one] > model.available
        return
    if was == OPEN:
        assert model.amounts[one] <= model.available
        model.states[one] = HELD
        model.available -= model.amounts[one]


def wrong(ada, staff, account, gateway, model, number):
    one = chosen(model, number, OPEN)
    if one is not None:
        with pytest.raises(CodeInvalid) as refused:
            withdrawal_confirm(owner=ada.user, withdrawal_id=one, code=ada.wrong(one))
        if refused.value.tries_left == 0:
            model.states[one] = OVER


def cancel(ada, staff, account, gateway, model, number):
    one = chosen(model, number, OPEN, HELD, PAID, OVER)
    if one is None:
        return
    in_review = Withdrawal.objects.get(pk=one).status == WithdrawalStatus.IN_REVIEW
    try:
        withdrawal_cancel(owner=ada.user, withdrawal_id=one)
    except (WithdrawalNotCancellable, WithdrawalOver):
        assert model.states[one] in (PAID, OVER) or (model.states[one] == HELD and not in_review)
        return
    if model.states[one] == HELD:
        assert in_review
        model.available += model.amounts[one]
    model.states[one] = OVER


def decide(ada, staff, account, gateway, model, yes):
    review = WithdrawalReview.objects.filter(withdrawal__owner=ada.user, status="open").order_by("id").first()
    if review is None:
        return
    if yes:
        withdrawal_approve(review_id=review.pk, actor=staff, reason="Known")
    else:
        withdrawal_reject(review_id=review.pk, actor=staff, reason="Not known")
        model.states[review.withdrawal_id] = OVER
        model.available += model.amounts[review.withdrawal_id]


def send(ada, staff, account, gateway, model, value):
    number, how = value
    one = chosen(model, number, HELD)
    if one is None or Withdrawal.objects.get(pk=one).status != WithdrawalStatus.PROCESSING:
        return
    everything_is_due()
    gateway.next = how
    transfer_carry_on(withdrawal_id=one)
    gateway.next = "ok"
    looked_at(model, one, gateway)


def end(ada, staff, account, gateway, model, value):
    number, status = value
    one = chosen(model, number, HELD, PAID)
    if one is not None:
        gateway.end(Withdrawal.objects.get(pk=one).reference, status)


def event(ada, staff, account, gateway, model, number):
    """Of any withdrawal, whatever has become of it, and twice."""
    one = chosen(model, number, HELD, PAID, OVER)
    if one is not None:
        for _ in range(2):
            transfer_refresh(withdrawal_id=one)
        looked_at(model, one, gateway)


def looked_at(model, one, gateway):
    """The model hears what the gateway says; a conclusive no to a first try is in the row alone."""
    withdrawal = Withdrawal.objects.get(pk=one)
    report = gateway.made.get(withdrawal.reference)
    if model.states[one] == HELD and withdrawal.status != WithdrawalStatus.IN_REVIEW:
        if report is None:
            if withdrawal.status == WithdrawalStatus.FAILED:
                model.states[one] = OVER
                model.available += model.amounts[one]
        elif report.status == TransferStatus.PAID:
            model.states[one] = PAID
        elif report.status in (TransferStatus.FAILED, TransferStatus.REVERSED):
            model.states[one] = OVER
            model.available += model.amounts[one]
    elif model.states[one] == PAID and report is not None and report.status == TransferStatus.REVERSED:
        model.states[one] = OVER
        model.available += model.amounts[one]


def refund(ada, staff, account, gateway, model, amount):
    with transaction.atomic():
        entry_post(
            key=f"test:{new_id().hex}",
            kind=EntryKind.REFUND,
            currency="NGN",
            postings=[
                Posting(person_account(ada.user.pk), -amount),
                Posting(platform_account(AccountKind.GATEWAY_PAYSTACK), amount),
            ],
            source_kind="test",
            source_id=new_id().hex,
            reference="test",
            description="A refund",
        )
    model.available -= amount


def dispute(ada, staff, account, gateway, model, amount):
    post_between(ada.user.pk, amount_minor=amount, target=AccountKind.DISPUTED, kind=EntryKind.DISPUTE)
    model.available -= amount
    model.disputed += amount


def won(ada, staff, account, gateway, model, _):
    if model.disputed:
        post_between(
            ada.user.pk,
            amount_minor=model.disputed,
            source=AccountKind.DISPUTED,
            target=AccountKind.AVAILABLE,
            kind=EntryKind.DISPUTE_RELEASED,
        )
    model.available += model.disputed
    model.disputed = 0


PLAYS = {
    "sale": sale, "ask": ask, "confirm": confirm, "wrong": wrong, "cancel": cancel, "decide": decide, "send": send,
    "end": end, "event": event, "refund": refund, "dispute": dispute, "won": won,
}  # fmt: skip
