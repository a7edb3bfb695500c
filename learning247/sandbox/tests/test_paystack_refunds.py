"""Paystack refunds through all their endings."""

from __future__ import annotations

import pytest

from learning247.sandbox.server import Sandbox
from learning247.sandbox.tests.conftest import Paystack
from learning247.sandbox.tests.receiver import Receiver


@pytest.fixture
def paid(sandbox: Sandbox, paystack: Paystack) -> None:
    paystack.initialize()
    sandbox.control.pay("paystack", "order-1")


@pytest.mark.usefixtures("paid")
def test_a_full_refund_goes_through_pending_and_processing_to_processed(
    sandbox: Sandbox, paystack: Paystack, receiver: Receiver
) -> None:
    answer = paystack.post("/refund", transaction="order-1", merchant_note="Class cancelled").json()
    assert (answer["data"]["status"], answer["data"]["amount"]) == ("pending", 2_500_000)
    sandbox.control.advance(2)
    sandbox.control.wait_for_webhook("refund.processed")
    assert paystack.verify()["status"] == "reversed"
    assert paystack.balance() == -47_500
    refund = paystack.get(f"/refund/{answer['data']['id']}").json()["data"]
    assert (refund["status"], refund["merchant_note"]) == ("processed", "Class cancelled")
    sandbox.control.wait_until(lambda: len(receiver.received) == 4)
    # Deliveries race one another, as the gateway's own do: nothing here goes by their order.
    amounts = {event.kind: event.json()["data"]["amount"] for event in receiver.received}
    assert amounts == {
        "charge.success": 2_500_000,
        "refund.pending": "2500000",
        "refund.processing": "2500000",
        "refund.processed": "2500000",
    }


@pytest.mark.usefixtures("paid")
def test_parts_may_be_refunded_until_nothing_is_left(sandbox: Sandbox, paystack: Paystack) -> None:
    assert paystack.post("/refund", transaction="order-1", amount=1_000_000).status_code == 200
    too_much = paystack.post("/refund", transaction="order-1", amount=1_500_001)
    assert (too_much.status_code, too_much.json()["code"]) == (400, "invalid_refund_amount")
    assert paystack.post("/refund", transaction="order-1").json()["data"]["amount"] == 1_500_000
    again = paystack.post("/refund", transaction="order-1")
    assert (again.status_code, again.json()["code"]) == (400, "transaction_reversed")
    assert [row["amount"] for row in paystack.get("/refund").json()["data"]] == [1_500_000, 1_000_000]


@pytest.mark.parametrize(("card", "ending"), [("4084080000671803", "failed"), ("4084080000671902", "needs-attention")])
def test_the_official_refund_cards_end_as_documented(
    sandbox: Sandbox, paystack: Paystack, card: str, ending: str
) -> None:
    paystack.initialize()
    sandbox.control.pay("paystack", "order-1", card=card)
    refund = paystack.post("/refund", transaction="order-1").json()["data"]
    sandbox.control.advance(2)
    sandbox.control.wait_for_webhook(f"refund.{ending}")
    assert paystack.get(f"/refund/{refund['id']}").json()["data"]["status"] == ending


@pytest.mark.usefixtures("paid")
def test_a_failed_refund_brings_the_money_back_once(sandbox: Sandbox, paystack: Paystack) -> None:
    sandbox.control.behave(paystack_refund_outcome="none")
    refund = paystack.post("/refund", transaction="order-1").json()["data"]
    assert paystack.balance() == -47_500
    sandbox.control.conclude_refund("paystack", refund["id"], "failed")
    assert paystack.balance() == 2_452_500
    with pytest.raises(RuntimeError, match="cannot become failed"):
        sandbox.control.conclude_refund("paystack", refund["id"], "failed")
    assert paystack.balance() == 2_452_500


def test_what_was_not_paid_cannot_be_refunded(paystack: Paystack) -> None:
    paystack.initialize()
    answer = paystack.post("/refund", transaction="order-1")
    assert (answer.status_code, answer.json()["code"]) == (400, "transaction_not_successful")
