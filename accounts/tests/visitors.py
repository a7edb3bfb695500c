"""Somebody with a browser of their own on the way by Google, one redirect at a time."""

import base64
import secrets
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

TIMEOUT = 20.0
ADA = {"sub": "118000000000000000001", "email": "ada@example.com", "given_name": "Ada", "family_name": "Obi"}


class Visitor:
    """Keeps cookies, as browsers do. `begins`, then `chooses` at Google, then `returns`, then `exchanges`."""

    def __init__(self, api: str) -> None:
        self.api = api
        self.browser = requests.Session()
        self.browser.trust_env = False

    def get(self, address: str) -> requests.Response:
        """Without following where it leads."""
        return self.browser.get(address, allow_redirects=False, timeout=TIMEOUT)

    def begins(self, query: str = "") -> str:
        """The address at Google to which the API leads."""
        answer = self.get(f"{self.api}/auth/google{query}")
        assert answer.status_code == 302, answer.text
        return str(answer.headers["Location"])

    def chooses(self, at_google: str, **person: str) -> str:
        """The address to which Google sends back whoever is chosen there (Ada, or as the form is filled in)."""
        answer = self.browser.post(at_google, data=person or ADA, allow_redirects=False, timeout=TIMEOUT)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"])

    def returns(self, callback: str) -> dict[str, str]:
        """What the API hands to the web client, in the fragment."""
        answer = self.get(callback)
        assert answer.status_code == 302, answer.text
        return fragment_of(answer.headers["Location"])

    def comes_by_google(self, *, query: str = "", **person: str) -> dict[str, str]:
        return self.returns(self.chooses(self.begins(query), **person))

    def exchanges(self, code: str, **more: Any) -> requests.Response:
        body = {"code": code, **more}
        return self.browser.post(f"{self.api}/auth/google/exchange", json=body, timeout=TIMEOUT)

    def signs_in(self, **person: str) -> requests.Response:
        return self.exchanges(self.comes_by_google(**person)["code"])


def fragment_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).fragment))


def query_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def pkce_pair() -> tuple[str, str]:
    """Verifier and S256 challenge."""
    verifier = secrets.token_urlsafe(32)
    return verifier, base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
