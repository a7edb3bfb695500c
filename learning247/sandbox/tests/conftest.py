"""A sandbox of its own for every test; where ``SPECS_DIR`` is set, all its exchanges are checked at the end."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from learning247.sandbox.server import Sandbox
from learning247.sandbox.tests.conformance import PaystackConformance, StripeConformance
from learning247.sandbox.tests.receiver import Receiver


@pytest.fixture(autouse=True)
def empty_redis() -> None:
    """Stands in the place of the project-wide fixture: nothing here touches Redis."""


@pytest.fixture(scope="session")
def specs_dir() -> Path:
    folder = os.environ.get("SPECS_DIR", "")
    if not folder:
        pytest.skip("SPECS_DIR is not set: the providers' documents are not at hand")
    return Path(folder)


@pytest.fixture(scope="session")
def paystack_conformance(specs_dir: Path) -> PaystackConformance:
    return PaystackConformance(specs_dir)


@pytest.fixture(scope="session")
def stripe_conformance(specs_dir: Path) -> StripeConformance:
    return StripeConformance(specs_dir)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def sandbox(receiver: Receiver, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Events go to the receiver; what was exchanged must conform, unless the test plans faults."""
    checks: dict[str, Any] = {}
    if os.environ.get("SPECS_DIR"):
        for provider in ("paystack", "stripe"):
            checks[provider] = request.getfixturevalue(f"{provider}_conformance")
    with Sandbox(
        paystack_webhook_url=f"{receiver.url}/paystack",
        stripe_webhook_url=f"{receiver.url}/stripe",
        opening_balances={},
    ) as sandbox:
        yield sandbox
        if checks:
            check_all(sandbox, checks)


def check_all(sandbox: Sandbox, checks: dict[str, Any]) -> None:
    """Every exchange of the test, and every Stripe event, against the provider's own document."""
    for record in sandbox.control.requests():
        if record["provider"] in checks and not {"wrong_amount", "wrong_currency"} & set(record["faults"]):
            checks[record["provider"]].check_exchange(record)
    for delivery in sandbox.control.webhooks(provider="stripe"):
        checks["stripe"].check_event(json.loads(delivery["body"]))


class Paystack:
    """A merchant's bare client: the official protocol with ``requests``."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._base = sandbox.paystack_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {sandbox.config.paystack_secret_key}"

    def get(self, path: str, timeout: float = 20, **query: Any) -> requests.Response:
        return self._session.get(f"{self._base}{path}", params=query, timeout=timeout)

    def post(self, path: str, timeout: float = 20, **fields: Any) -> requests.Response:
        return self._session.post(f"{self._base}{path}", json=fields, timeout=timeout)

    def initialize(self, reference: str = "order-1", amount: int = 2_500_000, **fields: Any) -> Any:
        answer = self.post(
            "/transaction/initialize", email="ada@example.com", amount=amount, reference=reference, **fields
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def verify(self, reference: str = "order-1") -> Any:
        return self.get(f"/transaction/verify/{reference}").json()["data"]

    def balance(self, currency: str = "NGN") -> Any:
        rows = {row["currency"]: row["balance"] for row in self.get("/balance").json()["data"]}
        return rows[currency]

    def recipient(self, account: str = "0123456789") -> Any:
        answer = self.post(
            "/transferrecipient",
            type="nuban",
            name="Ada Obi",
            account_number=account,
            bank_code="058",
            currency="NGN",
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]["recipient_code"]

    def transfer(
        self, recipient: str, reference: str = "withdrawal-0000001", amount: int = 1_000_000
    ) -> requests.Response:
        return self.post(
            "/transfer",
            source="balance",
            amount=amount,
            recipient=recipient,
            reference=reference,
            reason="Creator payout",
            currency="NGN",
        )


@pytest.fixture
def paystack(sandbox: Sandbox) -> Paystack:
    return Paystack(sandbox)


@pytest.fixture
def client(sandbox: Sandbox) -> stripe.StripeClient:
    """The vendor's own SDK with another base address, without its retries."""
    return stripe.StripeClient(
        sandbox.config.stripe_secret_key, base_addresses={"api": sandbox.stripe_url}, max_network_retries=0
    )


def session_params(amount: int = 3000, currency: str = "usd", **more: object) -> Any:
    """Parameters of a checkout session for one course."""
    return {
        "mode": "payment",
        "success_url": "https://shop.example/paid?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/cancelled",
        "client_reference_id": "order-1",
        "customer_email": "ada@example.com",
        "metadata": {"order": "order-1"},
        "payment_intent_data": {"metadata": {"order": "order-1"}, "transfer_group": "order-1"},
        "line_items": [
            {
                "price_data": {
                    "currency": currency,
                    "unit_amount": amount,
                    "product_data": {"name": "Rust in a week"},
                },
                "quantity": 1,
            }
        ],
    } | more
