"""Refunds at Stripe over real HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from learning247.integrations.stripe import (
    MalformedAnswer,
    StripeGatewayClient,
    StripeIdempotencyMismatch,
    StripeNotFound,
    StripeRejected,
)
from learning247.integrations.tests.conftest import STRIPE_KEY


@pytest.fixture
def intent(stripe_client, sandbox):
    """The PaymentIntent of a paid checkout of USD 30.00."""
    session = stripe_client.checkout_session_create(
        reference="ref-1",
        amount_minor=3_000,
        currency="USD",
        title="Algebra",
        customer_email="ada@example.com",
        success_url="https://shop.example/back",
        cancel_url="https://shop.example/back",
        expires_at=datetime.now(tz=UTC) + timedelta(hours=1),
        metadata={},
    )
    sandbox.control.pay("stripe", session.id)
    return stripe_client.checkout_session_retrieve(session.id).payment_intent_id


def refund(client, intent, amount_minor, key="refund-1"):
    return client.refund_create(
        payment_intent_id=intent,
        amount_minor=amount_minor,
        currency="USD",
        idempotency_key=key,
        metadata={"refund": key},
    )


def test_a_refund_succeeds_and_can_be_read_again(stripe_client, intent):
    made = refund(stripe_client, intent, 1_000)

    assert (made.status, made.amount_minor, made.currency) == ("succeeded", 1_000, "USD")
    assert stripe_client.refund_retrieve(made.id) == made


def test_the_same_key_gives_the_same_refund_and_another_amount_under_it_none(stripe_client, intent):
    made = refund(stripe_client, intent, 1_000)

    assert refund(stripe_client, intent, 1_000).id == made.id
    with pytest.raises(StripeIdempotencyMismatch):
        refund(stripe_client, intent, 999)
    assert [row.id for row in stripe_client.refund_list(intent)] == [made.id]


def test_a_payments_refunds_are_listed_with_our_metadata(stripe_client, intent):
    refund(stripe_client, intent, 1_000, "refund-1")
    refund(stripe_client, intent, 500, "refund-2")

    listed = stripe_client.refund_list(intent)

    assert [(row.amount_minor, row.metadata) for row in listed] == [
        (500, {"refund": "refund-2"}),
        (1_000, {"refund": "refund-1"}),
    ]


def test_more_than_was_paid_is_rejected_and_refunds_nothing(stripe_client, intent):
    with pytest.raises(StripeRejected):
        refund(stripe_client, intent, 3_001)
    assert stripe_client.refund_list(intent) == []


def test_a_refund_that_is_not_there_is_not_found(stripe_client):
    with pytest.raises(StripeNotFound):
        stripe_client.refund_retrieve("re_none")


@pytest.mark.parametrize("spoilt", [{"id": None}, {"status": 1}, {"amount": -1}, {"currency": ""}])
def test_an_answer_that_is_not_what_was_specified_is_an_unknown_outcome(answering, spoilt):
    answering.answer({"id": "re_1", "object": "refund", "status": "pending", "amount": 5, "currency": "usd"} | spoilt)
    with pytest.raises(MalformedAnswer):
        StripeGatewayClient(STRIPE_KEY, answering.url, timeout=(2, 2)).refund_retrieve("re_1")
