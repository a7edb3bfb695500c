"""The stand-in for Google, as an OpenID Connect client meets it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
import requests
from cryptography.x509 import load_pem_x509_certificate

from learning247.sandbox.google.people import KNOWN
from learning247.sandbox.server import Sandbox

VERIFIER = "a verifier that nobody else has, forty-three or more"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def discovery(sandbox: Sandbox) -> Any:
    return requests.get(f"{sandbox.google_url}/.well-known/openid-configuration", timeout=10).json()


def consent(sandbox: Sandbox, **changes: str) -> requests.Response:
    asked = {
        "client_id": sandbox.config.google_client_id,
        "redirect_uri": sandbox.config.google_redirect_uris[0],
        "response_type": "code",
        "scope": "openid email profile",
        "state": "the state",
        "nonce": "the nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    address = f"{discovery(sandbox)['authorization_endpoint']}?{urlencode(asked)}"
    return requests.post(address, data={"sub": KNOWN[0]["sub"]}, allow_redirects=False, timeout=10)


def code_for(sandbox: Sandbox) -> str:
    sent_to = consent(sandbox).headers["Location"]
    query = dict(parse_qsl(urlsplit(sent_to).query))
    assert query["state"] == "the state"
    return query["code"]


def trade(sandbox: Sandbox, code: str, /, **changes: str) -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": sandbox.config.google_client_id,
        "client_secret": sandbox.config.google_client_secret,
        "redirect_uri": sandbox.config.google_redirect_uris[0],
        "code_verifier": VERIFIER,
    } | changes
    return requests.post(discovery(sandbox)["token_endpoint"], data=form, timeout=10)


def test_the_id_token_is_signed_by_the_published_key_in_both_of_its_forms(sandbox: Sandbox) -> None:
    answer = trade(sandbox, code_for(sandbox)).json()

    published = discovery(sandbox)
    key = jwt.PyJWKClient(published["jwks_uri"]).get_signing_key_from_jwt(answer["id_token"])
    certificates = requests.get(f"{sandbox.google_url}/oauth2/v1/certs", timeout=10).json()
    certificate = load_pem_x509_certificate(certificates[jwt.get_unverified_header(answer["id_token"])["kid"]].encode())
    keys: list[Any] = [key, certificate.public_key()]
    for public in keys:
        claims = jwt.decode(
            answer["id_token"],
            public,
            algorithms=["RS256"],
            audience=sandbox.config.google_client_id,
            issuer=published["issuer"],
        )
        assert (claims["sub"], claims["email"], claims["email_verified"]) == (KNOWN[0]["sub"], KNOWN[0]["email"], True)
        assert (claims["nonce"], claims["exp"] - claims["iat"]) == ("the nonce", 3600)


def test_the_access_token_tells_who_it_is(sandbox: Sandbox) -> None:
    token = trade(sandbox, code_for(sandbox)).json()["access_token"]
    address = discovery(sandbox)["userinfo_endpoint"]

    answer = requests.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert (answer.json()["id"], answer.json()["verified_email"]) == (KNOWN[0]["sub"], True)
    assert requests.get(address, headers={"Authorization": "Bearer other"}, timeout=10).status_code == 401


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_id": "other"}, 401, "invalid_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"code": "4/0Amade-up"}, 400, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:1/other"}, 400, "redirect_uri_mismatch"),
        ({"code_verifier": "another"}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_grant"),
    ],
)
def test_a_request_for_tokens_that_is_not_right_is_refused(
    sandbox: Sandbox, changes: dict[str, str], status: int, error: str
) -> None:
    answer = trade(sandbox, code_for(sandbox), **changes)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_code_works_once_and_for_ten_minutes(sandbox: Sandbox) -> None:
    code, late = code_for(sandbox), code_for(sandbox)
    assert trade(sandbox, code).status_code == 200
    assert trade(sandbox, code).json()["error"] == "invalid_grant"
    sandbox.control.advance(601)
    assert trade(sandbox, late).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [{"client_id": "other"}, {"redirect_uri": "https://evil.example"}, {"response_type": "token"}, {"scope": ""}],
)
def test_what_is_asked_wrongly_is_said_on_a_page_and_sent_nowhere(sandbox: Sandbox, changes: dict[str, str]) -> None:
    answer = consent(sandbox, **changes)

    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert "Access blocked" in answer.text


def test_what_people_typed_is_escaped(sandbox: Sandbox) -> None:
    asked = consent(sandbox).request.url or ""
    hostile = {"email": "<b>@example.com", "given_name": "<script>alert(1)</script>"}
    requests.post(asked, data=hostile, allow_redirects=False, timeout=10)

    page = requests.get(asked, timeout=10).text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
