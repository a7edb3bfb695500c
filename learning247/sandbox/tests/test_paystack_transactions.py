"""Paystack payments: initialize, pay on the page, verify, hear of it."""

from __future__ import annotations

import pytest
import requests

from learning247.sandbox.server import Sandbox
from learning247.sandbox.signatures import paystack_signature
from learning247.sandbox.tests.conftest import Paystack
from learning247.sandbox.tests.receiver import Receiver


def test_a_new_transaction_is_abandoned_until_somebody_pays(paystack: Paystack) -> None:
    data = paystack.initialize(metadata={"order": "7"})
    assert set(data) == {"authorization_url", "access_code", "reference"}
    verified = paystack.verify()
    assert (verified["status"], verified["amount"], verified["requested_amount"]) == (
        "abandoned",
        2_500_000,
        2_500_000,
    )
    assert (verified["fees"], verified["paid_at"], verified["metadata"]) == (None, None, {"order": "7"})


def test_paying_on_the_page_returns_to_the_merchant_with_the_reference(paystack: Paystack) -> None:
    url = paystack.initialize(callback_url="https://shop.example/back?from=pay")["authorization_url"]
    answer = requests.post(url, data={"action": "pay"}, allow_redirects=False, timeout=10)
    assert answer.status_code == 303
    assert answer.headers["location"] == "https://shop.example/back?from=pay&trxref=order-1&reference=order-1"
    verified = paystack.verify()
    assert (verified["status"], verified["amount"], verified["fees"], verified["currency"]) == (
        "success",
        2_500_000,
        47_500,
        "NGN",
    )
    assert verified["authorization"]["last4"] == "4081"
    assert verified["id"] > 2**32


def test_success_credits_the_balance_less_the_fee(sandbox: Sandbox, paystack: Paystack) -> None:
    paystack.initialize()
    sandbox.control.pay("paystack", "order-1")
    assert paystack.balance() == 2_500_000 - 47_500
    row = paystack.get("/balance/ledger").json()["data"][0]
    assert (row["difference"], row["balance"], row["model_responsible"]) == (
        2_452_500,
        2_452_500,
        "Transaction",
    )


def test_success_raises_one_signed_event_with_the_official_shape(
    sandbox: Sandbox, paystack: Paystack, receiver: Receiver
) -> None:
    paystack.initialize()
    sandbox.control.pay("paystack", "order-1")
    sandbox.control.pay("paystack", "order-1")
    sandbox.control.wait_for_webhook("charge.success")
    (event,) = receiver.received
    assert event.headers["x-paystack-signature"] == paystack_signature(event.body, sandbox.config.paystack_secret_key)
    data = event.json()["data"]
    assert (data["reference"], data["amount"], data["fees"], data["status"]) == (
        "order-1",
        2_500_000,
        47_500,
        "success",
    )


def test_a_declined_card_may_be_followed_by_a_good_one(
    sandbox: Sandbox, paystack: Paystack, receiver: Receiver
) -> None:
    paystack.initialize()
    assert sandbox.control.decline("paystack", "order-1")["status"] == "failed"
    assert paystack.verify()["gateway_response"] == "Declined"
    assert sandbox.control.pay("paystack", "order-1")["status"] == "success"
    sandbox.control.wait_for_webhook("charge.success")
    assert receiver.kinds() == ["charge.success"]
    assert (paystack.verify()["log"]["attempts"], paystack.verify()["log"]["errors"]) == (2, 1)


def test_the_insufficient_funds_card_fails_with_that_reason(sandbox: Sandbox, paystack: Paystack) -> None:
    paystack.initialize()
    outcome = sandbox.control.pay("paystack", "order-1", card="4084 0800 0067 0037")
    assert (outcome["status"], outcome["gateway_response"]) == ("failed", "Insufficient Funds")


def test_an_opened_page_is_ongoing_and_an_abandoned_one_is_not(sandbox: Sandbox, paystack: Paystack) -> None:
    url = paystack.initialize()["authorization_url"]
    assert requests.get(url, timeout=10).status_code == 200
    assert paystack.verify()["status"] == "ongoing"
    sandbox.control.abandon("paystack", "order-1")
    assert paystack.verify()["status"] == "abandoned"


def test_when_the_customer_bears_the_fee_amount_and_requested_amount_differ(
    sandbox: Sandbox, paystack: Paystack
) -> None:
    sandbox.control.behave(paystack_customer_pays_fees=True)
    paystack.initialize(amount=1_000_000)
    sandbox.control.pay("paystack", "order-1")
    verified = paystack.verify()
    assert (verified["requested_amount"], verified["amount"], verified["fees"]) == (
        1_000_000,
        1_025_381,
        25_381,
    )


def test_a_reference_is_unique_for_ever(sandbox: Sandbox, paystack: Paystack) -> None:
    paystack.initialize()
    answer = paystack.post("/transaction/initialize", email="b@example.com", amount=500_000, reference="order-1")
    assert answer.status_code == 400
    assert answer.json()["code"] == "duplicate_reference"
    assert answer.json()["message"] == "Duplicate Transaction Reference"
    assert paystack.verify()["amount"] == 2_500_000


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"amount": 4_999}, "Invalid Amount Sent"),
        ({"amount": 199, "currency": "USD"}, "Invalid Amount Sent"),
        ({"amount": 0}, "Invalid Amount Sent"),
        ({"amount": "12.50"}, "Invalid Amount Sent"),
        ({"email": "nobody"}, "Invalid Email Address Passed"),
        ({"currency": "EUR"}, "Currency not supported by merchant"),
        ({"reference": "no_underscore"}, "Invalid transaction reference"),
    ],
)
def test_what_paystack_would_refuse_is_refused(paystack: Paystack, fields: dict, message: str) -> None:
    answer = paystack.post("/transaction/initialize", **({"email": "a@example.com", "amount": 500_000} | fields))
    assert answer.status_code == 400
    assert answer.json()["status"] is False
    assert answer.json()["message"].startswith(message)
    assert paystack.get("/transaction").json()["data"] == []


def test_a_wrong_key_is_a_401(sandbox: Sandbox) -> None:
    answer = requests.get(f"{sandbox.paystack_url}/balance", headers={"Authorization": "Bearer sk_test_no"}, timeout=10)
    assert (answer.status_code, answer.json()["message"]) == (401, "Invalid key")


def test_an_unknown_reference_is_a_404_with_its_code(paystack: Paystack) -> None:
    answer = paystack.get("/transaction/verify/never-made")
    assert (answer.status_code, answer.json()["code"]) == (404, "transaction_not_found")


def test_transactions_are_listed_newest_first_by_page_and_status(sandbox: Sandbox, paystack: Paystack) -> None:
    for number in range(3):
        paystack.initialize(reference=f"order-{number}")
    sandbox.control.pay("paystack", "order-1")
    listed = paystack.get("/transaction", per_page=2, page=1).json()
    assert [row["reference"] for row in listed["data"]] == ["order-2", "order-1"]
    assert (listed["meta"]["total"], listed["meta"]["pageCount"]) == (3, 2)
    paid = paystack.get("/transaction", status="success").json()["data"]
    assert [row["reference"] for row in paid] == ["order-1"]
    assert paystack.get(f"/transaction/{paid[0]['id']}").json()["data"]["reference"] == "order-1"


def test_a_dispute_that_is_lost_takes_the_money_and_reverses_the_payment(
    sandbox: Sandbox, paystack: Paystack, receiver: Receiver
) -> None:
    paystack.initialize()
    sandbox.control.pay("paystack", "order-1")
    dispute = sandbox.control.open_dispute("paystack", "order-1")
    assert (dispute["status"], dispute["refund_amount"]) == ("awaiting-merchant-feedback", 2_500_000)
    sandbox.control.decide_dispute("paystack", dispute["id"], "lost")
    event = sandbox.control.wait_for_webhook("charge.dispute.resolve")
    assert '"resolution": "merchant-accepted"' in event["body"]
    assert paystack.verify()["status"] == "reversed"
    assert paystack.balance() == -47_500
    (resolved,) = (event for event in receiver.received if event.kind == "charge.dispute.resolve")
    assert resolved.json()["data"]["transaction"]["reference"] == "order-1"


def test_a_dispute_that_is_won_changes_no_balance(sandbox: Sandbox, paystack: Paystack) -> None:
    paystack.initialize()
    sandbox.control.pay("paystack", "order-1")
    dispute = sandbox.control.open_dispute("paystack", "order-1", amount=100_000)
    assert sandbox.control.decide_dispute("paystack", dispute["id"], "won")["resolution"] == "declined"
    assert (paystack.verify()["status"], paystack.balance()) == ("success", 2_452_500)


@pytest.mark.parametrize("query", [{"perPage": "many"}, {"page": "-1"}, {"from": "yesterday"}])
def test_a_list_asked_for_nonsense_is_a_400(paystack: Paystack, query: dict) -> None:
    paystack.initialize()
    assert paystack.get("/transaction", **query).status_code == 400
