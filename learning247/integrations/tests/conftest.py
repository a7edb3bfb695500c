"""The clients talk real HTTP to the sandbox; where SPECS_DIR is set, every exchange must fit the official documents."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from learning247.integrations.paystack import PaystackClient
from learning247.integrations.stripe import StripeGatewayClient
from learning247.integrations.tests.answering import AnsweringServer
from learning247.sandbox.server import Sandbox

PAYSTACK_KEY = "sk_test_paystack_of_these_tests"
STRIPE_KEY = "sk_test_stripe_of_these_tests"


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
def judges() -> dict[str, Any]:
    """By provider, what checks an exchange against its documents; empty where these are not at hand."""
    folder = os.environ.get("SPECS_DIR", "")
    if not folder:
        return {}
    from learning247.sandbox.tests.conformance import PaystackConformance, StripeConformance  # noqa: PLC0415 - slow, seldom

    return {"paystack": PaystackConformance(Path(folder)), "stripe": StripeConformance(Path(folder))}


@pytest.fixture
def sandbox(judges: dict[str, Any]) -> Iterator[Sandbox]:
    with Sandbox(
        paystack_secret_key=PAYSTACK_KEY,
        stripe_secret_key=STRIPE_KEY,
        # Nobody listens there: these tests are about calls, not about events.
        paystack_webhook_url="",
        stripe_webhook_url="",
    ) as sandbox:
        yield sandbox
        for record in sandbox.control.requests():
            judge = judges.get(record["provider"])
            if judge is not None:
                judge.check_exchange(record)


@pytest.fixture
def paystack(sandbox: Sandbox) -> PaystackClient:
    return PaystackClient(PAYSTACK_KEY, sandbox.paystack_url, timeout=(2, 5))


@pytest.fixture
def stripe_client(sandbox: Sandbox) -> StripeGatewayClient:
    return StripeGatewayClient(STRIPE_KEY, sandbox.stripe_url, timeout=(2, 5), max_network_retries=0)


@pytest.fixture
def answering() -> Iterator[AnsweringServer]:
    """A server that gives the answer it was told to, however odd, and keeps what it was asked."""
    with AnsweringServer() as server:
        yield server
