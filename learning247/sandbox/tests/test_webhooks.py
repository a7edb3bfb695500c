"""Webhook delivery: retries, order, duplicates, pauses, slow receivers."""

from __future__ import annotations

from typing import Any

from learning247.sandbox.server import Sandbox
from learning247.sandbox.tests.conftest import Paystack, session_params
from learning247.sandbox.tests.receiver import Receiver
from learning247.sandbox.webhooks import PAYSTACK_WAITS, STRIPE_WAITS


def pay_many(sandbox: Sandbox, paystack: Paystack, count: int) -> list[str]:
    references = [f"order-{number}" for number in range(count)]
    for reference in references:
        paystack.initialize(reference=reference)
        sandbox.control.pay("paystack", reference)
    return references


def wait_for_tries(sandbox: Sandbox, count: int) -> None:
    sandbox.control.wait_until(lambda: len(sandbox.control.webhooks()[0]["attempts"]) == count)


def arrived(receiver: Receiver) -> list[str]:
    return [event.json()["data"]["reference"] for event in receiver.received]


def test_paystack_tries_four_times_every_three_minutes_and_then_hourly(
    sandbox: Sandbox, paystack: Paystack, receiver: Receiver
) -> None:
    assert (PAYSTACK_WAITS[:4], len(PAYSTACK_WAITS)) == ((180, 180, 180, 3600), 75)
    receiver.statuses = [500, 404, 202, 302]
    pay_many(sandbox, paystack, 1)
    for tries, wait in enumerate(PAYSTACK_WAITS[:4], start=1):
        wait_for_tries(sandbox, tries)
        assert sandbox.control.webhooks()[0]["status"] == "waiting"
        sandbox.control.advance(wait)
    delivery = sandbox.control.wait_for_webhook("charge.success")
    assert [attempt["status"] for attempt in delivery["attempts"]] == [500, 404, 202, 302, 200]


def test_every_try_carries_the_very_same_body(sandbox: Sandbox, paystack: Paystack, receiver: Receiver) -> None:
    receiver.statuses = [500]
    pay_many(sandbox, paystack, 1)
    sandbox.control.wait_for_webhook("charge.success", status="waiting")
    sandbox.control.wait_until(lambda: len(receiver.received) == 1)
    sandbox.control.advance(180)
    sandbox.control.wait_for_webhook("charge.success")
    assert receiver.received[0].body == receiver.received[1].body


def test_stripe_is_content_with_any_2xx_and_gives_up_after_three_days(
    sandbox: Sandbox, client: Any, receiver: Receiver
) -> None:
    assert sum(STRIPE_WAITS) <= 3 * 24 * 3600 < sum(STRIPE_WAITS) + 24 * 3600
    receiver.statuses = [202, 204, 299]
    session = client.v1.checkout.sessions.create(session_params())
    sandbox.control.pay("stripe", session.id)
    sandbox.control.wait_until(lambda: len(sandbox.control.webhooks(status="delivered")) == 3)


def test_a_receiver_that_is_not_there_is_tried_again(sandbox: Sandbox, paystack: Paystack, receiver: Receiver) -> None:
    sandbox.control.send_webhooks_to(paystack="http://127.0.0.1:9/nobody")
    pay_many(sandbox, paystack, 1)
    sandbox.control.wait_until(lambda: bool(sandbox.control.webhooks()[0]["attempts"]))
    (attempt,) = sandbox.control.webhooks()[0]["attempts"]
    assert (attempt["status"], attempt["accepted"]) == (0, False)
    assert attempt["problem"].startswith("ConnectError")


def test_a_slow_receiver_does_not_stop_the_other_provider(
    sandbox: Sandbox, paystack: Paystack, client: Any, receiver: Receiver
) -> None:
    receiver.gate.clear()
    sandbox.control.send_webhooks_to(paystack=f"{receiver.url}/slow")
    pay_many(sandbox, paystack, 20)
    session = client.v1.checkout.sessions.create(session_params())
    sandbox.control.pay("stripe", session.id)
    sandbox.control.wait_for_webhook("checkout.session.completed")
    assert sandbox.control.webhooks(provider="paystack", status="delivered") == []
    receiver.gate.set()
    sandbox.control.wait_until(lambda: len(sandbox.control.webhooks(provider="paystack", status="delivered")) == 20)


def test_paused_deliveries_are_held_and_go_out_on_resume(
    sandbox: Sandbox, paystack: Paystack, receiver: Receiver
) -> None:
    sandbox.control.pause_webhooks("paystack")
    references = pay_many(sandbox, paystack, 2)
    sandbox.control.wait_until(lambda: len(sandbox.control.webhooks(status="held")) == 2)
    assert receiver.received == []
    sandbox.control.resume_webhooks("paystack")
    sandbox.control.wait_until(lambda: len(receiver.received) == 2)
    assert set(arrived(receiver)) == set(references)


def test_held_deliveries_can_be_sent_in_a_shuffled_order_that_the_seed_decides(
    sandbox: Sandbox, paystack: Paystack, receiver: Receiver
) -> None:
    sandbox.control.pause_webhooks()
    references = pay_many(sandbox, paystack, 8)
    sandbox.control.wait_until(lambda: len(sandbox.control.webhooks(status="held")) == 8)
    order = sandbox.control.shuffle(seed=7)
    assert arrived(receiver) == [references[int(number) - 1] for number in order]
    assert order != sorted(order, key=int)


def test_a_delivery_can_be_repeated_by_hand(sandbox: Sandbox, paystack: Paystack, receiver: Receiver) -> None:
    pay_many(sandbox, paystack, 1)
    delivery = sandbox.control.wait_for_webhook("charge.success")
    sandbox.control.duplicate(delivery["id"], count=3)
    assert arrived(receiver) == ["order-0"] * 4
    assert len({event.body for event in receiver.received}) == 1


def test_planned_duplicates_drops_and_delays_happen(sandbox: Sandbox, paystack: Paystack, receiver: Receiver) -> None:
    sandbox.control.fault("webhook_duplicate", event="charge.success", count=2)
    pay_many(sandbox, paystack, 1)
    sandbox.control.wait_until(lambda: arrived(receiver) == ["order-0"] * 3)
    sandbox.control.fault("webhook_drop", event="charge.*")
    paystack.initialize(reference="dropped")
    sandbox.control.pay("paystack", "dropped")
    assert sandbox.control.webhooks(about="dropped")[0]["status"] == "dropped"
    sandbox.control.fault("webhook_delay", seconds=600)
    paystack.initialize(reference="delayed")
    sandbox.control.pay("paystack", "delayed")
    assert sandbox.control.webhooks(about="delayed")[0]["attempts"] == []
    sandbox.control.advance(600)
    sandbox.control.wait_for_webhook("charge.success", about="delayed")


def test_a_reordered_event_arrives_after_the_next_one(sandbox: Sandbox, paystack: Paystack, receiver: Receiver) -> None:
    sandbox.control.fault("webhook_reorder", provider="paystack", seconds=3600)
    pay_many(sandbox, paystack, 2)
    sandbox.control.wait_until(lambda: len(receiver.received) == 2)
    assert arrived(receiver) == ["order-1", "order-0"]


def test_a_reordered_event_that_nothing_follows_arrives_at_last(
    sandbox: Sandbox, paystack: Paystack, receiver: Receiver
) -> None:
    sandbox.control.fault("webhook_reorder", provider="paystack", seconds=60)
    pay_many(sandbox, paystack, 1)
    sandbox.control.advance(60)
    sandbox.control.wait_for_webhook("charge.success")
    assert arrived(receiver) == ["order-0"]
