"""The fault dial."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from learning247.sandbox.faults import FaultDial, Target
from learning247.sandbox.server import Sandbox
from learning247.sandbox.tests.conftest import Paystack, session_params


def test_a_dropped_call_has_no_answer_and_no_effect(sandbox: Sandbox, paystack: Paystack) -> None:
    sandbox.control.fault("drop", provider="paystack", path="/transaction/initialize")
    with pytest.raises(requests.ConnectionError):
        paystack.initialize()
    assert paystack.get("/transaction/verify/order-1").status_code == 404
    paystack.initialize()


def test_an_error_comes_before_the_effect_as_often_as_planned(sandbox: Sandbox, paystack: Paystack) -> None:
    sandbox.control.fault("error", provider="paystack", method="POST", status=502, times=2)
    for _ in range(2):
        assert paystack.post("/transaction/initialize", email="a@example.com", amount=500_000).status_code == 502
    paystack.initialize()
    assert len(paystack.get("/transaction").json()["data"]) == 1


def test_a_timeout_comes_after_the_effect(sandbox: Sandbox, paystack: Paystack) -> None:
    sandbox.control.top_up("paystack", "NGN", 10_000_000)
    recipient = paystack.recipient()
    sandbox.control.fault("timeout", provider="paystack", method="POST", path="/transfer", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        paystack.post(
            "/transfer",
            timeout=0.3,
            source="balance",
            amount=1_000_000,
            recipient=recipient,
            reference="withdrawal-0000001",
        )
    assert paystack.get("/transfer/verify/withdrawal-0000001").json()["data"]["amount"] == 1_000_000


def test_a_late_answer_still_comes(sandbox: Sandbox, paystack: Paystack) -> None:
    sandbox.control.fault("late", provider="paystack", seconds=0.2)
    paystack.initialize()
    assert sandbox.control.requests()[0]["faults"] == ["late"]


def test_verify_can_lie_about_amount_and_currency_once(sandbox: Sandbox, paystack: Paystack) -> None:
    paystack.initialize()
    sandbox.control.pay("paystack", "order-1")
    sandbox.control.fault("wrong_amount", path="/transaction/verify/*", amount=-500)
    sandbox.control.fault("wrong_currency", path="/transaction/verify/*", currency="GHS")
    lie = paystack.verify()
    assert (lie["amount"], lie["requested_amount"], lie["currency"]) == (2_499_500, 2_499_500, "GHS")
    truth = paystack.verify()
    assert (truth["amount"], truth["currency"]) == (2_500_000, "NGN")


def test_verify_can_speak_of_another_payment_once(sandbox: Sandbox, paystack: Paystack) -> None:
    paystack.initialize()
    sandbox.control.pay("paystack", "order-1")
    sandbox.control.fault("wrong_reference", path="*order-1*", reference="order-2")
    lie = paystack.verify()
    assert (lie["reference"], lie["amount"]) == ("order-2", 2_500_000)
    assert paystack.verify()["reference"] == "order-1"


def test_an_event_can_lie_while_the_api_does_not(sandbox: Sandbox, client: Any) -> None:
    sandbox.control.fault("webhook_wrong_amount", event="checkout.session.completed", amount=1)
    session = client.v1.checkout.sessions.create(session_params())
    sandbox.control.pay("stripe", session.id)
    delivery = sandbox.control.wait_for_webhook("checkout.session.completed")
    assert '"amount_total": 3001' in delivery["body"]
    assert client.v1.checkout.sessions.retrieve(session.id).amount_total == 3000


def test_rules_can_be_taken_back(sandbox: Sandbox, paystack: Paystack) -> None:
    number = sandbox.control.fault("drop", times=None)
    sandbox.control.remove_fault(number)
    paystack.initialize()
    with pytest.raises(RuntimeError, match="kind must be one of"):
        sandbox.control.fault("earthquake")


def test_the_same_seed_brings_the_same_faults() -> None:
    def fates(seed: int) -> list[list[str]]:
        dial = FaultDial()
        dial.randomise(seed, {"drop": 0.2, "error": 0.3})
        target = Target("paystack", "POST", "/transfer", "/transfer")
        return [dial.plan_call(target).kinds() for _ in range(50)]

    assert fates(7) == fates(7)
    assert fates(7) != fates(8)
    assert any(fates(7))


def test_random_faults_are_switched_on_over_http(sandbox: Sandbox, paystack: Paystack) -> None:
    sandbox.control.random_faults(7, {"error": 1.0})
    assert paystack.get("/balance").status_code == 503
    sandbox.control.clear_faults()
    assert paystack.get("/balance").status_code == 200
