"""When the gateway, the network or the order of things goes wrong: nothing lost, nothing doubled, no 5xx but 503."""

import json
import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core import mail

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.kit.money import Money
from learning247.records.models import InboundEvent, OutboundMail
from learning247.records.services.inbox import event_handle
from learning247.records.tests.races import at_once
from payments.access import explain
from payments.models import Entitlement, Payment
from payments.services import settlement
from payments.services.settlement import payment_settle, unsettled_sweep
from payments.tests.builders import build_product, start_checkout
from payments.tests.wire import (
    code_of,
    deliver,
    initialize,
    paystack_event,
    poll,
    signed_in,
    stripe_event,
    time_passes,
    verify,
)
from wallets.enums import AccountKind
from wallets.errors import AlreadyPosted
from wallets.models import JournalEntry
from wallets.selectors import balances_of, platform_balance

CURRENCY = {"paystack": "NGN", "stripe": "USD"}
GROSS = {"paystack": 2_500_000, "stripe": 3_000}
PROVIDERS = pytest.mark.parametrize("provider", ["paystack", "stripe"])


@pytest.fixture
def sale(gateways):
    """`sale(provider)`: a creator, a learner and an open checkout."""

    def begin(provider="paystack"):
        creator, learner = build_user(), build_user()
        product = build_product(seller=creator)
        return creator, start_checkout(learner, product, CURRENCY[provider])

    return begin


def pay(gateways, payment):
    gateways.control.pay(payment.gateway, at_gateway(payment))


def at_gateway(payment):
    return payment.reference if payment.gateway == "paystack" else payment.gateway_reference


def assert_settled_once(payment, creator):
    payment.refresh_from_db()
    gross = payment.amount_minor
    assert payment.status == "paid"
    assert JournalEntry.objects.filter(source_id=str(payment.pk), kind="sale").count() == 1
    assert Entitlement.objects.filter(payment=payment).count() == 1
    assert OutboundMail.objects.filter(key__startswith=f"payment:{payment.pk}").count() == 2
    assert balances_of(user=creator)[0].available == gross * 80 // 100
    assert explain(payment.buyer, payment.product).granted


def assert_nothing_moved(payment, status="pending"):
    payment.refresh_from_db()
    assert payment.status == status
    assert not JournalEntry.objects.exists()
    assert not Entitlement.objects.exists()
    assert not OutboundMail.objects.filter(key__startswith="payment:").exists()


# --- What the gateway captured is not what we asked for


@pytest.mark.parametrize(
    ("fault", "field", "captured", "reason"),
    [
        ("wrong_amount", {"amount": -1}, (2_999, "USD"), "amount_mismatch"),
        ("wrong_amount", {"amount": 1}, (3_001, "USD"), "amount_mismatch"),
        ("wrong_currency", {"currency": "eur"}, (3_000, "EUR"), "currency_mismatch"),
    ],
)
def test_a_stripe_capture_that_differs_goes_to_review(gateways, sale, fault, field, captured, reason):
    creator, payment = sale("stripe")
    gateways.control.fault(fault, provider="stripe", times=100, **field)
    pay(gateways, payment)

    assert verify(gateways.url, payment.reference).json()["status"] == "in_review"

    payment.refresh_from_db()
    assert (payment.captured_minor, payment.captured_currency) == captured
    assert payment.review_reason == reason
    assert not explain(payment.buyer, payment.product).granted
    assert balances_of(user=creator) == []
    assert platform_balance(kind=AccountKind.UNSETTLED, currency=captured[1]) == captured[0]


def test_a_currency_that_the_books_do_not_know_goes_to_review_without_a_posting(gateways, sale):
    creator, payment = sale("paystack")
    gateways.control.fault("wrong_currency", provider="paystack", times=100, currency="XOF")
    pay(gateways, payment)

    assert verify(gateways.url, payment.reference).json()["status"] == "in_review"
    assert not JournalEntry.objects.exists()
    assert balances_of(user=creator) == []


def test_in_review_nothing_more_happens_whoever_asks(gateways, sale, run_jobs):
    _, payment = sale("paystack")
    gateways.control.fault("wrong_amount", provider="paystack", times=1, amount=-1)
    pay(gateways, payment)
    verify(gateways.url, payment.reference)

    for _ in range(3):
        assert verify(gateways.url, payment.reference).json()["status"] == "in_review"
    gateways.control.wait_for_webhook("charge.success")
    run_jobs()

    assert sorted(JournalEntry.objects.values_list("kind", flat=True)) == ["gateway_fee", "unsettled_capture"]
    assert not Entitlement.objects.exists()


# --- Order


@PROVIDERS
def test_a_webhook_before_our_row_exists_waits_and_settles_once_it_is_there(gateways, sale, run_jobs, provider):
    """The row is hidden under another reference until the event has been tried once."""
    creator, payment = sale(provider)
    gateways.control.pause_webhooks()
    pay(gateways, payment)
    Payment.objects.filter(pk=payment.pk).update(reference="L247-not-there-yet")
    event = (
        paystack_event(payment.reference)
        if provider == "paystack"
        else stripe_event(payment.reference, session=payment.gateway_reference)
    )

    assert deliver(gateways.url, provider, event).status_code == 200
    run_jobs()
    waiting = InboundEvent.objects.get()
    assert (waiting.status, waiting.attempts) == ("pending", 1)
    assert waiting.reason == f"No payment with reference {payment.reference[:40]!r} yet."
    assert waiting.due_at > now()

    Payment.objects.filter(pk=payment.pk).update(reference=payment.reference)
    assert time_passes() == [waiting.pk]
    run_jobs()

    assert_settled_once(payment, creator)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts, waiting.outcome) == ("done", 2, "payment paid")


def test_an_event_of_nobodys_is_parked_with_its_reason_after_its_attempts(gateways, run_jobs, settings):
    settings.INBOX_MAX_ATTEMPTS = 3
    deliver(gateways.url, "paystack", paystack_event("L247-nobody"))
    run_jobs()
    for _ in range(2):
        time_passes()
        run_jobs()

    event = InboundEvent.objects.get()
    assert (event.status, event.attempts) == ("parked", 3)
    assert event.reason == "No payment with reference 'L247-nobody' yet."
    assert time_passes() == []


@PROVIDERS
def test_declined_first_and_paid_later_on_the_same_reference(gateways, sale, run_jobs, provider):
    creator, payment = sale(provider)
    gateways.control.decline(provider, at_gateway(payment))

    assert verify(gateways.url, payment.reference).json()["status"] == "failed"
    assert_nothing_moved(payment, "failed")
    pay(gateways, payment)
    assert verify(gateways.url, payment.reference).json()["status"] == "paid"

    poll(lambda: all(row["status"] == "delivered" for row in gateways.control.webhooks()))
    run_jobs()
    assert_settled_once(payment, creator)


@PROVIDERS
def test_a_late_payment_of_an_expired_checkout_settles(gateways, sale, run_jobs, provider):
    creator, payment = sale(provider)
    Payment.objects.update(expires_at=now() - timedelta(seconds=1))
    assert verify(gateways.url, payment.reference).json()["status"] == "expired"
    assert_nothing_moved(payment, "expired")

    pay(gateways, payment)
    gateways.control.wait_for_webhook({"paystack": "charge.success", "stripe": "checkout.session.completed"}[provider])
    run_jobs()

    assert_settled_once(payment, creator)


def test_a_delayed_stripe_method_settles_when_the_money_comes_and_not_when_the_page_is_done(gateways, sale, run_jobs):
    creator, payment = sale("stripe")
    gateways.control.checkout("stripe", payment.gateway_reference, "pay_later")
    gateways.control.wait_for_webhook("checkout.session.completed")
    run_jobs()
    assert_nothing_moved(payment)

    gateways.control.checkout("stripe", payment.gateway_reference, "settle")
    gateways.control.wait_for_webhook("checkout.session.async_payment_succeeded")
    run_jobs()

    assert_settled_once(payment, creator)


def test_an_expired_stripe_session_expires_the_payment(gateways, sale, run_jobs):
    _, payment = sale("stripe")
    gateways.control.checkout("stripe", payment.gateway_reference, "expire")
    gateways.control.wait_for_webhook("checkout.session.expired")
    run_jobs()

    assert_nothing_moved(payment, "expired")


# --- Races


@pytest.mark.race
@PROVIDERS
def test_the_same_event_32_times_at_once_settles_once(gateways, sale, run_jobs, provider):
    creator, payment = sale(provider)
    gateways.control.pause_webhooks()
    pay(gateways, payment)
    event = (
        paystack_event(payment.reference)
        if provider == "paystack"
        else stripe_event(payment.reference, session=payment.gateway_reference)
    )

    assert at_once(32, lambda number: deliver(gateways.url, provider, event).status_code) == [200] * 32
    kept = InboundEvent.objects.get()
    at_once(32, lambda number: event_handle(kept.pk))
    run_jobs()

    assert_settled_once(payment, creator)


@pytest.mark.race
@PROVIDERS
def test_16_webhooks_and_16_verifies_at_once_settle_once(gateways, sale, provider):
    creator, payment = sale(provider)
    gateways.control.pause_webhooks()
    pay(gateways, payment)

    def ask(number):
        if number % 2:
            answer = verify(gateways.url, payment.reference)
            return answer.status_code, answer.json()["status"]
        event = (
            paystack_event(payment.reference, number=number)
            if provider == "paystack"
            else stripe_event(payment.reference, session=payment.gateway_reference, number=f"evt_{number}")
        )
        status = deliver(gateways.url, provider, event).status_code
        external = f"charge.success:{number}" if provider == "paystack" else f"evt_{number}"
        event_handle(InboundEvent.objects.get(external_id=external).pk)
        return status, "paid"

    assert at_once(32, ask) == [(200, "paid")] * 32
    assert {event.outcome for event in InboundEvent.objects.all()} == {"payment paid"}
    assert_settled_once(payment, creator)


def settled_by_eight_at_the_same_step(payment, monkeypatch):
    """Eight settlers that have all heard "captured" from the gateway before any of them records it."""
    barrier, record = Barrier(8), settlement._report_record

    def record_together(*given, **named):
        barrier.wait(20)
        return record(*given, **named)

    monkeypatch.setattr(settlement, "_report_record", record_together)
    return at_once(8, lambda number: payment_settle(reference=payment.reference).status)


@pytest.mark.race
def test_eight_that_heard_of_the_capture_before_any_recorded_it_settle_once(gateways, sale, monkeypatch):
    creator, payment = sale("paystack")
    pay(gateways, payment)

    assert settled_by_eight_at_the_same_step(payment, monkeypatch) == ["paid"] * 8
    assert_settled_once(payment, creator)


@pytest.mark.race
def test_control_without_the_payments_lock_they_book_the_money_twice(gateways, sale, monkeypatch, breaks_the_books):
    _, payment = sale("paystack")
    pay(gateways, payment)
    monkeypatch.setattr(
        settlement, "payment_lock", lambda pk: Payment.objects.select_related("product__seller").get(pk=pk)
    )
    monkeypatch.setattr(settlement, "gateway_fee_record", lambda **_: None)  # its key would stop the second one

    with suppress(AlreadyPosted):  # the third settler and those after it stumble over the second one's entry
        settled_by_eight_at_the_same_step(payment, monkeypatch)

    payment.refresh_from_db()
    booked = JournalEntry.objects.filter(source_id=str(payment.pk)).values_list("kind", flat=True)
    assert sorted(booked) == ["sale", "unsettled_capture"]
    # The second one finds the buyer owning it, and gives back what came once.
    assert payment.status == "refunded"
    assert platform_balance(kind=AccountKind.GATEWAY_PAYSTACK, currency="NGN") == -5_000_000 + 2_500_000


# --- The gateway is away, slow, or has done what it did not answer


@pytest.fixture
def impatient(settings):
    settings.GATEWAY_READ_TIMEOUT = 1


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error", "status": 500},
        {"kind": "error", "status": 503},
        {"kind": "error", "status": 429},
        {"kind": "error", "status": 401},
        {"kind": "drop"},
        {"kind": "timeout"},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('status', '')}".strip(),
)
@PROVIDERS
def test_a_gateway_in_trouble_is_a_503_and_the_payment_stays_as_it_is(gateways, sale, impatient, provider, fault):
    creator, payment = sale(provider)
    gateways.control.pause_webhooks()
    pay(gateways, payment)
    number = gateways.control.fault(provider=provider, times=100, **fault)

    answer = verify(gateways.url, payment.reference)

    assert (answer.status_code, code_of(answer)) == (503, "gateway_unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert_nothing_moved(payment)
    gateways.control.remove_fault(number)
    assert verify(gateways.url, payment.reference).json()["status"] == "paid"
    assert_settled_once(payment, creator)


@PROVIDERS
def test_a_webhook_while_the_gateway_is_away_is_tried_again_and_settles(gateways, sale, run_jobs, provider):
    creator, payment = sale(provider)
    number = gateways.control.fault("error", provider=provider, times=100, status=502)
    pay(gateways, payment)
    poll(lambda: InboundEvent.objects.exists() and all(w["status"] == "delivered" for w in gateways.control.webhooks()))
    run_jobs()
    assert {event.status for event in InboundEvent.objects.filter(outcome="")} == {"pending"}
    assert "GatewayUnavailable" in InboundEvent.objects.filter(outcome="")[0].reason
    assert_nothing_moved(payment)

    gateways.control.remove_fault(number)
    time_passes()
    run_jobs()

    assert_settled_once(payment, creator)


@pytest.mark.parametrize("fault", ["timeout", "drop", "error"])
@PROVIDERS
def test_initialize_with_the_gateway_away_is_a_503_and_the_same_key_goes_on(gateways, impatient, provider, fault):
    """With the same Idempotency-Key: Paystack opened it and never tells the address again (nobody can be charged),
    Stripe answers what it answered the first time; where nothing had been opened, both open it now."""
    learner, product = build_user(), build_product()
    headers, key = signed_in(learner), "the same key"
    wanted: dict[str, Any] = {"item_id": product.item_id, "currency": CURRENCY[provider], "key": key}
    number = gateways.control.fault(fault, provider=provider, times=100)

    first = initialize(gateways.url, headers, **wanted)
    assert (first.status_code, code_of(first)) == (503, "gateway_unavailable")
    assert int(first.headers["Retry-After"]) >= 1
    reference = Payment.objects.get().reference
    gateways.control.remove_fault(number)
    again = initialize(gateways.url, headers, **wanted)

    assert len(rows_at_gateway(gateways, provider)) == 1
    payment = Payment.objects.get()
    assert payment.reference == reference
    if provider == "paystack" and fault == "timeout":
        assert (again.status_code, code_of(again)) == (409, "checkout_lost")
        assert payment.status == "failed"
        repeated = initialize(gateways.url, headers, **wanted)
        assert (repeated.status_code, repeated.headers["Idempotency-Replayed"]) == (409, "true")
        assert not JournalEntry.objects.exists()
        another = initialize(gateways.url, headers, **(wanted | {"key": "another key"}))
        assert another.status_code == 201
        assert another.json()["reference"] != reference
    else:
        assert (again.status_code, again.json()["reference"]) == (201, reference)
        assert again.json()["checkout_url"].startswith(gateways.sandbox.url)


def rows_at_gateway(gateways, provider):
    return gateways.control.rows({"paystack": "paystack.transactions", "stripe": "stripe.sessions"}[provider])


def test_verify_after_a_stripe_session_whose_address_never_reached_us_learns_it_from_the_webhook(
    gateways, impatient, run_jobs
):
    """Opened at Stripe, its answer lost; somebody pays it nevertheless: the event names the session."""
    creator, learner = build_user(), build_user()
    product = build_product(seller=creator)
    number = gateways.control.fault("timeout", provider="stripe", times=100)
    initialize(gateways.url, signed_in(learner), item_id=product.item_id, currency="USD")
    gateways.control.remove_fault(number)
    payment = Payment.objects.get()
    assert payment.gateway_reference == ""
    assert verify(gateways.url, payment.reference).json()["status"] == "pending"

    (session,) = rows_at_gateway(gateways, "stripe")
    gateways.control.pay("stripe", session["id"])
    gateways.control.wait_for_webhook("checkout.session.completed")
    run_jobs()

    assert_settled_once(payment, creator)


def test_a_price_below_the_gateways_least_is_refused_for_good(gateways):
    learner, product = build_user(), build_product(prices=(Money(100, "NGN"),))

    answer = initialize(gateways.url, signed_in(learner), item_id=product.item_id)

    assert (answer.status_code, code_of(answer)) == (422, "gateway_rejected")
    assert Payment.objects.get().status == "failed"


# --- The sweeper


def let_time_pass(minutes):
    """As if every payment had begun so much earlier."""
    for payment in Payment.objects.all():
        payment.created_at -= timedelta(minutes=minutes)
        payment.expires_at -= timedelta(minutes=minutes)
        if payment.checked_at:
            payment.checked_at -= timedelta(minutes=minutes)
        payment.save()


@PROVIDERS
def test_a_payment_whose_webhook_never_came_is_settled_by_the_sweeper(gateways, sale, provider):
    creator, payment = sale(provider)
    gateways.control.fault("webhook_drop", provider=provider, times=100)
    pay(gateways, payment)
    assert unsettled_sweep() == 0, "a fresh checkout is left to its buyer"

    let_time_pass(6)
    assert unsettled_sweep() == 1

    assert_settled_once(payment, creator)


@PROVIDERS
def test_an_abandoned_checkout_expires_by_the_sweeper(gateways, sale, provider):
    _, payment = sale(provider)
    gateways.control.abandon(provider, at_gateway(payment))
    let_time_pass(30)
    assert (unsettled_sweep(), unsettled_sweep()) == (1, 0)
    assert_nothing_moved(payment, "pending")

    let_time_pass(31)
    assert unsettled_sweep() == 1

    assert_nothing_moved(payment, "expired")
    assert unsettled_sweep() == 0


@PROVIDERS
def test_a_late_payment_whose_webhook_was_lost_settles_by_the_sweeper(gateways, sale, provider):
    creator, payment = sale(provider)
    let_time_pass(61)
    assert unsettled_sweep() == 1
    assert_nothing_moved(payment, "expired")
    gateways.control.fault("webhook_drop", provider=provider, times=100)
    pay(gateways, payment)

    assert unsettled_sweep() == 0, "not again in the same hour"
    let_time_pass(61)
    assert unsettled_sweep() == 1

    assert_settled_once(payment, creator)


def test_a_declined_payment_whose_buyer_never_came_back_is_closed_with_the_reason(gateways, sale):
    _, payment = sale("paystack")
    gateways.control.decline("paystack", payment.reference)
    let_time_pass(6)

    assert unsettled_sweep() == 1

    assert_nothing_moved(payment, "failed")
    assert payment.failure_reason == "Declined"
    assert payment.asking_ended_at is None


THREE_DAYS = 3 * 24 * 60


@PROVIDERS
def test_three_days_after_a_checkout_closed_asking_ends_with_a_last_question_and_says_why(gateways, sale, provider):
    _, payment = sale(provider)
    let_time_pass(61)
    unsettled_sweep()
    let_time_pass(THREE_DAYS - 2)
    assert unsettled_sweep() == 1
    payment.refresh_from_db()
    assert (payment.asking_ended_at, payment.failure_reason) == (None, "")

    let_time_pass(61)
    assert (unsettled_sweep(), unsettled_sweep()) == (1, 0)
    let_time_pass(THREE_DAYS)
    assert unsettled_sweep() == 0

    assert_nothing_moved(payment, "expired")
    assert payment.asking_ended_at is not None
    assert payment.failure_reason == settlement.NEVER_PAID


def test_a_gateway_that_is_away_for_days_is_asked_until_it_answers(gateways, sale):
    """Nobody gives a payment up of which the gateway has not said how it ended."""
    creator, payment = sale()
    pay(gateways, payment)
    fault = gateways.control.fault("error", provider="paystack", times=100)
    let_time_pass(2 * THREE_DAYS)
    assert unsettled_sweep() == 1
    payment.refresh_from_db()
    assert (payment.status, payment.asking_ended_at) == ("pending", None)

    gateways.control.remove_fault(fault)
    let_time_pass(61)
    assert unsettled_sweep() == 1

    assert_settled_once(payment, creator)
    assert payment.asking_ended_at is None


def test_what_is_paid_after_asking_ended_still_settles_by_its_event(gateways, sale, run_jobs):
    creator, payment = sale()
    let_time_pass(2 * THREE_DAYS)
    unsettled_sweep()
    payment.refresh_from_db()
    assert (payment.status, payment.asking_ended_at is not None) == ("expired", True)

    pay(gateways, payment)
    gateways.control.wait_for_webhook("charge.success")
    run_jobs()

    assert_settled_once(payment, creator)
    assert (payment.asking_ended_at, payment.failure_reason) == (None, "")


def test_a_payment_that_cannot_be_settled_does_not_keep_the_sweeper_from_the_others(gateways, sale, monkeypatch):
    """The first of three always breaks; the other two settle, and the broken one is asked about again later."""
    sales = [sale() for _ in range(3)]
    for _, payment in sales:
        pay(gateways, payment)
    broken, settle = sales[0][1].reference, settlement.payment_settle

    def break_on_the_first(*, reference):
        if reference == broken:
            raise RuntimeError("something in this payment is beyond us")
        return settle(reference=reference)

    monkeypatch.setattr(settlement, "payment_settle", break_on_the_first)
    let_time_pass(6)

    assert unsettled_sweep() == 3
    assert sorted(Payment.objects.values_list("status", flat=True)) == ["paid", "paid", "pending"]
    assert unsettled_sweep() == 0, "not again in the same minutes"


def test_the_sweeper_asks_about_those_first_that_it_never_asked_about(gateways, sale):
    """However many open checkouts it has asked about before: none of them keeps a fresh one waiting."""
    _, old = sale()
    let_time_pass(12)
    unsettled_sweep()
    _, fresh = sale()
    let_time_pass(6)

    assert unsettled_sweep(limit=1) == 1

    fresh.refresh_from_db()
    old.refresh_from_db()
    assert fresh.checked_at is not None
    assert fresh.checked_at > old.checked_at


def test_with_the_gateway_away_the_sweeper_asks_others_in_its_next_run(gateways, sale):
    for _ in range(2):
        sale()
    let_time_pass(6)
    gateways.control.fault("error", provider="paystack", times=100)
    gateways.control.forget_requests()

    unsettled_sweep(limit=1)
    unsettled_sweep(limit=1)

    asked = {call["path"] for call in gateways.control.requests(path="/transaction/verify/")}
    assert len(asked) == 2


# --- Official samples


SAMPLES = Path(os.environ.get("SPECS_DIR", "")) / "paystack" / "events"


@pytest.mark.skipif("SPECS_DIR" not in os.environ, reason="SPECS_DIR is not set: the official samples are not at hand")
def test_paystacks_official_events_signed_and_delivered_move_nothing_and_break_nothing(gateways, run_jobs):
    payment = start_checkout(build_user(), build_product(seller=build_user()))
    samples = sorted(SAMPLES.glob("*.json"))
    assert len(samples) > 60
    answers = {}
    for sample in samples:
        answers[sample.name] = deliver(gateways.url, "paystack", sample.read_bytes()).status_code
    shapes: tuple[Any, ...] = (0, "", None, {}, [], '{"a": 1}', "no json")
    for metadata in shapes:
        body = paystack_event(payment.reference, number=hash(str(metadata)) % 1_000, metadata=metadata, fees=None)
        answers[f"metadata {metadata!r}"] = deliver(gateways.url, "paystack", body).status_code
    run_jobs()

    assert {name: status for name, status in answers.items() if status not in (200, 400)} == {}
    no_events = {name for name, status in answers.items() if status == 400}
    assert {name for name in no_events if "event" in json.loads((SAMPLES / name).read_bytes())} == set()
    assert {event.status for event in InboundEvent.objects.all()} <= {"done", "pending"}
    assert_nothing_moved(payment)
    assert mail.outbox == []
