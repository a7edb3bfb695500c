"""What payments answer to requests of somebody's own making, and what their document says."""

import base64
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from rest_framework.test import APIClient

from accounts.tests.builders import build_user, sign_in
from learning247.kit.ids import new_id
from payments.models import Payment
from payments.tests.builders import build_product

pytestmark = pytest.mark.django_db

PAYMENTS = "/api/payments"


@pytest.fixture
def client() -> APIClient:
    client = APIClient()
    sign_in(client, build_user(verified=True))
    return client


def cursor(**parts: str) -> str:
    return base64.b64encode(urlencode(parts).encode()).decode()


@pytest.mark.parametrize(
    "value", ["zz", "", cursor(p=""), cursor(p="abc"), cursor(p="1.5"), cursor(p="5"), cursor(p="\x00")]
)
def test_a_cursor_of_somebodys_own_making_is_a_400(client: APIClient, value: str) -> None:
    answer = client.get(PAYMENTS, {"cursor": value})

    assert (answer.status_code, answer.json()["type"]) == (400, "validation_error")
    assert answer.json()["errors"] == [
        {"code": "invalid", "detail": "This cursor is not one of ours.", "attr": "cursor"}
    ]


def test_a_cursor_at_any_payment_is_taken(client: APIClient) -> None:
    assert client.get(PAYMENTS, {"cursor": cursor(p=str(new_id()))}).status_code == 200


@pytest.mark.parametrize("value", ["0", "abc", "-3"])
def test_a_page_size_that_makes_no_sense_is_a_400(client: APIClient, value: str) -> None:
    answer = client.get(PAYMENTS, {"page_size": value})

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "page_size")


@pytest.mark.parametrize("name", ["item_type", "item_id"])
def test_an_item_is_named_once(client: APIClient, name: str) -> None:
    item = build_product()
    named = {"item_type": [item.kind], "item_id": [str(item.item_id)]}
    assert client.get(f"{PAYMENTS}/access", named).status_code == 200

    answer = client.get(f"{PAYMENTS}/access", named | {name: named[name] * 2})

    assert (answer.status_code, [error["code"] for error in answer.json()["errors"]]) == (400, ["repeated"])


def test_a_currency_that_nobody_knows_has_no_price(client: APIClient) -> None:
    wanted = {"item_type": "video", "item_id": str(build_product().item_id)}

    def code(currency: str) -> tuple[int, str]:
        answer = client.post(
            f"{PAYMENTS}/initialize",
            wanted | {"currency": currency},
            format="json",
            headers={"Idempotency-Key": currency},
        )
        return answer.status_code, answer.json()["errors"][0]["code"]

    assert code("XYZ") == (422, "currency_not_available")
    assert code("EUR") == (422, "currency_not_available")
    assert code("xyz") == (400, "invalid")
    assert not Payment.objects.exists()


def test_the_document_says_what_is_sent(client: APIClient) -> None:
    paths: dict[str, Any] = yaml.safe_load(client.get("/api/schema").content)["paths"]

    def statuses(path: str, method: str = "get") -> set[str]:
        return set(paths[path][method]["responses"])

    assert {"200", "201"} & statuses("/api/payments/verify/{reference}", "post") == {"200"}
    assert "404" in statuses("/api/payments/access")
    assert "404" in statuses("/api/courses")
    assert "404" in statuses("/api/courses/search")
    assert "404" not in statuses("/api/payments")
    unlimited = {path for path, methods in paths.items() for call in methods.values() if "429" not in call["responses"]}
    assert unlimited == {"/health/live", "/health/ready", "/metrics", "/api/webhooks/paystack", "/api/webhooks/stripe"}


def test_each_currency_names_its_smallest_price(client: APIClient) -> None:
    rows = client.get(f"{PAYMENTS}/config").json()["currencies"]

    assert {row["currency"]: row["minimum_amount"] for row in rows} == {
        "NGN": "50.00",
        "GHS": "0.10",
        "ZAR": "1.00",
        "KES": "3.00",
        "USD": "0.50",
        "GBP": "0.30",
        "EUR": "0.50",
        "JPY": "50",
        "KWD": "0.010",
    }
