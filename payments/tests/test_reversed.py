"""What goes back at the gateway before we hear that it was paid: whatever comes first, the books say both."""

from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.records.models import InboundEvent
from learning247.records.services.inbox import inbox_sweep
from payments.access import explain
from payments.errors import ApprovalImpossible
from payments.gateways import GatewayPaymentStatus
from payments.gateways.paystack import PaystackGateway
from payments.models import Dispute, Entitlement, Payment, PaymentReview, Refund
from payments.services.decisions import payment_approve
from payments.services.refunds import refunds_sweep
from payments.services.settlement import unsettled_sweep
from payments.tests.builders import build_product, start_checkout
from payments.tests.buying import GATEWAY_FEES, GROSS, build_reviewer, buy
from payments.tests.test_refunds import by_hand, earned, platform
from payments.tests.wire import time_passes, verify
from wallets.enums import AccountKind
from wallets.models import JournalEntry


@pytest.fixture
def unheard(gateways):
    """`unheard(currency)`: a payment that was made, of which no event has come yet."""

    def begin(currency="NGN"):
        payment = start_checkout(build_user(), build_product(seller=build_user()), currency)
        gateways.control.pause_webhooks()
        gateways.control.pay(
            payment.gateway, payment.reference if payment.gateway == "paystack" else payment.gateway_reference
        )
        return payment

    return begin


def given_back(gateways, payment, minor=None):
    """By hand at Paystack, and through there."""
    number = by_hand(gateways, payment, GROSS["NGN"] if minor is None else minor)
    gateways.control.advance(5)
    return str(number)


def received(provider="paystack"):
    return sorted(InboundEvent.objects.filter(source=provider).values_list("event_type", "status", "outcome"))


def deliver(gateways, *events):
    for event in events:
        for row in gateways.control.webhooks(event=event):
            gateways.control.deliver(row["id"])


def assert_it_came_and_went(payment):
    """Sold, given back, and only the gateway's fee is left of it."""
    payment.refresh_from_db()
    assert payment.status == "refunded"
    assert (payment.captured_minor, payment.refunded_minor) == (2_500_000, 2_500_000)
    assert not explain(payment.buyer, payment.product).granted
    assert Entitlement.objects.get().revoked_at is not None
    assert sorted(JournalEntry.objects.values_list("kind", flat=True)) == ["gateway_fee", "refund", "sale"]
    assert platform(AccountKind.FEES) == 0
    assert platform(AccountKind.GATEWAY_PAYSTACK) == GATEWAY_FEES["NGN"]
    assert platform(AccountKind.GATEWAY_COSTS) == -GATEWAY_FEES["NGN"]
    assert earned(payment.product.seller) == 0


@pytest.mark.parametrize("order", [("charge.success", "refund.processed"), ("refund.processed", "charge.success")])
def test_a_payment_that_went_back_before_we_heard_of_it_ends_captured_and_refunded(gateways, unheard, run_jobs, order):
    payment = unheard()
    number = given_back(gateways, payment)

    for event in order:
        deliver(gateways, event)
        run_jobs()

    assert_it_came_and_went(payment)
    refund = Refund.objects.get()
    assert (refund.status, refund.source, refund.gateway_refund_id) == ("done", "gateway", number)
    assert {status for _, status, _ in received()} == {"done"}


def test_with_both_events_lost_the_sweepers_end_it_in_the_same_state(gateways, unheard):
    payment = unheard()
    given_back(gateways, payment)
    Payment.objects.update(created_at=now() - timedelta(minutes=6))

    assert unsettled_sweep() == 1
    Refund.objects.update(due_at=now() - timedelta(seconds=1))
    assert refunds_sweep() == 1

    assert_it_came_and_went(payment)
    assert Refund.objects.get().status == "done"


def test_a_dispute_that_was_lost_before_we_heard_of_the_payment_ends_as_if_we_had_heard_each_step(gateways, unheard):
    payment = unheard()
    given_back(gateways, payment, 500_000)
    dispute = gateways.control.open_dispute("paystack", payment.reference)
    gateways.control.decide_dispute("paystack", dispute["id"], "lost")

    assert verify(gateways.url, payment.reference).json()["status"] == "disputed"

    dispute = Dispute.objects.get()
    assert (dispute.status, dispute.seller_minor, dispute.platform_minor) == ("lost", 1_600_000, 400_000)
    assert (Refund.objects.get().amount_minor, earned(payment.product.seller)) == (500_000, 0)
    assert not explain(payment.buyer, payment.product).granted
    assert platform(AccountKind.GATEWAY_PAYSTACK) == GATEWAY_FEES["NGN"]


def test_what_nothing_explains_opens_nothing_and_is_for_people_who_cannot_settle_it(gateways, unheard, monkeypatch):
    payment, fetch = unheard(), PaystackGateway.fetch
    monkeypatch.setattr(
        PaystackGateway,
        "fetch",
        lambda self, **asked: replace(fetch(self, **asked), status=GatewayPaymentStatus.REVERSED),
    )

    assert verify(gateways.url, payment.reference).json()["status"] == "in_review"

    review = PaymentReview.objects.get()
    assert (review.reason, review.status) == ("reversed", "open")
    with pytest.raises(ApprovalImpossible, match="The gateway says that all of it went back"):
        payment_approve(review_id=review.pk, actor=build_reviewer())
    assert platform(AccountKind.UNSETTLED) == 2_500_000
    assert not Entitlement.objects.exists()


def test_a_second_payment_that_went_back_at_the_gateway_is_not_given_back_once_more(gateways, unheard):
    second = unheard()
    buy(gateways, buyer=second.buyer, product=second.product)
    given_back(gateways, second)

    assert verify(gateways.url, second.reference).json()["status"] == "refunded"

    assert (Refund.objects.get().source, platform(AccountKind.UNSETTLED)) == ("gateway", 0)
    assert explain(second.buyer, second.product).granted


def test_a_refund_of_a_part_that_is_heard_of_first_settles_the_payment_at_once(gateways, unheard, run_jobs):
    payment = unheard()
    given_back(gateways, payment, 1_000_000)

    deliver(gateways, "refund.processed")
    run_jobs()

    payment.refresh_from_db()
    assert (payment.status, payment.refunded_minor) == ("partially_refunded", 1_000_000)
    assert earned(payment.product.seller) == 1_200_000
    assert received() == [("refund.processed", "done", "refunds done")]


def test_a_dispute_that_is_heard_of_first_settles_the_payment_at_once(gateways, unheard, run_jobs):
    payment = unheard()
    gateways.control.open_dispute("paystack", payment.reference)

    deliver(gateways, "charge.dispute.create")
    run_jobs()

    payment.refresh_from_db()
    assert payment.status == "disputed"
    assert received() == [("charge.dispute.create", "done", "dispute needs_response")]


def test_what_waits_for_a_stripe_payment_is_due_when_that_settles(gateways, unheard, run_jobs):
    """Stripe names the payment by an intent that we only know once it is paid: its dispute comes first, and waits."""
    payment = unheard("USD")
    gateways.control.open_dispute("stripe", payment.gateway_reference)
    deliver(gateways, "charge.dispute.created")
    run_jobs()
    for _ in range(6):
        time_passes()
        run_jobs()
    waiting = InboundEvent.objects.get()
    assert (waiting.status, waiting.due_at > now() + timedelta(minutes=5)) == ("pending", True)

    assert verify(gateways.url, payment.reference).json()["status"] == "paid"

    waiting.refresh_from_db()
    assert waiting.due_at <= now()
    assert inbox_sweep() == [waiting.pk]
    run_jobs()
    payment.refresh_from_db()
    assert (payment.status, InboundEvent.objects.get().about) == ("disputed", payment.reference)
