"""What somebody might try on the way by Google: each is refused, and nothing has changed."""

from collections import Counter
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session as DjangoSession

from accounts.models import GoogleCode, Session, User
from accounts.services import google_codes
from accounts.tests.builders import build_user
from accounts.tests.test_races import at_once
from accounts.tests.visitors import ADA, Visitor, fragment_of, query_of

MANY = 32


@pytest.fixture
def visitor(gateways):
    return Visitor(gateways.url)


def nobody_came_in() -> bool:
    return not (
        User.objects.exists()
        or SocialAccount.objects.exists()
        or GoogleCode.objects.exists()
        or Session.objects.exists()
    )


def with_query(address: str, **changes: str) -> str:
    """The address with parameters replaced, or taken away where they are ""."""
    query = {name: value for name, value in (query_of(address) | changes).items() if value}
    return f"{address.partition('?')[0]}?{urlencode(query)}"


@pytest.mark.parametrize("state", ["", "made-up", "' OR 1=1 --", "a" * 10_000, "\x00", "{}"])
def test_a_state_that_is_missing_or_made_up_is_refused(visitor, gateways, state):
    callback = visitor.chooses(visitor.begins())

    assert visitor.returns(with_query(callback, state=state)) == {"error": "google_state_invalid"}

    assert nobody_came_in()
    assert gateways.control.requests(provider="google") == [], "Google is not even asked"


def test_a_way_that_somebody_else_began_is_refused(visitor, gateways):
    attacker = Visitor(gateways.url)
    callback_of_the_attacker = attacker.chooses(attacker.begins())

    assert visitor.returns(callback_of_the_attacker) == {"error": "google_state_invalid"}
    visitor.begins()
    assert visitor.returns(callback_of_the_attacker) == {"error": "google_state_invalid"}

    assert nobody_came_in()


def test_a_callback_works_once(visitor, gateways):
    callback = visitor.chooses(visitor.begins())
    kept = dict(visitor.browser.cookies)
    assert "code" in visitor.returns(callback)

    assert visitor.returns(callback) == {"error": "google_state_invalid"}
    visitor.browser.cookies.update(kept)
    assert visitor.returns(callback) == {"error": "google_state_invalid"}

    assert GoogleCode.objects.count() == 1
    assert not DjangoSession.objects.exists()


@pytest.mark.parametrize("given", [{"code": ""}, {"code": "4/0Amade-up"}, {"code": "", "error": "server_error"}])
def test_a_code_that_google_did_not_give_is_refused(visitor, given):
    callback = visitor.chooses(visitor.begins())

    assert visitor.returns(with_query(callback, **given)) == {"error": "google_refused"}

    assert nobody_came_in()


def test_somebody_elses_code_is_refused_for_its_challenge(visitor, gateways):
    """Code injection: a genuine code of another person's way, with one's own state (RFC 9700, 4.5)."""
    stolen = query_of(Visitor(gateways.url).chooses(Visitor(gateways.url).begins()))["code"]
    own = visitor.chooses(visitor.begins())

    assert visitor.returns(with_query(own, code=stolen)) == {"error": "google_refused"}

    assert nobody_came_in()
    assert gateways.control.requests(provider="google")[-1]["response"]["body"]["error"] == "invalid_grant"


def test_google_sends_nobody_to_an_address_that_is_not_registered(visitor):
    for address in ("https://evil.example/callback", f"{visitor.api}/auth/google/callback/../evil"):
        at_google = with_query(visitor.begins(), redirect_uri=address)
        answer = visitor.browser.post(at_google, data=ADA, allow_redirects=False, timeout=10)
        assert (answer.status_code, "Location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    "address", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_no_parameter_leads_anywhere_else(visitor, settings, address):
    names = ("next", "redirect", "redirect_uri", "redirect_url", "return_to", "continue", "url")
    extra = urlencode(dict.fromkeys(names, address))
    at_google = visitor.begins(f"?{extra}")
    assert "evil" not in at_google
    assert at_google.startswith(settings.GOOGLE_AUTHORIZE_URL)

    for callback in (f"{visitor.chooses(at_google)}&{extra}", f"{visitor.api}/auth/google/callback?{extra}"):
        led = visitor.get(callback).headers["Location"]
        assert led.startswith(f"{settings.FRONTEND_URL}/auth/callback#")
        assert "evil" not in led
        assert "alert" not in led


@pytest.mark.parametrize("error", ["<script>alert(1)</script>", "x\r\nSet-Cookie: a=b", "token_reused", "a" * 5_000])
def test_an_error_that_somebody_writes_into_the_callback_is_not_repeated(visitor, error):
    callback = visitor.chooses(visitor.begins())
    answer = visitor.get(with_query(callback, code="", error=error))

    assert fragment_of(answer.headers["Location"]) == {"error": "google_refused"}
    assert "a=b" not in str(answer.headers)


def test_whoever_cancels_at_google_is_back_without_an_account(visitor):
    callback = visitor.chooses(visitor.begins(), action="deny")

    assert visitor.returns(callback) == {"error": "google_cancelled"}

    assert nobody_came_in()


@pytest.mark.parametrize(
    "lie",
    ["missing", "wrong_issuer", "wrong_audience", "wrong_party", "wrong_nonce", "expired", "without_expiry"],
)
def test_an_id_token_that_is_not_for_this_sign_in_is_refused(visitor, gateways, lie):
    gateways.control.behave(google_id_token=lie)

    assert visitor.comes_by_google() == {"error": "google_refused"}

    assert nobody_came_in()
    gateways.control.behave(google_id_token="genuine")
    assert "code" in visitor.comes_by_google()


@pytest.mark.parametrize(("fault", "error"), [("drop", "google_unavailable"), ("error", "google_refused")])
def test_while_google_is_in_trouble_nobody_comes_in_and_the_web_client_hears_of_it(visitor, gateways, fault, error):
    gateways.control.fault(fault, provider="google", path="/token")

    assert visitor.comes_by_google() == {"error": error}

    assert nobody_came_in()
    assert "code" in visitor.comes_by_google()


def test_names_from_google_are_one_line_of_plain_text(visitor):
    person = ADA | {
        "given_name": "Ada\r\nBcc: everybody@example.com\x00",
        "family_name": '<script>alert("x")</script>' + "o" * 200,
    }

    user = visitor.signs_in(**person).json()["user"]

    assert user["first_name"] == "Ada Bcc: everybody@example.com"
    assert user["last_name"] == ('<script>alert("x")</script>' + "o" * 200)[:100]


def test_somebody_without_a_name_is_called_by_their_address(visitor):
    user = visitor.signs_in(sub=ADA["sub"], email="nameless@example.com").json()["user"]

    assert (user["first_name"], user["last_name"]) == ("nameless", "")


@pytest.mark.parametrize("email", ["ada@example", "a" * 250 + "@example.com", "ada@exämple.com", "a da@example.com"])
def test_an_email_that_no_account_could_have_is_refused(visitor, email):
    assert visitor.comes_by_google(**ADA | {"email": email}) == {"error": "google_refused"}

    assert nobody_came_in()


@pytest.mark.parametrize("sub", ["1" * 192, "1\n2", "１１"])
def test_a_subject_that_is_none_is_refused(visitor, sub):
    assert visitor.comes_by_google(**ADA | {"sub": sub}) == {"error": "google_refused"}

    assert nobody_came_in()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"code": ""}, 400),
        ({"code": 7}, 400),
        ({"code": None}, 400),
        ({"code": ["x"]}, 400),
        ({"code": "x" * 129}, 400),
        ({"code": "x", "code_verifier": "x" * 129}, 400),
        ({"code": "\x00"}, 400),
        ({"code": "x" * 10_000_000}, 413),
        ({"code": "made-up"}, 401),
    ],
)
def test_a_code_that_is_none_is_refused(visitor, body, status):
    build_user()

    answer = visitor.browser.post(f"{visitor.api}/auth/google/exchange", json=body, timeout=20)

    assert answer.status_code == status, answer.text
    assert "refresh_token" not in visitor.browser.cookies
    assert not Session.objects.exists()


def test_a_code_that_was_tampered_with_opens_nothing_and_the_true_one_still_does(visitor):
    code = visitor.comes_by_google()["code"]

    for wrong in (code[:-1], f"{code}=", code.swapcase(), f"{code} x", f"x{code[1:]}x"):
        assert visitor.exchanges(wrong).status_code == 401
    assert visitor.exchanges(code).status_code == 200


def test_a_form_of_another_site_cannot_exchange_a_code(visitor):
    code = visitor.comes_by_google()["code"]
    address = f"{visitor.api}/auth/google/exchange"

    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = requests.post(address, f'{{"code": "{code}"}}', headers={"Content-Type": content_type}, timeout=10)
        assert answer.status_code == 415
    assert not Session.objects.exists()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path",
    [
        *("/accounts/", "/accounts/login/", "/accounts/google/login/", "/accounts/google/login/callback/"),
        *("/accounts/google/login/token/", "/accounts/3rdparty/", "/accounts/signup/", "/_allauth/app/v1/config"),
    ],
)
def test_no_page_of_allauth_is_there(visitor, method, path):
    answer = visitor.browser.request(method, f"{visitor.api}{path}", json={}, timeout=10)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "not_found")


def exchange_at_once(visitor: Visitor, code: str) -> Counter[int]:
    def exchange(_: int) -> Any:
        return Visitor(visitor.api).exchanges(code).status_code

    return Counter(at_once(exchange, times=MANY))


@pytest.mark.race
def test_of_many_exchanges_of_one_code_exactly_one_succeeds(visitor):
    code = visitor.comes_by_google()["code"]

    assert exchange_at_once(visitor, code) == {200: 1, 401: MANY - 1}

    assert Session.objects.count() == 1


@pytest.mark.race
def test_without_the_look_at_who_deleted_it_a_code_would_open_many_sessions(visitor, monkeypatch):
    monkeypatch.setattr(google_codes, "_use_up", lambda row: True)
    code = visitor.comes_by_google()["code"]

    assert exchange_at_once(visitor, code) == {200: MANY}


@pytest.mark.race
def test_somebody_new_in_many_windows_at_once_is_one_person(visitor):
    ways = [Visitor(visitor.api) for _ in range(8)]
    callbacks = [way.chooses(way.begins()) for way in ways]

    found = at_once(lambda number: ways[number].returns(callbacks[number]), times=len(ways))

    assert [set(fragment) for fragment in found] == [{"code"}] * len(ways)
    assert (User.objects.count(), SocialAccount.objects.count(), GoogleCode.objects.count()) == (1, 1, len(ways))


@pytest.mark.race
def test_of_two_google_accounts_that_come_at_once_one_is_linked(visitor):
    build_user(email="ada@example.com", verified=True)
    ways = [Visitor(visitor.api) for _ in range(8)]
    callbacks = [way.chooses(way.begins(), **ADA | {"sub": str(n)}) for n, way in enumerate(ways)]

    found = at_once(lambda number: ways[number].returns(callbacks[number]), times=len(ways))

    assert sorted(fragment.get("error", "code") for fragment in found) == ["code"] + ["google_account_differs"] * 7
    assert SocialAccount.objects.count() == 1
