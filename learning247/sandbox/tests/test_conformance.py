"""The checks of exchanges do find what is wrong; without that the others prove nothing."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from learning247.sandbox.server import Sandbox
from learning247.sandbox.stripe.parameters import decode
from learning247.sandbox.tests.conformance import ConformanceError, PaystackConformance, StripeConformance
from learning247.sandbox.tests.conftest import Paystack, session_params
from learning247.sandbox.tests.test_stripe_refunds import pay

SAMPLES = {
    "charge.success": "payments__webhooks__events__transaction-successful.json",
    "charge.dispute.create": "payments__webhooks__events__charge-dispute-create.json",
    "charge.dispute.remind": "payments__webhooks__events__charge-dispute-remind.json",
    "charge.dispute.resolve": "payments__webhooks__events__charge-dispute-resolve.json",
    "refund.pending": "payments__refunds__events__refund-pending.json",
    "refund.processing": "payments__refunds__events__refund-processing.json",
    "refund.processed": "payments__refunds__events__refund-processed.json",
    "refund.failed": "payments__refunds__events__refund-failed.json",
    "refund.needs-attention": "payments__refunds__events__refund-needs-attention.json",
    "transfer.success": "payments__webhooks__events__transfer-successful.json",
}
FREE_FORM = ("metadata", "log", "authorization")
"""Parts whose content depends on the merchant or the customer."""


def test_brackets_become_objects_and_lists() -> None:
    assert decode([("a[b]", "1"), ("l[1]", "y"), ("l[0]", "x"), ("e[]", "p"), ("e[]", "q")]) == {
        "a": {"b": "1"},
        "l": ["x", "y"],
        "e": ["p", "q"],
    }


def test_a_call_that_paystack_does_not_know_is_found(
    paystack_conformance: PaystackConformance, sandbox: Sandbox, paystack: Paystack
) -> None:
    paystack.initialize()
    (record,) = sandbox.control.requests()
    paystack_conformance.check_exchange(record)
    for body in ({"amount": 500_000}, {"amount": "5000.00", "email": "a@example.com"}):
        wrong = record | {"body": json.dumps(body)}
        with pytest.raises(ConformanceError):
            paystack_conformance.check_exchange(wrong)


def test_an_answer_with_a_wrong_type_is_found(
    paystack_conformance: PaystackConformance, sandbox: Sandbox, paystack: Paystack
) -> None:
    paystack.initialize()
    paystack.verify()
    record = sandbox.control.requests(path="/transaction/verify")[0]
    paystack_conformance.check_exchange(record)
    wrong = copy.deepcopy(record)
    wrong["response"]["body"]["data"]["amount"] = "2500000"
    with pytest.raises(ConformanceError, match="amount"):
        paystack_conformance.check_exchange(wrong)


@pytest.mark.parametrize(
    "body",
    [
        "mode=payment&success_url=https://a.example&colour=green",
        "mode=sale&success_url=https://a.example",
        "mode=payment&success_url=https://a.example&line_items[0][price_data][unit_amount]=1.5"
        "&line_items[0][price_data][currency]=usd",
    ],
)
def test_a_body_that_stripe_would_refuse_is_found(stripe_conformance: StripeConformance, body: str) -> None:
    with pytest.raises(ConformanceError):
        stripe_conformance.check_request("/v1/checkout/sessions", body)


def test_an_object_with_a_field_unknown_or_missing_is_found(stripe_conformance: StripeConformance, client: Any) -> None:
    session = client.v1.checkout.sessions.create(session_params()).to_dict()
    stripe_conformance.check_object(session)
    with pytest.raises(ConformanceError, match="colour"):
        stripe_conformance.check_object(session | {"colour": "green"})
    with pytest.raises(ConformanceError, match="payment_status"):
        stripe_conformance.check_object({name: value for name, value in session.items() if name != "payment_status"})


def test_paystack_events_have_every_field_of_the_official_samples(
    specs_dir: Path, sandbox: Sandbox, paystack: Paystack
) -> None:
    sandbox.control.top_up("paystack", "NGN", 10_000_000)
    paystack.transfer(paystack.recipient())
    for number, card in enumerate(("", "4084080000671803", "4084080000671902")):
        paystack.initialize(reference=f"order-{number}")
        sandbox.control.pay("paystack", f"order-{number}", card=card)
        paystack.post("/refund", transaction=f"order-{number}", amount=500_000)
    dispute = sandbox.control.open_dispute("paystack", "order-0", amount=100_000)["id"]
    sandbox.control.decide_dispute("paystack", dispute, "remind")
    sandbox.control.decide_dispute("paystack", dispute, "lost")
    sandbox.control.advance(2)
    for kind, name in SAMPLES.items():
        sample = json.loads((specs_dir / "paystack" / "events" / name).read_text(encoding="utf-8"))
        ours = json.loads(sandbox.control.wait_for_webhook(kind)["body"])
        assert missing_fields(sample, ours) == [], kind


def missing_fields(sample: Any, ours: Any, path: str = "") -> list[str]:
    if not isinstance(sample, dict) or path.rsplit(".", maxsplit=1)[-1] in FREE_FORM:
        return []
    if not isinstance(ours, dict):
        return [path]
    found: list[str] = []
    for name, value in sample.items():
        found += missing_fields(value, ours[name], f"{path}.{name}") if name in ours else [f"{path}.{name}"]
    return found


def test_every_stripe_object_in_an_expanded_session_conforms(
    stripe_conformance: StripeConformance, sandbox: Sandbox, client: Any
) -> None:
    intent = pay(sandbox, client)
    expanded = client.v1.payment_intents.retrieve(intent, {"expand": ["latest_charge.balance_transaction"]})
    stripe_conformance.check_object(expanded.to_dict())
