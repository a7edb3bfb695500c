"""Signing in with Google over real sockets: our API and the server that stands in for Google."""

from datetime import timedelta
from functools import partial

import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session as DjangoSession
from django.core import mail
from django.db import transaction

from accounts.enums import LinkPurpose
from accounts.models import (
    GoogleCode,
    RecoveryCode,
    SecondFactor,
    SecondFactorTries,
    Session,
    SignInChallenge,
    SingleUseLink,
    User,
)
from accounts.services.recovery_codes import recovery_codes_renew
from accounts.services.sign_in_challenges import challenge_issue
from accounts.services.single_use_links import link_issue
from accounts.tests.builders import PASSWORD, build_admin, build_totp, build_user
from accounts.tests.visitors import ADA, Visitor, pkce_pair, query_of
from accounts.totp import totp_code, totp_step
from learning247.kit.clock import now
from learning247.records.models import AuditEntry, OutboundMail


@pytest.fixture
def visitor(gateways):
    return Visitor(gateways.url)


def code_of(answer: requests.Response) -> str:
    return str(answer.json()["errors"][0]["code"])


def nothing_has_changed() -> bool:
    return not (SocialAccount.objects.exists() or Session.objects.exists() or GoogleCode.objects.exists())


def test_the_way_to_google_carries_state_nonce_and_a_challenge_and_nothing_of_the_query(visitor, settings):
    address = visitor.begins("?next=https://evil.example&scope=drive&auth_params=prompt%3Dnone&process=connect")

    assert address.startswith(f"{settings.GOOGLE_AUTHORIZE_URL}?")
    query = query_of(address)
    assert set(query) == {
        *("client_id", "redirect_uri", "scope", "response_type", "state", "nonce", "prompt"),
        *("code_challenge", "code_challenge_method"),
    }
    assert query["redirect_uri"] == settings.GOOGLE_CALLBACK_URL
    assert (query["response_type"], query["code_challenge_method"], query["prompt"]) == (
        *("code", "S256"),
        "select_account",
    )
    assert sorted(query["scope"].split()) == ["email", "openid", "profile"]


def test_somebody_new_gets_a_verified_account_without_a_password_and_is_signed_in(visitor, settings):
    answer = visitor.get(visitor.chooses(visitor.begins()))
    address, _, fragment = answer.headers["Location"].partition("#")
    assert (answer.status_code, address) == (302, f"{settings.FRONTEND_URL}/auth/callback")
    assert answer.headers["Cache-Control"] == "no-store"

    signed_in = visitor.exchanges(fragment.removeprefix("code="))

    assert signed_in.status_code == 200
    body = signed_in.json()
    assert set(body) == {"user", "access", "refresh"}
    user = body["user"]
    assert (user["email"], user["first_name"], user["last_name"]) == ("ada@example.com", "Ada", "Obi")
    assert (user["email_verified"], user["role"], user["is_creator"]) == (True, "user", False)
    assert not User.objects.get().has_usable_password()
    assert SocialAccount.objects.values_list("provider", "uid").get() == ("google", ADA["sub"])
    assert visitor.browser.cookies["refresh_token"] == body["refresh"]
    assert Session.objects.get().user_agent.startswith("python-requests")
    me = requests.get(f"{visitor.api}/auth/me", headers={"Authorization": f"Bearer {body['access']}"}, timeout=10)
    assert (me.status_code, me.json()["email"]) == (200, "ada@example.com")
    assert visitor.browser.post(f"{visitor.api}/auth/refresh", json={}, timeout=10).status_code == 200
    recorded = AuditEntry.objects.filter(subject_kind="user").order_by("id").values_list("action", flat=True)
    assert list(recorded) == ["user.google_linked", "user.signed_in"]
    assert AuditEntry.objects.filter(action="user.signed_in", after__door="api", after__by="google").count() == 1


def test_coming_again_is_the_same_account_also_with_another_email(visitor):
    first = visitor.signs_in().json()["user"]

    again = Visitor(visitor.api).signs_in(**ADA | {"email": "ada@elsewhere.example", "given_name": "Adah"})

    assert again.json()["user"] == first
    assert (User.objects.count(), SocialAccount.objects.count(), Session.objects.count()) == (1, 1, 2)


def test_a_verified_account_is_linked_and_its_owner_told_once(visitor):
    ada = build_user(email="ada@example.com", verified=True)

    assert visitor.signs_in(**ADA | {"email": "Ada@Example.com"}).json()["user"]["id"] == str(ada.id)
    assert visitor.signs_in().status_code == 200

    told = OutboundMail.objects.get()
    assert (told.to, told.subject) == ("ada@example.com", "You can sign in to Learning247 with Google now")
    assert "/forgot-password" in told.text
    assert "the password from before works no more" in told.text
    assert Session.objects.filter(ended_at=None).count() == 2


def test_whoever_signed_up_with_an_email_before_its_owner_came_by_google_is_out(visitor, run_jobs):
    """The owner, or a scanner of their mails, has opened the link that the stranger's sign-up sent."""
    ask = partial(requests.post, timeout=10)
    known = {"email": "ada@example.com", "password": "the attacker knows"}
    attackers = ask(f"{visitor.api}/auth/register", json=known | {"first_name": "A", "last_name": "B"}).json()
    run_jobs()
    verified = ask(f"{visitor.api}/auth/verify-email", json={"token": _mailed_token()})
    ada = User.objects.get()
    with transaction.atomic():
        challenge_issue(user=ada)
        link_issue(user=ada, purpose=LinkPurpose.PASSWORD_RESET)

    opened = visitor.signs_in()

    assert (verified.status_code, opened.status_code) == (200, 200)
    assert opened.json()["user"]["id"] == attackers["user"]["id"] == str(ada.id)
    theirs = {"Authorization": f"Bearer {attackers['access']}"}
    assert requests.get(f"{visitor.api}/auth/me", headers=theirs, timeout=10).status_code == 401
    assert ask(f"{visitor.api}/auth/refresh", json={"refresh": attackers["refresh"]}).status_code == 401
    assert ask(f"{visitor.api}/auth/login", json=known).status_code == 401
    ada.refresh_from_db()
    assert not ada.has_usable_password()
    assert not SignInChallenge.objects.exists() and not SingleUseLink.objects.exists()
    entry = AuditEntry.objects.get(action="user.password_removed")
    assert (entry.actor, (entry.after or {})["sessions_ended"]) == (ada, 1)

    ask(f"{visitor.api}/auth/forgot-password", json={"email": "ada@example.com"})
    run_jobs()
    own = {"token": _mailed_token(), "password": "only Ada knows this"}
    assert ask(f"{visitor.api}/auth/reset-password", json=own).status_code == 200
    assert visitor.signs_in().status_code == 200
    by_password = {"email": "ada@example.com", "password": "only Ada knows this"}
    assert ask(f"{visitor.api}/auth/login", json=by_password).status_code == 200


def test_a_second_factor_that_a_stranger_set_up_does_not_keep_the_owner_out(visitor):
    ada = build_user(email="ada@example.com", verified=True)
    attackers = build_totp(ada)
    with transaction.atomic():
        codes = recovery_codes_renew(user=ada)
        challenge, _ = challenge_issue(user=ada)
    SecondFactorTries.objects.create(user=ada, known=False, wrong=7)

    opened = visitor.signs_in()

    assert (opened.status_code, opened.json()["user"]["id"]) == (200, str(ada.id))
    assert not SecondFactor.objects.exists() and not RecoveryCode.objects.exists()
    assert not SecondFactorTries.objects.exists()
    for code in (totp_code(secret=attackers, step=totp_step(now())), codes[0]):
        known = {"challenge": challenge, "code": code}
        refused = requests.post(f"{visitor.api}/auth/login/second-factor", json=known, timeout=10)
        assert (refused.status_code, code_of(refused)) == (401, "challenge_invalid")
    entry = AuditEntry.objects.get(action="user.password_removed")
    assert (entry.after or {})["second_factor_ended"] is True
    assert "The second factor from before is off" in OutboundMail.objects.get().text


def test_a_second_factor_that_was_only_begun_goes_too(visitor):
    ada = build_user(email="ada@example.com", verified=True)
    build_totp(ada)
    SecondFactor.objects.update(confirmed_at=None)

    assert visitor.signs_in().status_code == 200

    assert not SecondFactor.objects.exists()
    assert (AuditEntry.objects.get(action="user.password_removed").after or {})["second_factor_ended"] is False
    assert "second factor" not in OutboundMail.objects.get().text


def test_an_account_that_nobody_verified_is_not_taken_over_and_a_mailed_link_settles_it(visitor, run_jobs):
    attackers = requests.post(
        f"{visitor.api}/auth/register",
        json={"email": "ada@example.com", "password": "the attacker knows", "first_name": "A", "last_name": "B"},
        timeout=10,
    ).json()

    assert visitor.comes_by_google() == {"error": "google_email_unproven"}

    assert not SocialAccount.objects.exists()
    assert not User.objects.get().email_verified
    assert AuditEntry.objects.filter(action="user.sign_in_refused", after__door="google").count() == 1

    requests.post(f"{visitor.api}/auth/forgot-password", json={"email": "ada@example.com"}, timeout=10)
    run_jobs()
    token = _mailed_token()
    reset = requests.post(
        f"{visitor.api}/auth/reset-password", json={"token": token, "password": "only Ada knows this"}, timeout=10
    )
    assert reset.status_code == 200
    assert visitor.signs_in().json()["user"]["id"] == attackers["user"]["id"]
    stale = {"refresh": attackers["refresh"]}
    assert requests.post(f"{visitor.api}/auth/refresh", json=stale, timeout=10).status_code == 401
    known = {"email": "ada@example.com", "password": "the attacker knows"}
    assert requests.post(f"{visitor.api}/auth/login", json=known, timeout=10).status_code == 401


def _mailed_token() -> str:
    """Of the last mail that was sent; a body with a link is kept nowhere else."""
    return str(mail.outbox[-1].body).partition("#token=")[2].split()[0]


def test_an_email_that_google_has_not_verified_is_refused(visitor):
    assert visitor.comes_by_google(**ADA, unverified="yes") == {"error": "google_email_not_verified"}

    assert nothing_has_changed()
    assert not User.objects.exists()


def test_the_password_door_does_not_take_an_account_that_google_made(visitor):
    visitor.signs_in()

    taken = requests.post(
        f"{visitor.api}/auth/register",
        json={"email": "ada@example.com", "password": PASSWORD, "first_name": "A", "last_name": "B"},
        timeout=10,
    )
    assert (taken.status_code, code_of(taken)) == (400, "email_taken")
    for password in ("", "!", PASSWORD):
        tried = {"email": "ada@example.com", "password": password}
        assert requests.post(f"{visitor.api}/auth/login", json=tried, timeout=10).status_code in {400, 401}
    assert Session.objects.count() == 1


def test_a_second_google_account_with_the_same_email_is_refused(visitor):
    visitor.signs_in()

    other = Visitor(visitor.api).comes_by_google(**ADA | {"sub": "118000000000000000002"})

    assert other == {"error": "google_account_differs"}
    assert SocialAccount.objects.get().uid == ADA["sub"]
    assert not GoogleCode.objects.exists()


@pytest.mark.parametrize("linked", [True, False])
def test_a_disabled_account_is_refused_and_not_linked(visitor, linked):
    ada = build_user(email="ada@example.com", verified=True)
    if linked:
        visitor.signs_in()
        Session.objects.all().delete()
    User.objects.filter(id=ada.id).update(is_active=False)

    assert visitor.comes_by_google() == {"error": "account_disabled"}

    assert SocialAccount.objects.count() == int(linked)
    assert not Session.objects.exists()
    assert not GoogleCode.objects.exists()


def test_a_code_is_worth_nothing_once_the_account_is_disabled_or_its_password_replaced(visitor, run_jobs):
    code = visitor.comes_by_google()["code"]
    User.objects.update(is_active=False)
    assert code_of(visitor.exchanges(code)) == "google_code_invalid"

    User.objects.update(is_active=True)
    code = visitor.comes_by_google()["code"]
    requests.post(f"{visitor.api}/auth/forgot-password", json={"email": "ada@example.com"}, timeout=10)
    run_jobs()
    body = {"token": _mailed_token(), "password": "only Ada knows this"}
    assert requests.post(f"{visitor.api}/auth/reset-password", json=body, timeout=10).status_code == 200
    assert code_of(visitor.exchanges(code)) == "google_code_invalid"
    assert not Session.objects.exists()


def test_a_code_opens_one_session_and_none_after_a_minute(visitor):
    code = visitor.comes_by_google()["code"]
    assert visitor.exchanges(code).status_code == 200

    again = Visitor(visitor.api).exchanges(code)
    assert (again.status_code, code_of(again)) == (401, "google_code_invalid")
    assert again.headers["WWW-Authenticate"] == 'Bearer realm="api"'

    late = visitor.comes_by_google()["code"]
    expiry = GoogleCode.objects.get().expires_at
    assert timedelta(seconds=50) < expiry - now() <= timedelta(seconds=60)
    GoogleCode.objects.update(expires_at=now())
    assert code_of(visitor.exchanges(late)) == "google_code_invalid"
    assert Session.objects.count() == 1


def test_codes_are_not_stored(visitor):
    code = visitor.comes_by_google()["code"]

    row = GoogleCode.objects.values().get()
    assert code not in str(row)
    assert len(row["digest"]) == 64


def test_google_leaves_nobody_signed_in_to_the_console_and_nothing_in_the_browser(visitor):
    admin = build_admin(email="ada@example.com")

    assert visitor.signs_in().json()["user"]["id"] == str(admin.id)

    console = visitor.get(f"{visitor.api}/admin/")
    assert console.status_code == 302
    assert console.headers["Location"].startswith("/admin/login")
    assert "sessionid" not in visitor.browser.cookies
    assert not DjangoSession.objects.exists()


def test_who_is_signed_in_to_the_console_stays_so(visitor, client):
    staff = build_admin()
    client.force_login(staff)
    visitor.browser.cookies.set("sessionid", client.cookies["sessionid"].value)

    assert visitor.signs_in().json()["user"]["email"] == "ada@example.com"

    assert visitor.get(f"{visitor.api}/admin/").status_code == 200
    assert DjangoSession.objects.count() == 1


def test_a_way_that_nobody_goes_to_its_end_is_forgotten_in_ten_minutes(visitor):
    visitor.begins()

    assert "HttpOnly" in str(visitor.get(f"{visitor.api}/auth/google").headers["Set-Cookie"])
    left = DjangoSession.objects.get()
    assert left.expire_date - now() <= timedelta(minutes=10)


def test_a_challenge_binds_the_code_to_the_client_that_began(visitor):
    verifier, challenge = pkce_pair()

    def fresh() -> str:
        return str(visitor.comes_by_google(query=f"?code_challenge={challenge}")["code"])

    assert visitor.exchanges(fresh(), code_verifier=verifier).status_code == 200
    for wrong in ({}, {"code_verifier": pkce_pair()[0]}, {"code_verifier": challenge}):
        assert code_of(visitor.exchanges(fresh(), **wrong)) == "google_code_invalid", wrong
    unbound = visitor.comes_by_google()["code"]
    assert code_of(visitor.exchanges(unbound, code_verifier=verifier)) == "google_code_invalid"
    assert Session.objects.count() == 1


def test_a_wrong_verifier_uses_the_code_up(visitor):
    verifier, challenge = pkce_pair()
    code = visitor.comes_by_google(query=f"?code_challenge={challenge}")["code"]

    assert visitor.exchanges(code, code_verifier="guessed").status_code == 401
    assert visitor.exchanges(code, code_verifier=verifier).status_code == 401
    assert not Session.objects.exists()


@pytest.mark.parametrize("challenge", ["short", "=" * 43, "a" * 44, "a" * 42 + "%0A"])
def test_a_challenge_that_is_none_is_refused_before_anything_begins(visitor, challenge):
    answer = visitor.get(f"{visitor.api}/auth/google?code_challenge={challenge}")

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "code_challenge")
    assert not DjangoSession.objects.exists()


def test_without_a_client_there_is_no_google_sign_in(visitor, settings):
    settings.GOOGLE_CLIENT_ID = ""

    begun = visitor.get(f"{visitor.api}/auth/google")
    assert (begun.status_code, code_of(begun)) == (404, "google_not_configured")
    assert visitor.returns(f"{visitor.api}/auth/google/callback?state=x&code=y") == {"error": "google_not_configured"}
    assert code_of(visitor.exchanges("whatever")) == "google_code_invalid"


def test_google_does_not_stand_in_for_the_second_factor(visitor):
    ada = build_user(email="ada@example.com", verified=True)
    visitor.signs_in()
    Session.objects.all().delete()
    visitor = Visitor(visitor.api)
    secret = build_totp(ada)
    code = visitor.comes_by_google()["code"]

    asked = visitor.exchanges(code)

    assert (asked.status_code, code_of(asked)) == (401, "second_factor_required")
    assert "refresh_token" not in visitor.browser.cookies
    assert not Session.objects.exists()
    assert code_of(visitor.exchanges(code)) == "google_code_invalid"
    answer = {
        "challenge": asked.json()["extra"]["challenge"],
        "code": totp_code(secret=secret, step=totp_step(now())),
    }
    finished = requests.post(f"{visitor.api}/auth/login/second-factor", json=answer, timeout=10)
    assert (finished.status_code, finished.json()["user"]["id"]) == (200, str(ada.id))
