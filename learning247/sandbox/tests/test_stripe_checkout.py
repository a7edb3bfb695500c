"""Stripe checkout with the vendor's own SDK."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
import stripe

from learning247.sandbox.server import Sandbox
from learning247.sandbox.tests.conftest import session_params
from learning247.sandbox.tests.receiver import Receiver

EXPAND = {"expand": ["payment_intent.latest_charge.balance_transaction"]}


def test_a_new_session_is_open_and_unpaid_without_a_payment_intent(client: Any) -> None:
    session = client.v1.checkout.sessions.create(session_params())
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert (session.amount_total, session.currency, session.client_reference_id) == (3000, "usd", "order-1")
    assert session.expires_at - session.created == 24 * 3600


def test_paying_on_the_page_completes_the_session_and_returns_to_the_shop(
    client: Any,
) -> None:
    session = client.v1.checkout.sessions.create(session_params())
    answer = requests.post(session.url, data={"action": "pay"}, allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"https://shop.example/paid?session={session.id}",
    )
    paid = client.v1.checkout.sessions.retrieve(session.id, EXPAND)
    assert (paid.status, paid.payment_status) == ("complete", "paid")
    intent = paid.payment_intent
    assert (intent.status, intent.amount_received, intent.metadata["order"]) == ("succeeded", 3000, "order-1")
    booked = intent.latest_charge.balance_transaction
    assert (booked.amount, booked.fee, booked.net) == (3000, 117, 2883)
    assert client.v1.balance.retrieve().available[0].amount == 2883


def test_session_metadata_is_not_copied_to_the_payment_intent(sandbox: Sandbox, client: Any) -> None:
    session = client.v1.checkout.sessions.create(session_params(payment_intent_data={}))
    intent = sandbox.control.pay("stripe", session.id)["payment_intent"]
    assert client.v1.payment_intents.retrieve(intent).metadata.to_dict() == {}


def test_success_raises_events_that_the_sdk_accepts(sandbox: Sandbox, client: Any, receiver: Receiver) -> None:
    session = client.v1.checkout.sessions.create(session_params())
    sandbox.control.pay("stripe", session.id)
    sandbox.control.wait_until(lambda: len(receiver.received) == 3)
    events = [
        client.construct_event(event.body, event.headers["stripe-signature"], "whsec_sandbox")
        for event in receiver.received
    ]
    assert {event.type for event in events} == {
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    }
    completed = next(event for event in events if event.type == "checkout.session.completed")
    assert (completed.data.object.id, completed.data.object.payment_status) == (session.id, "paid")
    assert client.v1.events.retrieve(completed.id).data.object.id == session.id


def test_a_declined_card_leaves_the_session_open_for_another(sandbox: Sandbox, client: Any, receiver: Receiver) -> None:
    session = client.v1.checkout.sessions.create(session_params())
    declined = sandbox.control.pay("stripe", session.id, card="4000000000009995")
    assert (declined["status"], declined["message"]) == ("open", "Your card has insufficient funds.")
    assert sandbox.control.pay("stripe", session.id)["payment_status"] == "paid"
    sandbox.control.wait_for_webhook("checkout.session.completed")
    assert len(client.v1.charges.list({"payment_intent": declined["payment_intent"]}).data) == 2
    assert sandbox.control.webhooks(event="payment_intent.payment_failed")


@pytest.mark.parametrize(
    ("action", "event", "status"),
    [
        ("settle", "checkout.session.async_payment_succeeded", "paid"),
        ("fail", "checkout.session.async_payment_failed", "unpaid"),
    ],
)
def test_a_delayed_method_completes_unpaid_and_is_decided_later(
    sandbox: Sandbox, client: Any, action: str, event: str, status: str
) -> None:
    session = client.v1.checkout.sessions.create(session_params())
    assert sandbox.control.checkout("stripe", session.id, "pay_later")["payment_status"] == "unpaid"
    sandbox.control.wait_for_webhook("checkout.session.completed")
    sandbox.control.checkout("stripe", session.id, action)
    sandbox.control.wait_for_webhook(event)
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == status


def test_a_session_expires_at_its_time_and_says_so(sandbox: Sandbox, client: Any) -> None:
    soon = int(time.time()) + 1800
    session = client.v1.checkout.sessions.create(session_params(expires_at=soon))
    sandbox.control.advance(1801)
    sandbox.control.wait_for_webhook("checkout.session.expired")
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert requests.get(session.url, timeout=10).status_code == 410


def test_an_open_session_can_be_expired_and_a_paid_one_cannot(sandbox: Sandbox, client: Any) -> None:
    left = client.v1.checkout.sessions.create(session_params())
    assert client.v1.checkout.sessions.expire(left.id).status == "expired"
    paid = client.v1.checkout.sessions.create(session_params())
    sandbox.control.pay("stripe", paid.id)
    with pytest.raises(stripe.InvalidRequestError, match="has a status of complete"):
        client.v1.checkout.sessions.expire(paid.id)


def test_a_currency_without_minor_units_is_charged_in_whole_units(sandbox: Sandbox, client: Any) -> None:
    session = client.v1.checkout.sessions.create(session_params(amount=1200, currency="jpy"))
    assert "JPY 1,200<" in requests.get(session.url, timeout=10).text


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"success_url": "not a url"}, "success_url"),
        ({"expires_at": 1}, "expires_at"),
        ({"line_items": []}, "line_items"),
        ({"colour": "green"}, "colour"),
        ({"client_reference_id": "x" * 201}, "client_reference_id"),
    ],
)
def test_wrong_parameters_are_named(client: Any, change: dict, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.create(session_params(**change))
    assert refused.value.param == param
    assert client.v1.checkout.sessions.list().data == []


def test_a_wrong_key_is_an_authentication_error(sandbox: Sandbox) -> None:
    client = stripe.StripeClient("sk_test_wrong", base_addresses={"api": sandbox.stripe_url})
    with pytest.raises(stripe.AuthenticationError):
        client.v1.balance.retrieve()


def test_an_unknown_session_is_missing(client: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.checkout.sessions.retrieve("cs_test_none")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


def test_lists_page_through_everything(client: Any) -> None:
    made = [client.v1.checkout.sessions.create(session_params()).id for _ in range(5)]
    listed = client.v1.checkout.sessions.list({"limit": 2})
    assert [session.id for session in listed.auto_paging_iter()] == made[::-1]
