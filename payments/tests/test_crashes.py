"""Workers killed (`kill -9`) between any two steps: whoever comes next finishes the work, once."""

import json
import signal

import pytest
from django.core import mail

from accounts.tests.builders import build_user
from learning247.drill.deaths import refund_by_buyer
from learning247.drill.warm import warm_process
from learning247.kit.clock import now
from learning247.records.models import InboundEvent, OutboundMail
from learning247.records.services.inbox import inbox_sweep
from payments.gateways import gateway_named
from payments.models import Entitlement, Payment, Refund
from payments.services.refunds import SEND_AGAIN_AFTER, refunds_sweep
from payments.tests.builders import build_product, start_checkout
from payments.tests.buying import GROSS, buy
from payments.tests.wire import (
    code_of,
    deliver,
    initialize,
    paystack_event,
    signed_in,
    stripe_event,
    time_passes,
    verify,
)
from wallets.enums import AccountKind
from wallets.models import JournalEntry
from wallets.selectors import balances_of, platform_balance

pytestmark = pytest.mark.crash

BEFORE_COMMIT = [
    "claimed",
    "asking the gateway",
    "fetched",
    "locked",
    "entitled",
    "posted",
    "granted",
    "mails queued",
    "saved",
]
AFTER_COMMIT = ["committed", "handled"]


@pytest.fixture
def killed(worker_environment):
    """`killed(what, step, subject)` runs a worker until it dies at that step."""
    with warm_process(worker_environment(), "--videos") as kill:

        def run(what, step, subject):
            assert kill(what, step, subject) == signal.SIGKILL

        yield run


def paid_with_its_event(gateways, provider):
    creator, learner = build_user(), build_user()
    payment = start_checkout(learner, build_product(seller=creator), {"paystack": "NGN", "stripe": "USD"}[provider])
    gateways.control.pause_webhooks()
    if provider == "paystack":
        gateways.control.pay("paystack", payment.reference)
        body = paystack_event(payment.reference)
    else:
        gateways.control.pay("stripe", payment.gateway_reference)
        body = stripe_event(payment.reference, session=payment.gateway_reference)
    assert deliver(gateways.url, provider, body).status_code == 200
    return creator, payment, InboundEvent.objects.get()


def assert_settled_once(creator, payment):
    payment.refresh_from_db()
    assert payment.status == "paid"
    assert sorted(JournalEntry.objects.values_list("kind", flat=True)) == ["gateway_fee", "sale"]
    assert Entitlement.objects.count() == 1
    assert balances_of(user=creator)[0].available == payment.amount_minor * 80 // 100
    assert platform_balance(kind=AccountKind.FEES, currency=payment.currency) == payment.amount_minor * 20 // 100
    assert sorted(message.to[0] for message in mail.outbox) == sorted([creator.email, payment.buyer.email])


@pytest.mark.parametrize("step", BEFORE_COMMIT)
def test_killed_before_the_commit_nothing_has_happened_and_the_sweep_settles_once(gateways, run_jobs, killed, step):
    creator, payment, event = paid_with_its_event(gateways, "paystack")

    killed("settle", step, str(event.pk))

    payment.refresh_from_db()
    event.refresh_from_db()
    assert payment.status == "pending"
    assert not JournalEntry.objects.exists()
    assert not Entitlement.objects.exists()
    assert not OutboundMail.objects.exists()
    assert (event.status, event.attempts) == ("pending", 1)
    run_jobs()  # the job of the delivery itself: the dead worker's lease still holds
    assert not JournalEntry.objects.exists()

    assert inbox_sweep() == []
    assert time_passes() == [event.pk]
    run_jobs()

    assert_settled_once(creator, payment)
    event.refresh_from_db()
    assert (event.status, event.attempts, event.outcome) == ("done", 2, "payment paid")


@pytest.mark.parametrize("step", AFTER_COMMIT)
def test_killed_after_the_commit_the_sale_stands_and_the_sweep_only_stamps_it(gateways, run_jobs, killed, step):
    creator, payment, event = paid_with_its_event(gateways, "paystack")

    killed("settle", step, str(event.pk))

    payment.refresh_from_db()
    event.refresh_from_db()
    assert (payment.status, event.status) == ("paid", "pending")
    assert time_passes() == [event.pk]
    run_jobs()

    assert_settled_once(creator, payment)
    event.refresh_from_db()
    assert (event.status, event.outcome) == ("done", "payment paid")


def test_killed_after_the_stamp_nothing_is_left_to_do(gateways, run_jobs, killed):
    creator, payment, event = paid_with_its_event(gateways, "paystack")

    killed("settle", "stamped", str(event.pk))

    event.refresh_from_db()
    assert event.status == "done"
    assert time_passes() == []
    run_jobs()
    assert_settled_once(creator, payment)


@pytest.mark.parametrize("step", ["fetched", "posted", "committed"])
def test_the_same_with_stripe_and_verify_in_the_sweeps_place(gateways, run_jobs, killed, step):
    creator, payment, event = paid_with_its_event(gateways, "stripe")

    killed("settle", step, str(event.pk))
    assert verify(gateways.url, payment.reference).json()["status"] == "paid"
    time_passes()
    run_jobs()

    assert_settled_once(creator, payment)


def test_a_worker_that_dies_each_time_does_not_take_the_inbox_with_it(gateways, run_jobs, killed, settings):
    settings.INBOX_MAX_ATTEMPTS = 2
    creator, payment, event = paid_with_its_event(gateways, "paystack")
    for _ in range(2):
        killed("settle", "posted", str(event.pk))
        time_passes()
    run_jobs()

    event.refresh_from_db()
    assert (event.status, event.reason) == ("parked", "The worker died each time it handled this.")
    assert verify(gateways.url, payment.reference).json()["status"] == "paid"
    run_jobs()
    assert_settled_once(creator, payment)


# --- Opening a checkout


CHECKOUT = pytest.mark.parametrize(
    ("currency", "step", "status"),
    [
        ("NGN", "row committed", 201),
        ("USD", "row committed", 201),
        ("NGN", "checkout opened", 409),
        ("USD", "checkout opened", 201),
        ("NGN", "checkout recorded", 201),
        ("USD", "checkout recorded", 201),
    ],
)


@CHECKOUT
def test_a_checkout_killed_half_way_goes_on_under_the_same_key(gateways, killed, currency, step, status):
    """Paystack never shows the address of an opened checkout again: that one is lost, and nobody can pay it."""
    learner, product = build_user(), build_product()
    killed(
        "checkout",
        step,
        json.dumps(
            {"buyer": str(learner.pk), "item_id": str(product.item_id), "currency": currency, "idempotency_key": "k"}
        ),
    )
    reference = Payment.objects.get().reference

    again = initialize(gateways.url, signed_in(learner), item_id=product.item_id, currency=currency, key="k")

    assert again.status_code == status
    payment = Payment.objects.get()
    assert payment.reference == reference
    table = "paystack.transactions" if currency == "NGN" else "stripe.sessions"
    assert len(gateways.control.rows(table)) == 1
    if status == 409:
        assert (code_of(again), payment.status) == ("checkout_lost", "failed")
    else:
        assert (again.json()["reference"], payment.status) == (reference, "pending")
        assert again.json()["checkout_url"] == payment.checkout_url != ""
    assert not JournalEntry.objects.exists()


# --- Giving money back


def refunds_at_gateway(payment):
    return list(
        gateway_named(payment.gateway).list_refunds(
            payment_reference=payment.reference,
            gateway_payment_id=payment.gateway_payment_id,
            since=payment.created_at,
        )
    )


def earned(payment):
    seller = payment.product.seller
    assert seller is not None
    return balances_of(user=seller)[0].available


def assert_refunded_once(payment):
    payment.refresh_from_db()
    assert Refund.objects.get().status in ("pending", "done")
    assert [made.amount_minor for made in refunds_at_gateway(payment)] == [GROSS[payment.currency]]
    assert (payment.status, payment.refunded_minor) == ("refunded", payment.amount_minor)
    assert earned(payment) == 0
    assert platform_balance(kind=AccountKind.FEES, currency=payment.currency) == 0
    assert OutboundMail.objects.filter(key__startswith="refund:").count() == 2


@pytest.mark.parametrize("currency", ["NGN", "USD"])
@pytest.mark.parametrize(
    ("step", "at_gateway", "sent"),
    [("claimed", 0, False), ("taken", 0, False), ("sent", 0, True), ("answered", 1, True), ("recorded", 1, True)],
)
def test_a_refund_killed_half_way_is_finished_once_by_the_sweeper(gateways, killed, currency, step, at_gateway, sent):
    payment = buy(gateways, currency=currency)

    killed("refund", step, payment.reference)

    refund = Refund.objects.get()
    assert (len(refunds_at_gateway(payment)), refund.sent_at is not None) == (at_gateway, sent)
    assert earned(payment) == 0, "booked before the gateway hears of it"
    assert refunds_sweep() == 0, "not due yet, or in the dead one's hands"
    Refund.objects.update(due_at=now(), lease_until=None)
    refunds_sweep()
    if step == "sent":
        assert refunds_at_gateway(payment) == [], "it may still show there: it is only asked for"
        Refund.objects.update(due_at=now(), sent_at=now() - SEND_AGAIN_AFTER)
        refunds_sweep()

    assert_refunded_once(payment)


def test_a_refund_killed_before_its_commit_has_not_happened_and_the_same_key_makes_it(gateways, killed):
    payment = buy(gateways)

    killed("refund", "booked", payment.reference)

    assert not Refund.objects.exists()
    assert refunds_at_gateway(payment) == []
    refund_by_buyer(payment.reference)
    assert_refunded_once(payment)


def test_a_refund_whose_buyer_asks_again_after_the_crash_is_made_once(gateways, killed):
    payment = buy(gateways)
    killed("refund", "taken", payment.reference)

    refund_by_buyer(payment.reference)
    assert refunds_at_gateway(payment) == [], "the dead one's lease still holds"
    Refund.objects.update(due_at=now(), lease_until=None)
    refund_by_buyer(payment.reference)

    assert_refunded_once(payment)
