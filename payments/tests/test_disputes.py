"""Disputes: set aside, won, lost, prevented, at both gateways; beside refunds; in any order of their events."""

import json
from datetime import timedelta

import pytest

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.kit.money import Money
from learning247.records.models import AuditEntry, InboundEvent, OutboundMail
from payments.access import explain
from payments.models import Dispute, Refund
from payments.services.disputes import ASK_AGAIN_AFTER, disputes_find, disputes_sweep
from payments.tests.builders import build_product, start_checkout
from payments.tests.buying import GATEWAYS, GROSS, ask_for_refund, build_finance, buy
from payments.tests.test_refunds import by_hand, earned, platform, withdraw
from payments.tests.wire import code_of, deliver, time_passes, verify
from wallets.enums import AccountKind
from wallets.models import JournalEntry
from wallets.selectors import balances_of

CURRENCIES = pytest.mark.parametrize("currency", ["NGN", "USD"])
FEE = {"NGN": 0, "USD": 1_500}  # of a dispute, at the sandbox


def open_dispute(gateways, payment, **fields):
    """The gateway's own number of it."""
    return str(gateways.control.open_dispute(payment.gateway, named(payment), **fields)["id"])


def named(payment):
    return payment.reference if payment.gateway == "paystack" else payment.gateway_reference


def heard(gateways, run_jobs):
    """All events that the gateways have for us came in and were handled."""
    gateways.control.wait_until(lambda: gateways.control.health()["webhooks_idle"])
    time_passes()
    run_jobs()


def disputed(user, currency):
    return next((row.disputed for row in balances_of(user=user) if row.currency == currency), 0)


def gateway_account(currency):
    """Without what the gateways keep of sales: a dispute leaves that alone."""
    held = platform(AccountKind(f"gateway-{GATEWAYS[currency]}"), currency)
    return held + platform(AccountKind.GATEWAY_COSTS, currency)


def books(seller, currency):
    """Every balance that a dispute touches."""
    return {
        "available": earned(seller, currency),
        "disputed": disputed(seller, currency),
        "fees": platform(AccountKind.FEES, currency),
        "gateway": gateway_account(currency),
        "suspense": platform(AccountKind.DISPUTE_SUSPENSE, currency),
        "losses": platform(AccountKind.LOSSES, currency),
    }


# --- the whole way


@CURRENCIES
def test_an_opened_dispute_sets_the_creators_share_aside_and_keeps_the_access(gateways, run_jobs, currency):
    payment = buy(gateways, currency=currency)
    gross, out = GROSS[currency], {"NGN": 0, "USD": GROSS["USD"]}[currency]

    open_dispute(gateways, payment)
    heard(gateways, run_jobs)

    payment.refresh_from_db()
    assert (payment.status, Dispute.objects.get().status) == ("disputed", "needs_response")
    assert explain(payment.buyer, payment.product).granted
    assert books(payment.product.seller, currency) == {
        "available": 0,
        "disputed": gross * 80 // 100,
        "fees": gross * 20 // 100,
        "gateway": -gross + out + FEE[currency],
        "suspense": -out,
        "losses": -FEE[currency],
    }


@CURRENCIES
def test_a_won_dispute_leaves_everything_as_before_but_for_its_fee(gateways, run_jobs, currency):
    payment = buy(gateways, currency=currency)
    before = books(payment.product.seller, currency)

    gateways.control.decide_dispute(payment.gateway, open_dispute(gateways, payment), "won")
    heard(gateways, run_jobs)

    payment.refresh_from_db()
    assert (payment.status, Dispute.objects.get().status) == ("paid", "won")
    fee = FEE[currency]
    assert books(payment.product.seller, currency) == before | {"gateway": before["gateway"] + fee, "losses": -fee}
    assert explain(payment.buyer, payment.product).granted


@CURRENCIES
def test_a_lost_dispute_takes_exactly_what_the_sale_gave_and_ends_the_access(gateways, run_jobs, currency):
    payment = buy(gateways, currency=currency)

    gateways.control.decide_dispute(payment.gateway, open_dispute(gateways, payment), "lost")
    heard(gateways, run_jobs)

    payment.refresh_from_db()
    assert (payment.status, Dispute.objects.get().status) == ("disputed", "lost")
    assert explain(payment.buyer, payment.product).reason == "revoked"
    nothing = dict.fromkeys(("available", "disputed", "fees", "gateway", "suspense", "losses"), 0)
    fee = FEE[currency]
    assert books(payment.product.seller, currency) == nothing | {"gateway": fee, "losses": -fee}


def test_an_inquiry_that_closes_is_as_if_it_had_never_been(gateways, run_jobs):
    payment = buy(gateways, currency="USD")
    before = books(payment.product.seller, "USD")
    number = open_dispute(gateways, payment, inquiry=True)
    heard(gateways, run_jobs)
    assert (Dispute.objects.get().status, disputed(payment.product.seller, "USD")) == ("warning", 2_400)

    gateways.control.decide_dispute("stripe", number, "warning_closed")
    heard(gateways, run_jobs)

    payment.refresh_from_db()
    assert (payment.status, Dispute.objects.get().status) == ("paid", "prevented")
    assert books(payment.product.seller, "USD") == before


def test_an_inquiry_is_answered_by_a_refund(gateways, run_jobs):
    payment = buy(gateways, currency="USD")
    number = open_dispute(gateways, payment, inquiry=True)
    heard(gateways, run_jobs)

    assert ask_for_refund(gateways.url, payment, build_finance()).json()["status"] == "done"
    assert (earned(payment.product.seller, "USD"), disputed(payment.product.seller, "USD")) == (0, 0)
    gateways.control.decide_dispute("stripe", number, "warning_closed")
    heard(gateways, run_jobs)

    payment.refresh_from_db()
    assert (payment.status, payment.refunded_minor) == ("refunded", 3_000)


def test_the_creator_is_told_of_beginning_and_end_and_staff_of_what_waits(gateways, run_jobs, settings):
    seller = build_user()
    payment = buy(gateways, seller=seller)
    withdraw(seller, 2_000_000)
    OutboundMail.objects.all().delete()

    number = open_dispute(gateways, payment)
    heard(gateways, run_jobs)
    gateways.control.decide_dispute("paystack", number, "lost")
    heard(gateways, run_jobs)

    told = [(mail.to, mail.subject) for mail in OutboundMail.objects.order_by("id")]
    assert told == [
        (settings.SUPPORT_EMAIL, f"To answer: a dispute of NGN 25,000.00 ({payment.reference})"),
        (seller.email, 'A sale of "Algebra" is disputed'),
        (seller.email, 'The dispute about "Algebra" was lost'),
    ]
    opened = OutboundMail.objects.get(to=seller.email, subject__startswith="A sale")
    assert "your part of it, NGN 20,000.00, is set aside" in opened.text
    assert "your wallet is NGN 20,000.00 below zero" in opened.text
    assert payment.buyer.email not in opened.text + (opened.html or "")
    assert [row.action for row in AuditEntry.objects.filter(subject_kind="dispute").order_by("id")] == [
        "dispute.needs_response",
        "dispute.lost",
    ]


def test_the_platforms_own_course_loses_from_its_sales(gateways, run_jobs):
    payment = buy(gateways, product=build_product(seller=None))
    gateways.control.decide_dispute("paystack", open_dispute(gateways, payment), "lost")
    heard(gateways, run_jobs)
    # The gateway keeps its fee of the sale.
    assert (platform(AccountKind.SALES), platform(AccountKind.GATEWAY_PAYSTACK)) == (0, 47_500)


def test_a_payment_in_review_is_lost_from_unsettled_money(gateways, run_jobs):
    payment = start_checkout(build_user(), build_product(seller=build_user()))
    gateways.control.fault("wrong_amount", provider="paystack", times=1, amount=-1)
    gateways.control.pay("paystack", payment.reference)
    assert verify(gateways.url, payment.reference).json()["status"] == "in_review"

    number = open_dispute(gateways, payment, amount=2_499_999)
    heard(gateways, run_jobs)
    gateways.control.decide_dispute("paystack", number, "lost")
    heard(gateways, run_jobs)

    payment.refresh_from_db()
    assert (payment.status, platform(AccountKind.UNSETTLED), earned(payment.product.seller)) == ("disputed", 0, 0)


# --- beside refunds


@CURRENCIES
@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_after_a_partial_refund_only_the_rest_is_in_dispute(gateways, run_jobs, currency, outcome):
    payment = buy(gateways, currency=currency)
    seller, gross, fee = payment.product.seller, GROSS[currency], FEE[currency]
    part = gross // 3 + 1
    ask_for_refund(gateways.url, payment, build_finance(), amount=Money(part, currency).amount)
    before = books(seller, currency)

    number = open_dispute(gateways, payment)
    heard(gateways, run_jobs)
    assert disputed(seller, currency) == before["available"]
    gateways.control.decide_dispute(payment.gateway, number, outcome)
    heard(gateways, run_jobs)

    payment.refresh_from_db()
    if outcome == "won":
        assert payment.status == "partially_refunded"
        assert books(seller, currency) == before | {"gateway": before["gateway"] + fee, "losses": -fee}
    else:
        assert payment.status == "disputed"
        assert books(seller, currency) == dict.fromkeys(before, 0) | {"gateway": fee, "losses": -fee}


def test_a_refund_of_a_disputed_payment_is_refused_with_a_code_of_its_own(gateways, run_jobs):
    payment = buy(gateways)
    open_dispute(gateways, payment)
    heard(gateways, run_jobs)
    entries = JournalEntry.objects.count()

    answer = ask_for_refund(gateways.url, payment, payment.buyer)

    assert (answer.status_code, code_of(answer)) == (409, "payment_disputed")
    assert (Refund.objects.count(), JournalEntry.objects.count()) == (0, entries)


def test_what_is_given_back_by_hand_beside_a_lost_dispute_is_the_platforms_loss(gateways, run_jobs):
    payment = buy(gateways)
    number = open_dispute(gateways, payment, amount=2_000_000)
    heard(gateways, run_jobs)
    by_hand(gateways, payment, 500_000)
    gateways.control.decide_dispute("paystack", number, "lost")
    gateways.control.advance(5)
    heard(gateways, run_jobs)

    nothing = dict.fromkeys(("available", "disputed", "fees", "gateway", "suspense", "losses"), 0)
    assert books(payment.product.seller, "NGN") == nothing
    assert Refund.objects.get().source == "gateway"


# --- what the gateway says, and what it does not


def test_an_event_alone_moves_nothing_however_well_it_is_signed(gateways, run_jobs):
    payment = buy(gateways)
    entries = JournalEntry.objects.count()
    body = json.dumps(
        {"event": "charge.dispute.create", "data": {"id": 7, "transaction": {"reference": payment.reference}}}
    ).encode()

    assert deliver(gateways.url, "paystack", body).status_code == 200
    run_jobs()

    event = InboundEvent.objects.get(event_type="charge.dispute.create")
    assert (event.status, Dispute.objects.count(), JournalEntry.objects.count()) == ("pending", 0, entries)
    payment.refresh_from_db()
    assert payment.status == "paid"


def test_another_payments_dispute_is_not_taken_for_this_ones(gateways, run_jobs):
    mine, other = buy(gateways), buy(gateways)
    number = int(open_dispute(gateways, other))
    heard(gateways, run_jobs)
    body = json.dumps(
        {"event": "charge.dispute.create", "data": {"id": number, "transaction": {"reference": mine.reference}, "x": 1}}
    ).encode()
    deliver(gateways.url, "paystack", body.replace(b"create", b"remind"))
    run_jobs()
    assert Dispute.objects.get().payment_id == other.pk
    mine.refresh_from_db()
    assert mine.status == "paid"


@CURRENCIES
def test_a_dispute_of_which_no_event_came_is_found_and_followed(gateways, currency):
    payment = buy(gateways, currency=currency)
    number = open_dispute(gateways, payment)

    assert (disputes_find(), disputes_find()) == (1, 0)
    assert Dispute.objects.get().status == "needs_response"
    gateways.control.decide_dispute(payment.gateway, number, "lost")
    assert disputes_sweep() == 0
    Dispute.objects.update(checked_at=now() - ASK_AGAIN_AFTER - timedelta(seconds=1))
    assert disputes_sweep() == 1
    assert Dispute.objects.get().status == "lost"


def test_a_gateway_that_is_away_changes_nothing_and_is_asked_again(gateways, run_jobs):
    payment = buy(gateways)
    gateways.control.fault("error", provider="paystack", path="/dispute/*", method="GET", times=1, status=500)
    open_dispute(gateways, payment)
    gateways.control.wait_until(lambda: gateways.control.health()["webhooks_idle"])
    run_jobs()
    assert Dispute.objects.count() == 0

    heard(gateways, run_jobs)
    assert Dispute.objects.get().status == "needs_response"
