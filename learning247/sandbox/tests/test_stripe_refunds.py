"""Stripe refunds and disputes."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from learning247.sandbox.server import Sandbox
from learning247.sandbox.tests.conftest import session_params


def pay(sandbox: Sandbox, client: Any, card: str = "") -> str:
    """A paid session's payment intent over USD 30.00."""
    session = client.v1.checkout.sessions.create(session_params())
    return str(sandbox.control.pay("stripe", session.id, card)["payment_intent"])


def test_parts_are_refunded_and_charge_refunded_carries_the_total(sandbox: Sandbox, client: Any) -> None:
    intent = pay(sandbox, client)
    first = client.v1.refunds.create({"payment_intent": intent, "amount": 1000, "reason": "requested_by_customer"})
    assert (first.status, first.amount) == ("succeeded", 1000)
    client.v1.refunds.create({"payment_intent": intent})
    charge = client.v1.payment_intents.retrieve(intent, {"expand": ["latest_charge"]}).latest_charge
    assert (charge.amount_refunded, charge.refunded) == (3000, True)
    assert client.v1.balance.retrieve().available[0].amount == -117
    totals = [event.data.object.amount_refunded for event in client.v1.events.list({"type": "charge.refunded"}).data]
    assert totals == [3000, 1000]


def test_more_than_is_left_cannot_be_refunded(sandbox: Sandbox, client: Any) -> None:
    intent = pay(sandbox, client)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        client.v1.refunds.create({"payment_intent": intent, "amount": 3001})
    client.v1.refunds.create({"payment_intent": intent})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_already_refunded"


def test_a_refund_can_fail_later_and_the_money_is_back(sandbox: Sandbox, client: Any) -> None:
    intent = pay(sandbox, client, card="4000000000005126")
    refund = client.v1.refunds.create({"payment_intent": intent})
    assert refund.status == "succeeded"
    sandbox.control.advance(2)
    sandbox.control.wait_for_webhook("refund.failed")
    assert client.v1.refunds.retrieve(refund.id).status == "failed"
    assert client.v1.balance.retrieve().available[0].amount == 2883


@pytest.mark.parametrize(("outcome", "balance"), [("won", 2883 - 1500), ("lost", 2883 - 1500 - 3000)])
def test_a_dispute_withdraws_funds_and_only_a_won_one_reinstates_them(
    sandbox: Sandbox, client: Any, outcome: str, balance: int
) -> None:
    intent = pay(sandbox, client)
    dispute = sandbox.control.open_dispute("stripe", intent, reason="fraudulent")
    assert client.v1.disputes.retrieve(dispute["id"]).status == "needs_response"
    assert client.v1.balance.retrieve().available[0].amount == 2883 - 3000 - 1500
    sandbox.control.decide_dispute("stripe", dispute["id"], outcome)
    sandbox.control.wait_for_webhook("charge.dispute.closed")
    assert client.v1.disputes.retrieve(dispute["id"]).status == outcome
    assert client.v1.balance.retrieve().available[0].amount == balance
    assert bool(sandbox.control.webhooks(event="charge.dispute.funds_reinstated")) is (outcome == "won")


def test_the_dispute_card_is_disputed_by_itself(sandbox: Sandbox, client: Any) -> None:
    intent = pay(sandbox, client, card="4000000000000259")
    sandbox.control.wait_for_webhook("charge.dispute.funds_withdrawn")
    charge = client.v1.payment_intents.retrieve(intent, {"expand": ["latest_charge"]}).latest_charge
    assert charge.disputed is True


def test_a_disputed_charge_is_refundable_only_after_the_dispute_was_won(sandbox: Sandbox, client: Any) -> None:
    intent = pay(sandbox, client)
    dispute = sandbox.control.open_dispute("stripe", intent)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"payment_intent": intent})
    assert refused.value.code == "charge_disputed"
    sandbox.control.decide_dispute("stripe", dispute["id"], "won")
    assert client.v1.refunds.create({"payment_intent": intent}).status == "succeeded"
