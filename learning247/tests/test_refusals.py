"""Every refusal is the API's JSON with a request id, whoever says it: REST framework, Django or the server itself."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from rest_framework.test import APIClient

from learning247.urls import handler400, handler403, handler404, handler500
from payments.tests.conftest import free_port
from payments.tests.wire import poll

__all__ = ["handler400", "handler403", "handler404", "handler500"]

ROOT = Path(__file__).parents[2]
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


def is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/health/live", timeout=5).status_code == 200
    except requests.RequestException:
        return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a gunicorn as in production, but for one process."""
    port = free_port()
    place = {"WEB_HOST": "127.0.0.1", "PORT": str(port), "WEB_CONCURRENCY": "1", "DJANGO_ENV": "test"}
    log = (tmp_path_factory.mktemp("web") / "log").open("wb")
    command = [sys.executable, "-m", "gunicorn"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | place, stdout=log, stderr=log)
    assert poll(lambda: is_up(f"http://127.0.0.1:{port}"), seconds=60)
    yield port
    process.terminate()
    process.wait(timeout=20)


def said(port: int, request: bytes) -> tuple[HTTPResponse, dict[str, Any]]:
    """What the server answers to these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(request)
        answer = HTTPResponse(line)
        answer.begin()
        return answer, orjson.loads(answer.read())


POST = b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def in_chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def test_a_body_that_comes_in_chunks_is_read(server: int) -> None:
    answer, body = said(server, CHUNKED + in_chunks(b'{"email": "no', b'ne", "password": ', b'"x"}'))

    assert answer.status == 400
    assert [(error["attr"], error["code"]) for error in body["errors"]] == [("email", "invalid")]


def test_an_empty_one_is_empty(server: int) -> None:
    answer, body = said(server, CHUNKED + in_chunks())

    assert answer.status == 400
    assert {error["code"] for error in body["errors"]} == {"required"}


def test_one_that_is_too_long_in_chunks_is_refused_as_any(server: int) -> None:
    answer, body = said(server, CHUNKED + in_chunks(b'{"email": "', *[b"x" * 65_536] * 20, b'"}'))

    assert (answer.status, body["errors"][0]["code"]) == (413, "request_too_large")


def test_one_without_an_end_is_given_up(server: int) -> None:
    piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    with socket.create_connection(("127.0.0.1", server), timeout=20) as line:
        line.sendall(CHUNKED + piece * 200)  # 13 MB, and no end of it
        answer = HTTPResponse(line)
        answer.begin()
        body = orjson.loads(answer.read())

    assert (answer.status, body["errors"][0]["code"]) == (413, "request_too_large")
    assert body["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "uri_too_long"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 9000 + b"\r\n\r\n", 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: a\r\n" * 150 + b"\r\n", 431, "headers_too_large"),
        (b"\x00\x01 <script>\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nno header\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/9.1\r\nHost: x\r\n\r\n", 400, "bad_request"),
        (POST + b"Content-Length: -5\r\n\r\n", 400, "bad_request"),
        (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "bad_request"),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", 400, "bad_request"),
        (POST + b"Expect: wonders\r\nContent-Length: 2\r\n\r\n{}", 417, "expectation_failed"),
    ],
)
def test_what_the_server_itself_refuses_is_json(server: int, request_bytes: bytes, status: int, code: str) -> None:
    answer, body = said(server, request_bytes)

    assert (answer.status, body["errors"][0]["code"], body["type"]) == (status, code, "client_error")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Connection"] == "close"
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert "script" not in str(body)


def test_the_server_goes_on_after_a_refusal(server: int) -> None:
    said(server, b"nonsense\r\n\r\n")

    assert requests.get(f"http://127.0.0.1:{server}/", timeout=20).status_code == 200


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "bad_request"),
        (b"GET /admin HTTP/1.1\r\nHost: evil_.example/\r\n\r\n", 400, "bad_request"),
        (b"GET /%00%ff HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found"),
        (b"GET /static/none.css HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found"),
        (b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nAccept: text/xml\r\n\r\n", 406, "not_acceptable"),
        (POST + b"Content-Length: 1100000\r\n\r\n" + b" " * 1_100_000, 413, "request_too_large"),
        (POST.replace(b"json", b"xml") + b"Content-Length: 2\r\n\r\n{}", 415, "unsupported_media_type"),
    ],
)
def test_what_the_application_refuses_is_json_and_no_page(
    server: int, request_bytes: bytes, status: int, code: str
) -> None:
    answer, body = said(server, request_bytes)

    assert (answer.status, body["errors"][0]["code"], body["type"]) == (status, code, "client_error")
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Security-Policy"] == API_POLICY
    assert (answer.headers["X-Content-Type-Options"], answer.headers["Cache-Control"]) == ("nosniff", "no-store")


def fails(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("the secret is 42")


urlpatterns = [path("fails", fails)]


def test_an_error_of_ours_is_json_that_says_nothing_of_its_cause(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__

    answer = Client(raise_request_exception=False).get("/fails", headers={"X-Request-ID": "an-id-of-theirs"})

    assert (answer.status_code, answer["Content-Type"]) == (500, "application/json")
    assert answer.json() == {
        "type": "server_error",
        "errors": [{"code": "error", "detail": "Something went wrong on our side.", "attr": None}],
        "request_id": "an-id-of-theirs",
    }


def test_a_form_without_its_token_is_told_what_to_do() -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "ada"})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "csrf_failed")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body", ["a=" + "a" * 1_100_000, "&".join(f"a{number}=" for number in range(1_001))], ids=["long", "many fields"]
)
def test_a_form_that_is_too_large_is_a_413(body: str) -> None:
    answer = APIClient().post("/admin/login/", body, content_type="application/x-www-form-urlencoded")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (413, "request_too_large")


@pytest.mark.django_db
def test_pages_may_run_their_scripts_and_are_framed_by_nobody() -> None:
    for page in ("/api/docs", "/admin/login/"):
        policy = APIClient().get(page)["Content-Security-Policy"]
        assert policy == "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"


class TestOtherOrigins:
    def ask(self, origin: str, **headers: str) -> Any:
        method = {"Access-Control-Request-Method": "POST"}
        return Client().options("/auth/login", headers={"Origin": origin, **method, **headers})

    def test_our_client_may_send_tokens_and_cookies(self, settings: Any) -> None:
        ours = settings.CORS_ALLOWED_ORIGINS[0]

        answer = self.ask(ours, **{"Access-Control-Request-Headers": "authorization,content-type,idempotency-key"})

        assert answer["Access-Control-Allow-Origin"] == ours
        assert answer["Access-Control-Allow-Credentials"] == "true"
        allowed = set(answer["Access-Control-Allow-Headers"].split(", "))
        assert {"authorization", "content-type", "idempotency-key"} <= allowed
        assert "POST" in answer["Access-Control-Allow-Methods"]
        assert "origin" in answer["Vary"].lower()

    @pytest.mark.parametrize("theirs", ["null", "{}.evil.example", "https://evil.example", "{}:1", "*"])
    def test_nobody_else_may(self, settings: Any, theirs: str) -> None:
        answer = self.ask(theirs.format(settings.CORS_ALLOWED_ORIGINS[0]))

        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
