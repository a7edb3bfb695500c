"""Redis is away: deliveries are kept, sales settle, and what was never enqueued is found by the sweeper."""

import socket
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

import pytest

from accounts.tests.builders import build_user
from learning247.records.models import InboundEvent
from learning247.records.tests.races import at_once
from payments.models import Payment
from payments.tests.builders import build_product, start_checkout
from payments.tests.conftest import free_port
from payments.tests.wire import deliver, initialize, paystack_event, signed_in, time_passes, verify
from wallets.models import JournalEntry
from wallets.selectors import balances_of


@pytest.fixture
def sale(gateways):
    """(creator, payment): paid at the gateway, whose own webhooks are held back."""
    creator = build_user()
    payment = start_checkout(build_user(), build_product(seller=creator))
    gateways.control.pause_webhooks()
    gateways.control.pay("paystack", payment.reference)
    return creator, payment


@pytest.fixture
def without_redis(serve):
    return serve(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")


@contextmanager
def deaf_redis():
    """Takes connections and never says a word. Yields its URL."""
    over, held = Event(), []
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        listener.settimeout(0.1)

        def take():
            while not over.is_set():
                try:
                    held.append(listener.accept()[0])
                except TimeoutError:
                    continue

        thread = Thread(target=take)
        thread.start()
        try:
            yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        finally:
            over.set()
            thread.join()
            for line in held:
                line.close()


def test_a_webhook_is_kept_and_answered_and_the_sweeper_settles_it_when_redis_is_back(without_redis, sale, run_jobs):
    creator, payment = sale

    answer = deliver(without_redis, "paystack", paystack_event(payment.reference))

    assert (answer.status_code, answer.json()) == (200, {"received": True})
    event = InboundEvent.objects.get()
    assert (event.status, event.attempts) == ("pending", 0)
    assert run_jobs() == [], "nothing was enqueued"
    assert not JournalEntry.objects.exists()

    assert time_passes() == [event.pk]
    run_jobs()

    payment.refresh_from_db()
    assert payment.status == "paid"
    assert balances_of(user=creator)[0].available == 2_000_000


def test_two_hundred_deliveries_are_all_kept(without_redis, gateways):
    def send(number):
        return [
            deliver(without_redis, "paystack", paystack_event("L247-nobody", number=number * 100 + at)).status_code
            for at in range(10)
        ]

    assert at_once(20, send) == [[200] * 10] * 20
    assert InboundEvent.objects.filter(status="pending", attempts=0).count() == 200


def test_verify_settles_and_its_mails_wait_for_the_sweeper(without_redis, sale, run_jobs):
    creator, payment = sale

    answer = verify(without_redis, payment.reference)

    assert (answer.status_code, answer.json()["status"]) == (200, "paid")
    assert balances_of(user=creator)[0].available == 2_000_000
    assert run_jobs() == []


def test_initialize_works_or_says_503(without_redis, gateways):
    """A purchase moves no money out: it may go on, or be refused with a 503; never anything else."""
    learner, product = build_user(), build_product()

    answer = initialize(without_redis, signed_in(learner), item_id=product.item_id)

    assert answer.status_code in (201, 503)
    if answer.status_code == 201:
        assert Payment.objects.get().reference == answer.json()["reference"]
    else:
        assert int(answer.headers["Retry-After"]) >= 1
        assert not Payment.objects.exists()


def test_a_redis_that_takes_connections_and_never_answers_holds_no_webhook_up_for_long(serve, sale):
    """Paystack waits 30 s for an answer, Stripe less; the row is there either way."""
    _, payment = sale
    with deaf_redis() as address:
        url = serve(REDIS_URL=address)
        began = monotonic()
        answer = deliver(url, "paystack", paystack_event(payment.reference))
        took = monotonic() - began

    assert answer.status_code == 200
    assert took < 12
    assert InboundEvent.objects.get().status == "pending"
