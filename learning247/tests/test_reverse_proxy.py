"""Behind a reverse proxy, over sockets: whoever is limited and recorded is the client, whatever it says of itself."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from accounts.models import Session
from accounts.tests.builders import PASSWORD, build_user
from learning247.settings import ratelimits as rates

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="all of 127.0.0.0/8 is the machine's own on Linux alone"
)

PROXY, ADA, EVE = "127.0.0.1", "127.0.0.2", "127.0.0.3"
Ask = Callable[..., HTTPResponse]


@contextmanager
def reverse_proxy(upstream: int) -> Iterator[int]:
    """Hands on what comes in, and appends the peer's address as nginx does (`$proxy_add_x_forwarded_for`). Its port."""

    class HandOn(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name: value for name, value in self.headers.items() if name != "X-Forwarded-For"}
            said = self.headers.get_all("X-Forwarded-For", [])
            headers["X-Forwarded-For"] = ", ".join([*said, str(self.client_address[0])])
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            onward = HTTPConnection("127.0.0.1", upstream, timeout=30, source_address=(PROXY, 0))
            onward.request(self.command, self.path, body=body, headers=headers)
            answer = onward.getresponse()
            content = answer.read()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            onward.close()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer((PROXY, 0), HandOn) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            serving.join()


@pytest.fixture
def through(api_server: str, settings: Any) -> Iterator[Callable[..., Ask]]:
    """`through(2)`: somebody who asks through so many proxies, from an address of their own."""
    settings.RATELIMIT_ENABLE = True
    settings.RATELIMIT_RATES = dict.fromkeys(rates.DEFAULTS, "9999/1d") | {"general": "2/1d", "sign_in_account": "2/1d"}
    settings.TRUSTED_PROXIES = [f"{PROXY}/32"]
    with ExitStack() as proxies:

        def build(number: int = 1) -> Ask:
            port = urlsplit(api_server).port
            assert port is not None
            for _ in range(number):
                port = proxies.enter_context(reverse_proxy(port))

            def ask(client: str, path: str = "/", *, body: Any = None, forged: str = "") -> HTTPResponse:
                line = HTTPConnection(PROXY, port, timeout=30, source_address=(client, 0))
                headers = {"Content-Type": "application/json"} | ({"X-Forwarded-For": forged} if forged else {})
                line.request("POST" if body else "GET", path, body=json.dumps(body) if body else None, headers=headers)
                answer = line.getresponse()
                answer.read()
                line.close()
                return answer

            return ask

        yield build


@pytest.mark.parametrize("number", [1, 2])
def test_the_client_is_limited_and_nobody_beside_it(through: Callable[..., Ask], number: int) -> None:
    ask = through(number)

    assert [ask(ADA).status for _ in range(3)] == [200, 200, 429]
    assert [ask(EVE).status for _ in range(3)] == [200, 200, 429]


def test_what_a_client_says_of_itself_brings_it_no_other_limit(through: Callable[..., Ask]) -> None:
    ask = through()

    assert [ask(EVE, forged=f"203.0.113.{number}").status for number in range(3)] == [200, 200, 429]
    assert ask(EVE, forged=f"203.0.113.9, {PROXY}").status == 429
    assert ask(ADA, forged=EVE).status == 200


def test_where_the_proxy_is_not_trusted_all_behind_it_are_one(through: Callable[..., Ask], settings: Any) -> None:
    settings.TRUSTED_PROXIES = []
    ask = through()

    assert [ask(ADA).status, ask(EVE).status, ask(ADA).status] == [200, 200, 429]


def test_sessions_and_tries_are_the_clients(through: Callable[..., Ask]) -> None:
    ask = through()
    email = build_user().email
    right, wrong = {"email": email, "password": PASSWORD}, {"email": email, "password": "wrong horse battery"}

    assert [ask(EVE, "/auth/login", body=wrong, forged=ADA).status for _ in range(3)] == [401, 401, 429]
    assert ask(ADA, "/auth/login", body=right, forged="203.0.113.7").status == 200

    assert Session.objects.get().ip == ADA
