"""The platform's own addresses: health, documentation, errors where no view answers, and the settings' variables."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.db import connection
from openapi_core import OpenAPI
from openapi_core.contrib.django import DjangoOpenAPIResponse
from openapi_core.testing import MockRequest
from rest_framework.test import APIClient

from accounts.services.sessions import session_open
from accounts.services.verification import verification_token
from accounts.tests.builders import PASSWORD, build_user, sign_in
from learning247 import health
from learning247.kit.clock import now
from learning247.records.services.heartbeat import heartbeat_write

ROOT = Path(__file__).resolve().parent.parent.parent
CLOSED_PORT = 1  # nothing listens there

# What clients rely on under /auth and /health: (method, path) -> statuses of success.
PROMISED = {
    ("post", "/auth/register"): {"201"},
    ("post", "/auth/login"): {"200"},
    ("post", "/auth/login/second-factor"): {"200"},
    ("get", "/auth/second-factor"): {"200"},
    ("post", "/auth/second-factor/totp"): {"201"},
    ("delete", "/auth/second-factor/totp"): {"204"},
    ("post", "/auth/second-factor/totp/confirm"): {"200"},
    ("post", "/auth/second-factor/recovery-codes"): {"200"},
    ("post", "/auth/refresh"): {"200"},
    ("post", "/auth/logout"): {"204"},
    ("post", "/auth/change-password"): {"200"},
    ("post", "/auth/forgot-password"): {"200"},
    ("post", "/auth/reset-password"): {"200"},
    ("get", "/auth/sessions"): {"200"},
    ("delete", "/auth/sessions/{session_id}"): {"204"},
    ("post", "/auth/verify-email"): {"200"},
    ("post", "/auth/verify-email/resend"): {"202"},
    ("get", "/auth/me"): {"200"},
    ("patch", "/auth/me"): {"200"},
    ("get", "/health/live"): {"200"},
    ("get", "/health/ready"): {"200"},
}


@pytest.fixture
def client() -> APIClient:
    return APIClient()


class TestHealth:
    def test_a_living_process_says_so_without_asking_anybody(self, client, settings):
        settings.REDIS_URL = f"redis://127.0.0.1:{CLOSED_PORT}"

        response = client.get("/health/live")  # no database mark: a query would fail the test

        assert (response.status_code, response.json()) == (200, {"status": "ok"})

    @pytest.mark.django_db
    def test_ready_when_database_and_redis_answer(self, client):
        response = client.get("/health/ready")

        assert response.status_code == 200
        body = response.json()
        assert list(body) == ["status", "database", "redis", "worker", "payouts"]
        assert (body["status"], body["database"]["status"], body["redis"]["status"]) == ("ok", "ok", "ok")

    @pytest.mark.django_db
    def test_without_redis_it_is_not_ready(self, client, settings):
        settings.REDIS_URL = f"redis://:a-password@127.0.0.1:{CLOSED_PORT}"

        response = client.get("/health/ready")

        assert response.status_code == 503
        body = response.json()
        assert (body["status"], body["database"]["status"], body["redis"]["status"]) == ("unavailable", "ok", "down")
        assert body["worker"] == {"status": "unknown", "heartbeat_age_seconds": None}
        assert b"a-password" not in response.content

    @pytest.mark.django_db
    def test_without_the_database_it_is_not_ready(self, client, monkeypatch):
        parameters = {"host": "127.0.0.1", "port": CLOSED_PORT, "user": "app", "password": "a-password"}
        monkeypatch.setattr(connection, "get_connection_params", lambda: parameters)

        response = client.get("/health/ready")

        assert response.status_code == 503
        body = response.json()
        assert (body["status"], body["database"]["status"], body["redis"]["status"]) == ("unavailable", "down", "ok")
        assert b"a-password" not in response.content

    @pytest.mark.django_db
    @pytest.mark.parametrize(("age", "status"), [(0, "ok"), (60, "ok"), (61, "late")])
    def test_the_workers_heartbeat_is_reported_and_decides_nothing(self, client, monkeypatch, age, status):
        heartbeat_write()
        later = now() + timedelta(seconds=age)
        monkeypatch.setattr(health, "now", lambda: later)

        response = client.get("/health/ready")

        assert response.status_code == 200
        assert response.json()["worker"] == {"status": status, "heartbeat_age_seconds": age}

    @pytest.mark.django_db
    def test_without_a_heartbeat_it_is_ready_all_the_same(self, client):
        response = client.get("/health/ready")

        assert response.status_code == 200
        assert response.json()["worker"] == {"status": "unknown", "heartbeat_age_seconds": None}


class TestAnswersOfNoView:
    def test_an_unknown_address_is_a_404_in_the_envelope(self, client):
        response = client.get("/api/nothing")

        assert (response.status_code, response["Content-Type"]) == (404, "application/json")
        assert response.json() == {
            "type": "client_error",
            "errors": [{"code": "not_found", "detail": "There is nothing at this address.", "attr": None}],
            "request_id": response["X-Request-ID"],
        }

    @pytest.mark.parametrize("path", ["/auth/me/", "/auth/login/", "/health/live/", "/api/docs/"])
    def test_addresses_have_no_trailing_slash_and_nobody_is_sent_elsewhere(self, client, path):
        assert client.get(path).status_code == 404

    def test_a_wrong_method_is_a_405_in_the_envelope(self, client):
        response = client.delete("/auth/login")

        assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")
        assert response.json() == {
            "type": "client_error",
            "errors": [{"code": "method_not_allowed", "detail": 'Method "DELETE" not allowed.', "attr": None}],
            "request_id": response["X-Request-ID"],
        }

    @pytest.mark.django_db
    def test_an_error_that_nobody_foresaw_is_a_500_that_gives_nothing_away(self, client, monkeypatch):
        def fail(**_: Any) -> None:
            raise LookupError("the cause, with a secret")

        monkeypatch.setattr("accounts.views.sign_in.session_open_with_password", fail)
        client.raise_request_exception = False

        response = client.post("/auth/login", {"email": "a@example.com", "password": "x"}, format="json")

        assert response.status_code == 500
        body = response.json()
        assert (body["type"], body["request_id"]) == ("server_error", response["X-Request-ID"])
        assert b"cause" not in response.content

    def test_a_sane_request_id_is_kept_and_any_other_replaced(self, client):
        kept = client.get("/api/nothing", headers={"X-Request-ID": "order-12345678"})
        replaced = client.get("/api/nothing", headers={"X-Request-ID": "<script>alert(1)</script>"})

        assert kept.json()["request_id"] == "order-12345678"
        assert re.fullmatch(r"[0-9a-f-]{36}", replaced.json()["request_id"])

    def test_the_front_door_says_where_to_go(self, client):
        addresses = client.get("/").json()

        assert addresses["docs"] == "/api/docs"
        assert client.get(addresses["schema"]).status_code == 200


class Links(HTMLParser):
    """Every address that a page makes the browser load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("src", "href") and value]


def test_the_documentation_page_loads_nothing_from_outside(client):
    response = client.get("/api/docs")

    assert response.status_code == 200
    html = response.content.decode()
    links = Links(html).found
    assert len(links) >= 3
    for link in links:
        assert link.startswith(settings.STATIC_URL), link
        assert finders.find(link.removeprefix(settings.STATIC_URL)), link
    assert not re.search(r"(https?:)?//[a-z0-9-]+\.[a-z]", html)


@pytest.fixture
def schema(client: APIClient) -> dict[str, Any]:
    """The document as it is served."""
    document: dict[str, Any] = yaml.safe_load(client.get("/api/schema").content)
    return document


def operations(schema: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if method in ("get", "post", "put", "patch", "delete")
    }


class TestSchema:
    def test_is_made_without_a_warning_and_valid_by_the_specification(self, tmp_path):
        call_command("spectacular", "--fail-on-warn", "--validate", "--file", str(tmp_path / "schema.yaml"))

    @pytest.mark.parametrize("promised", PROMISED, ids=" ".join)
    def test_has_every_promised_operation_with_its_statuses(self, schema, promised):
        statuses = set(operations(schema)[promised]["responses"])

        assert {status for status in statuses if status.startswith("2")} == PROMISED[promised]

    def test_names_every_operation_once_and_tidily(self, schema):
        names = [operation["operationId"] for operation in operations(schema).values()]

        assert len(names) == len(set(names))
        assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)] == []

    def test_tags_follow_the_addresses(self, schema):
        tags = {path: operation["tags"] for (_, path), operation in operations(schema).items()}

        assert {tuple(tags[path]) for path in tags if path.startswith("/auth/")} == {("auth",)}
        assert tags["/health/ready"] == ["health"]

    def test_signed_in_calls_want_a_bearer_token_and_sign_in_wants_none(self, schema):
        schemes = schema["components"]["securitySchemes"]
        wanted = {name for item in operations(schema)["get", "/auth/me"]["security"] for name in item}

        assert [(schemes[name]["type"], schemes[name]["scheme"]) for name in wanted] == [("http", "bearer")]
        assert operations(schema)["post", "/auth/login"]["security"] == [{}]

    def test_shows_an_example_of_every_answer_of_sign_in(self, schema):
        for name in ("register", "login", "refresh"):
            successes = operations(schema)["post", f"/auth/{name}"]["responses"]
            answer = next(successes[status] for status in ("200", "201") if status in successes)
            assert answer["content"]["application/json"]["examples"], name

    @pytest.mark.django_db
    def test_agrees_with_what_the_server_sends(self, schema, client):
        document = OpenAPI.from_dict(schema)
        user = build_user(email="ada@example.com")
        newcomer = {"email": "bola@example.com", "password": PASSWORD, "first_name": "Bola", "last_name": "Ojo"}
        stale = session_open(user).refresh

        def post(path: str, body: dict[str, Any]) -> Any:
            return client.post(path, body, format="json")

        answers = [
            client.get("/"),
            client.get("/health/live"),
            client.get("/health/ready"),
            post("/auth/register", newcomer),
            post("/auth/register", newcomer | {"email": "none"}),
            post("/auth/login", {"email": "ada@example.com", "password": PASSWORD}),
            post("/auth/login", {"email": "ada@example.com", "password": "wrong"}),
            post("/auth/refresh", {"refresh": stale}),
            post("/auth/refresh", {"refresh": stale}),
            post("/auth/logout", {"refresh": stale}),
            post("/auth/verify-email", {"token": verification_token(user)}),
            client.get("/auth/me"),
            client.delete("/auth/login"),
        ]
        unverified = APIClient()
        sign_in(unverified, build_user())
        sign_in(client, user)
        answers += [
            unverified.post("/auth/verify-email/resend"),
            client.post("/auth/verify-email/resend"),
            client.get("/auth/me"),
            client.patch("/auth/me", {"country": "NG"}, format="json"),
            client.patch("/auth/me", {"country": "XX", "first_name": 5}, format="json"),
        ]

        assert [answer.status_code for answer in answers] == [
            *(200, 200, 200, 201, 400, 200, 401, 200, 401, 204, 200, 401, 405),
            *(202, 409, 200, 200, 400),
        ]
        for answer in answers:
            if answer.status_code not in (202, 204, 405):  # no body, and no operation to look it up by
                sent = answer.wsgi_request
                request = MockRequest("http://testserver", sent.method.lower(), sent.path)
                document.validate_response(request, DjangoOpenAPIResponse(answer))


class TestEnvironment:
    def documented(self) -> dict[str, str]:
        """Variable -> value in `.env.example`, commented out or not."""
        lines = (ROOT / ".env.example").read_text().splitlines()
        found = [match for line in lines if (match := re.fullmatch(r"(?:# )?([A-Z][A-Z0-9_]+)=(.*)", line))]
        names = [match[1] for match in found]
        assert len(names) == len(set(names)), "a variable is explained twice"
        return {match[1]: match[2] for match in found}

    def test_every_variable_that_settings_read_is_explained(self):
        files = [*(ROOT / "learning247" / "settings").glob("*.py"), ROOT / "gunicorn.conf.py"]
        sources = "".join(file.read_text() for file in files)
        read = set(re.findall(r"""\b(?:env(?:\.\w+)?|environ\.get)\(\s*["'](\w+)["']""", sources))

        assert len(read) > 30
        assert read - self.documented().keys() == set()

    def test_every_variable_that_the_contract_names_is_explained(self):
        contract = """
            PORT DJANGO_ENV DATABASE_URL REDIS_URL JWT_SECRET SESSION_SECRET GOOGLE_CLIENT_ID GOOGLE_CLIENT_SECRET
            GOOGLE_CALLBACK_URL PAYSTACK_SECRET_KEY STRIPE_SECRET_KEY MUX_TOKEN_ID MUX_TOKEN_SECRET ZEGO_APP_ID
            ZEGO_SERVER_SECRET AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_BUCKET_NAME EMAIL_HOST EMAIL_PORT
            EMAIL_USER EMAIL_PASSWORD FRONTEND_URL MIGRATION_DATABASE_URL
        """

        assert set(contract.split()) - self.documented().keys() == set()

    def test_no_secret_has_a_value(self):
        secret = re.compile(r"SECRET|PASSWORD$|TOKEN_ID|ACCESS_KEY|CLIENT_ID|DATABASE_URL|REDIS_URL")

        assert {name: value for name, value in self.documented().items() if secret.search(name) and value} == {}
