"""Every operation of the API against tokens that are not ours, bodies that are too large, and addresses made up.

The list of operations is the OpenAPI document's, so that a new one is tested the day it is there.
"""

import base64
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import jwt
import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from accounts.models import Session, User
from accounts.services.sessions import session_open
from accounts.tests.builders import PASSWORD, build_admin, build_user, sign_in
from learning247.kit.ids import new_id

pytestmark = pytest.mark.django_db

METHODS = ("get", "post", "put", "patch", "delete")
SAMPLES = {"reference": "L247-" + "0" * 32, "number": "1"}
TEN_MEGABYTES = 10 * 1024 * 1024


class Operation(NamedTuple):
    method: str
    path: str
    needs_token: bool
    reads_json: bool


def operations() -> list[Operation]:
    document = SchemaGenerator().get_schema(request=None, public=True)
    return [
        Operation(
            method,
            _filled(path),
            needs_token={} not in operation.get("security", [{}]),
            reads_json="application/json" in operation.get("requestBody", {}).get("content", {}),
        )
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def _filled(path: str) -> str:
    """The path with an id where one belongs."""
    while "{" in path:
        before, _, rest = path.partition("{")
        name, _, after = rest.partition("}")
        path = before + SAMPLES.get(name, str(new_id())) + after
    return path


def stored() -> dict[str, list[Any]]:
    """Every row of every table of ours."""
    ours = ("accounts", "wallets", "payments", "courses", "records")
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values_list())
        for model in apps.get_models()
        if model._meta.app_label in ours
    }


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def signed(claims: dict[str, Any], **header: Any) -> str:
    return jwt.encode(claims, settings.SIMPLE_JWT["SIGNING_KEY"], algorithm="HS256", headers=header or None)


def unsigned(claims: dict[str, Any], algorithm: str) -> str:
    parts = ({"alg": algorithm, "typ": "JWT"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


def stripped(token: str) -> str:
    return token.rpartition(".")[0] + "."


FOREIGN_KEY = "a key of somebody else, as long as it has to be"
FORGED: dict[str, Callable[[dict[str, Any]], str]] = {
    "no token": lambda claims: "nonsense",
    "two parts": lambda claims: "a.b",
    "empty parts": lambda claims: "..",
    "ten thousand dots": lambda claims: "." * 7_000,
    "another key": lambda claims: jwt.encode(claims, FOREIGN_KEY, algorithm="HS256"),
    "no signature": lambda claims: unsigned(claims, "HS256"),
    "alg none": lambda claims: unsigned(claims, "none"),
    "alg None": lambda claims: unsigned(claims, "None"),
    "signature taken off": lambda claims: stripped(signed(claims)),
    "key brought along": lambda claims: jwt.encode(
        claims,
        FOREIGN_KEY,
        algorithm="HS256",
        headers={"jwk": {"kty": "oct", "k": FOREIGN_KEY}, "kid": "/dev/null"},
    ),
    "expired": lambda claims: signed(claims | {"exp": 1}),
    "for ever": lambda claims: signed({name: value for name, value in claims.items() if name != "exp"}),
    "a refresh token": lambda claims: signed(claims | {"token_type": "refresh"}),
    "no session": lambda claims: signed(claims | {"sid": str(new_id())}),
    "no such person": lambda claims: signed(claims | {"user_id": str(new_id())}),
    "ids that are none": lambda claims: signed(claims | {"user_id": ["a"], "sid": {"b": 1}}),
}


@pytest.mark.parametrize("name", FORGED)
def test_no_operation_takes_a_token_that_is_not_ours_and_good(name: str) -> None:
    boss = build_admin()
    token = FORGED[name](claims_of(session_open(boss).access))
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")
    before = stored()
    asked = [operation for operation in operations() if operation.needs_token]
    assert len(asked) > 20

    answers = {
        (operation.method, operation.path): client.generic(
            operation.method.upper(), operation.path, "{}", content_type="application/json"
        )
        for operation in asked
    }

    wrong = {where: answer.content for where, answer in answers.items() if answer.status_code != 401}
    assert wrong == {}
    assert {answer.json()["errors"][0]["code"] for answer in answers.values()} == {"token_not_valid"}
    assert stored() == before


@pytest.mark.parametrize("where", ["body", "cookie"])
@pytest.mark.parametrize("name", sorted(FORGED.keys() - {"a refresh token", "no such person", "ids that are none"}))
def test_no_forged_refresh_token_is_traded(name: str, where: str) -> None:
    ada = build_user()
    token = FORGED[name](claims_of(session_open(ada).refresh))
    client, body = APIClient(), {"refresh": token} if where == "body" else {}
    client.cookies[settings.REFRESH_COOKIE_NAME] = token if where == "cookie" else ""
    before = stored()

    answer = client.post("/auth/refresh", body, format="json")

    too_long = where == "body" and len(token) > 4_096
    assert (answer.status_code, stored() == before) == (400 if too_long else 401, True)


def test_somebody_elses_session_does_not_speak_for_an_administrator() -> None:
    boss, mallory = build_admin(), build_user()
    claims = claims_of(session_open(mallory).access)

    answer = APIClient(HTTP_AUTHORIZATION=f"Bearer {signed(claims | {'user_id': str(boss.id)})}").get("/auth/me")

    assert answer.status_code == 401


def test_no_operation_reads_ten_megabytes() -> None:
    client = APIClient()
    sign_in(client, build_admin(email="ada@example.com"))
    before = stored()
    body = json.dumps({"email": "ada@example.com", "password": "x" * TEN_MEGABYTES})
    asked = [operation for operation in operations() if operation.reads_json]
    assert len(asked) > 10

    answers = {
        (operation.method, operation.path): client.generic(
            operation.method.upper(), operation.path, body, content_type="application/json"
        )
        for operation in asked
    }

    # What is not there for this id, or wants a key first, says so without reading the body.
    refusals = {where: (answer.status_code, answer.json()["errors"][0]["code"]) for where, answer in answers.items()}
    wrong = {
        where: (status, code)
        for where, (status, code) in refusals.items()
        if status not in (404, 413) and code != "idempotency_key_required"
    }
    assert wrong == {}
    assert all(answers[where].status_code == 413 for where in answers if where[1].startswith("/auth/"))
    assert stored() == before


@pytest.mark.parametrize("page", ["/admin/login/", "/admin/password_change/"])
def test_the_console_reads_none_either(page: str) -> None:
    client = Client()
    client.force_login(build_admin())
    before = stored()

    answer = client.post(page, {"username": "ada@example.com", "password": "x" * TEN_MEGABYTES, "old_password": "x"})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, "request_too_large")
    assert stored() == before


CLAIMS = {
    "id": "019a5a3e-6f0c-7d1b-9a53-0b8f3f6a2c11",
    "user": "019a5a3e-6f0c-7d1b-9a53-0b8f3f6a2c11",
    "role": "admin",
    "is_staff": True,
    "is_superuser": True,
    "is_active": False,
    "is_creator": True,
    "email_verified": True,
    "email_verified_at": "2026-01-01T00:00:00Z",
    "platform_fee_bps": 0,
    "groups": [1],
    "user_permissions": [1],
    "created_at": "2001-01-01T00:00:00Z",
    "last_login": "2001-01-01T00:00:00Z",
    "actor": "platform",
    "device": {"ip": "198.51.100.99", "user_agent": "forged"},
}
RIGHTS = (
    "role", "is_staff", "is_superuser", "is_active", "is_creator", "email_verified_at", "platform_fee_bps",
    "last_login",
)  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/auth/login", {"email": "ada@example.com", "password": PASSWORD}),
        ("patch", "/auth/me", {"bio": "Teaches."}),
        ("post", "/auth/change-password", {"current_password": PASSWORD, "new_password": "another horse battery"}),
        ("post", "/auth/forgot-password", {"email": "ada@example.com"}),
        ("post", "/auth/verify-email/resend", {}),
    ],
)
def test_nobody_gives_themselves_rights_beside_what_an_operation_asks_for(
    method: str, path: str, body: dict[str, Any]
) -> None:
    client, ada = APIClient(), build_user(email="ada@example.com")
    sign_in(client, ada)
    before = User.objects.values(*RIGHTS, "id", "email", "created_at").get()

    answer = getattr(client, method)(path, CLAIMS | body, format="json")

    assert answer.status_code in (200, 202)
    assert User.objects.values(*RIGHTS, "id", "email", "created_at").get() == before
    assert not ada.groups.exists() and not ada.user_permissions.exists()
    assert not Session.objects.filter(ip="198.51.100.99").exists()


def test_nobody_signs_up_with_rights_or_an_id_of_their_choice() -> None:
    body = {"email": "ada@example.com", "password": PASSWORD, "first_name": "Ada", "last_name": "Obi"}

    answer = APIClient().post("/auth/register", CLAIMS | body, format="json")

    assert answer.status_code == 201
    ada = User.objects.get()
    assert str(ada.id) != CLAIMS["id"]
    assert ada.created_at.year > 2001
    assert {name: getattr(ada, name) for name in RIGHTS} == {
        "role": "user",
        "is_staff": False,
        "is_superuser": False,
        "is_active": True,
        "is_creator": False,
        "email_verified_at": None,
        "platform_fee_bps": None,
        "last_login": None,
    }


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "X-Real-IP", "X-Client-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "Remote-Addr"],
)
@pytest.mark.parametrize("forged", ["198.51.100.1", "127.0.0.1", "for=127.0.0.1", "'; DROP TABLE--", "1" * 4_000])
def test_no_header_says_where_a_sign_in_comes_from(header: str, forged: str) -> None:
    build_user(email="ada@example.com")

    answer = APIClient(REMOTE_ADDR="203.0.113.7").post(
        "/auth/login", {"email": "ada@example.com", "password": PASSWORD}, format="json", headers={header: forged}
    )

    assert answer.status_code == 200
    assert Session.objects.get().ip == "203.0.113.7"
