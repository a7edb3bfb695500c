"""Idempotency keys, as the SDK and as bare HTTP meet them."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import requests
import stripe

from learning247.sandbox.server import Sandbox
from learning247.sandbox.tests.conftest import session_params

KEY = {"idempotency_key": "order-1"}


def test_the_same_key_and_parameters_give_the_first_answer_again(client: Any) -> None:
    first = client.v1.checkout.sessions.create(session_params(), KEY)
    again = client.v1.checkout.sessions.create(session_params(), KEY)
    assert again.id == first.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.last_response.headers
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_the_same_key_with_other_parameters_is_refused(client: Any) -> None:
    client.v1.checkout.sessions.create(session_params(), KEY)
    with pytest.raises(stripe.IdempotencyError) as refused:
        client.v1.checkout.sessions.create(session_params(amount=9999), KEY)
    assert refused.value.http_status == 400
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_a_twin_still_on_its_way_is_a_409_and_leaves_one_effect(sandbox: Sandbox, client: Any) -> None:
    sandbox.control.fault("delay", provider="stripe", method="POST", path="/v1/checkout/sessions", seconds=1.5)
    made: list[str] = []
    slow = threading.Thread(target=lambda: made.append(client.v1.checkout.sessions.create(session_params(), KEY).id))
    slow.start()
    sandbox.control.wait_until(lambda: sandbox.control.faults()["rules"] == [])
    with pytest.raises(stripe.StripeError) as refused:
        client.v1.checkout.sessions.create(session_params(), KEY)
    assert refused.value.http_status == 409
    slow.join()
    assert client.v1.checkout.sessions.create(session_params(), KEY).id == made[0]
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_wrong_parameters_do_not_use_the_key_up(client: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.checkout.sessions.create(session_params(success_url="nowhere"), KEY)
    assert client.v1.checkout.sessions.create(session_params(), KEY).status == "open"


def test_a_500_is_the_outcome_and_is_replayed_but_a_503_is_not(sandbox: Sandbox, client: Any) -> None:
    sandbox.control.fault("error", provider="stripe", method="POST", status=503)
    with pytest.raises(stripe.StripeError):
        client.v1.checkout.sessions.create(session_params(), KEY)
    assert client.v1.checkout.sessions.create(session_params(), KEY).status == "open"
    sandbox.control.fault("error", provider="stripe", method="POST", status=500)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            client.v1.checkout.sessions.create(session_params(), {"idempotency_key": "order-2"})
        assert failed.value.http_status == 500
    assert len(client.v1.checkout.sessions.list().data) == 1


def test_a_key_is_forgotten_after_a_day(sandbox: Sandbox, client: Any) -> None:
    first = client.v1.checkout.sessions.create(session_params(), KEY)
    sandbox.control.advance(24 * 3600 + 1)
    assert client.v1.checkout.sessions.create(session_params(), KEY).id != first.id


def test_an_answer_lost_after_the_effect_is_recovered_with_the_same_key(sandbox: Sandbox, client: Any) -> None:
    sandbox.control.fault("timeout", provider="stripe", method="POST", seconds=0)
    with pytest.raises(stripe.APIConnectionError):
        client.v1.checkout.sessions.create(session_params(), KEY)
    recovered = client.v1.checkout.sessions.create(session_params(), KEY)
    assert [session.id for session in client.v1.checkout.sessions.list().data] == [recovered.id]


def test_every_answer_carries_a_request_id(sandbox: Sandbox) -> None:
    answer = requests.get(
        f"{sandbox.stripe_url}/v1/balance",
        timeout=10,
        headers={"Authorization": f"Bearer {sandbox.config.stripe_secret_key}"},
    )
    assert answer.headers["request-id"].startswith("req_")
