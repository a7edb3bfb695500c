"""Signing up, in, out, and staying signed in, over the API."""

import base64
import json
import re
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from django.db.models import F
from rest_framework.test import APIClient

from accounts.models import Session, User
from accounts.services import verification
from accounts.services.sessions import session_open
from accounts.tests.builders import PASSWORD, build_user, sign_in
from learning247.kit.clock import now
from learning247.records.models import OutboundMail

pytestmark = pytest.mark.django_db

ADA = {"email": "ada@example.com", "password": PASSWORD, "first_name": "Ada", "last_name": "Obi"}
USER_FIELDS = [
    "id",
    "email",
    "first_name",
    "last_name",
    "role",
    "is_creator",
    "email_verified",
    "phone",
    "country",
    "bio",
    "avatar_url",
    "created_at",
]


@pytest.fixture
def client() -> APIClient:
    return APIClient()


def refusal(response: Any) -> tuple[int, str, str | None]:
    """(status, code, attr) of an answer whose envelope holds exactly one error and the request's id."""
    body = response.json()
    assert body["request_id"] == response["X-Request-ID"]
    (error,) = body["errors"]
    return response.status_code, error["code"], error["attr"]


def decoded(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def refresh(client: APIClient, token: str) -> Any:
    return client.post("/auth/refresh", {"refresh": token}, format="json")


class TestRegister:
    def test_makes_the_account_and_signs_it_in(self, client):
        response = client.post("/auth/register", ADA, format="json")

        assert response.status_code == 201
        body = response.json()
        assert list(body) == ["access", "refresh", "user"]
        assert list(body["user"]) == USER_FIELDS
        ada = User.objects.get()
        assert body["user"] == {
            "id": str(ada.id),
            "email": "ada@example.com",
            "first_name": "Ada",
            "last_name": "Obi",
            "role": "user",
            "is_creator": False,
            "email_verified": False,
            "phone": "",
            "country": "",
            "bio": "",
            "avatar_url": "",
            "created_at": ada.created_at.isoformat().replace("+00:00", "Z"),
        }
        assert response["Cache-Control"] == "no-store"
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {body['access']}")
        assert client.get("/auth/me").json() == body["user"]

    def test_stores_the_email_in_lower_case_and_the_password_hashed(self, client):
        client.post("/auth/register", ADA | {"email": "  Ada@Example.COM "}, format="json")

        ada = User.objects.get()
        assert ada.email == "ada@example.com"
        assert ada.password.startswith("bcrypt_sha256$")

    def test_mails_a_link_that_verifies_the_email(self, client):
        client.post("/auth/register", ADA, format="json")

        mail = OutboundMail.objects.get()
        assert (mail.to, mail.subject) == ("ada@example.com", "Verify your email for Learning247")
        text, html = mail.body()
        link = next(line for line in text.splitlines() if line.startswith("http"))
        address, token = link.split("#token=")
        assert address == f"{settings.FRONTEND_URL}/verify-email"
        assert link in html
        response = client.post("/auth/verify-email", {"token": token}, format="json")
        assert (response.status_code, response.json()) == (200, {"email_verified": True})
        assert User.objects.get().email_verified

    def test_nobody_has_us_mail_their_text_to_an_address_that_is_not_proved_to_be_theirs(self, client):
        client.post("/auth/register", ADA | {"first_name": "You won! See http://x.example"}, format="json")

        text, html = OutboundMail.objects.get().body()
        assert text.startswith("Welcome to Learning247\n")
        assert "x.example" not in text + html

    def test_a_taken_email_is_refused_in_any_case(self, client):
        build_user(email="ada@example.com")

        response = client.post("/auth/register", ADA | {"email": "ADA@example.com"}, format="json")

        assert refusal(response) == (400, "email_taken", "email")
        assert (User.objects.count(), OutboundMail.objects.count(), Session.objects.count()) == (1, 0, 0)

    @pytest.mark.parametrize(
        ("password", "reasons"),
        [
            ("short", ["password_too_short"]),
            ("1234567890", ["password_too_common", "password_entirely_numeric"]),
            ("ada@example.com", ["password_too_similar"]),
        ],
    )
    def test_a_weak_password_is_refused_with_every_reason(self, client, password, reasons):
        response = client.post("/auth/register", ADA | {"password": password}, format="json")

        assert refusal(response) == (400, "password_too_weak", "password")
        assert [reason["code"] for reason in response.json()["extra"]["reasons"]] == reasons
        assert User.objects.count() == 0

    @pytest.mark.parametrize(
        ("field", "value", "code"),
        [
            ("email", None, "null"),
            ("email", "", "blank"),
            ("email", "no address", "invalid"),
            ("email", 5, "invalid"),
            ("email", ["ada@example.com"], "invalid"),
            ("email", "a" * 250 + "@example.com", "max_length"),
            ("email", "ada@İstanbul.example", "not_ascii"),
            ("password", 12345678901234, "invalid"),
            ("password", {"$ne": ""}, "invalid"),
            ("password", "x" * 257, "max_length"),
            ("first_name", "Ada\r\nBcc: everyone@example.com", "not_one_line"),
            ("first_name", True, "invalid"),
            ("last_name", " ", "blank"),
            ("last_name", "x" * 101, "max_length"),
        ],
    )
    def test_a_field_of_the_wrong_kind_is_named_and_changes_nothing(self, client, field, value, code):
        response = client.post("/auth/register", ADA | {field: value}, format="json")

        assert (response.status_code, response.json()["type"]) == (400, "validation_error")
        assert refusal(response) == (400, code, field)
        assert User.objects.count() == 0

    def test_every_missing_field_is_named(self, client):
        response = client.post("/auth/register", {}, format="json")

        assert response.status_code == 400
        assert [(error["attr"], error["code"]) for error in response.json()["errors"]] == [
            ("email", "required"),
            ("password", "required"),
            ("first_name", "required"),
            ("last_name", "required"),
        ]

    @pytest.mark.parametrize(
        "body",
        [
            b'{"email": "ada\\u0000@example.com"}',
            b"{",
            b'"text"',
            b"[]",
            b"null",
            b'{"email": "\xff"}',
            b'{"first_name": "\\ud800"}',
            b"[" * 5_000,
        ],
    )
    def test_a_body_that_is_no_json_object_is_refused(self, client, body):
        response = client.post("/auth/register", body, content_type="application/json")

        assert response.status_code == 400
        assert response.json()["request_id"] == response["X-Request-ID"]
        assert User.objects.count() == 0

    def test_a_form_is_refused(self, client):
        response = client.post("/auth/register", "email=ada", content_type="application/x-www-form-urlencoded")

        assert refusal(response) == (415, "unsupported_media_type", None)

    def test_a_password_of_ten_megabytes_never_reaches_the_hasher(self, client, monkeypatch):
        monkeypatch.setattr(BCryptSHA256PasswordHasher, "encode", lambda *_: pytest.fail("hashed"))

        response = client.post("/auth/register", ADA | {"password": "x" * 10_000_000}, format="json")

        assert response.status_code in (400, 413)
        assert User.objects.count() == 0

    def test_names_and_passwords_may_be_written_in_any_script(self, client):
        password = "密码很长很长很长很长 ✓"
        response = client.post("/auth/register", ADA | {"first_name": "Ọláyínká", "password": password}, format="json")

        assert response.json()["user"]["first_name"] == "Ọláyínká"
        assert authenticate(username="ada@example.com", password=password) == User.objects.get()

    def test_nobody_registers_as_staff(self, client):
        claims = {"role": "admin", "is_staff": True, "is_superuser": True, "email_verified": True, "is_creator": True}

        response = client.post("/auth/register", ADA | claims, format="json")

        assert response.status_code == 201
        ada = User.objects.get()
        assert (ada.role, ada.is_staff, ada.is_superuser, ada.email_verified, ada.is_creator) == (
            "user",
            False,
            False,
            False,
            False,
        )


class TestLogin:
    def test_signs_in_whatever_the_case_of_the_email(self, client):
        user = build_user(email="ada@example.com")

        response = client.post("/auth/login", {"email": "ADA@Example.com", "password": PASSWORD}, format="json")

        assert response.status_code == 200
        assert response.json()["user"]["id"] == str(user.id)
        assert Session.objects.get().user == user

    @pytest.mark.parametrize(
        ("email", "password"), [("ada@example.com", "wrong horse battery"), ("nobody@example.com", PASSWORD)]
    )
    def test_wrong_password_and_unknown_email_get_the_same_answer_after_the_same_work(
        self, client, monkeypatch, email, password
    ):
        build_user(email="ada@example.com")
        hashed: list[str] = []
        encode = BCryptSHA256PasswordHasher.encode

        def counting_encode(hasher, password, salt):
            hashed.append(password)
            return encode(hasher, password, salt)

        monkeypatch.setattr(BCryptSHA256PasswordHasher, "encode", counting_encode)

        response = client.post("/auth/login", {"email": email, "password": password}, format="json")

        assert refusal(response) == (401, "invalid_credentials", None)
        assert response.json()["errors"][0]["detail"] == "This email and password do not match an account."
        assert hashed == [password]
        assert Session.objects.count() == 0
        assert settings.REFRESH_COOKIE_NAME not in response.cookies

    def test_a_disabled_account_gets_no_other_answer(self, client):
        build_user(email="ada@example.com", is_active=False)

        response = client.post("/auth/login", {"email": "ada@example.com", "password": PASSWORD}, format="json")

        assert refusal(response) == (401, "invalid_credentials", None)
        assert Session.objects.count() == 0

    def test_a_password_counts_beyond_72_bytes(self, client):
        build_user(email="ada@example.com", password="a" * 80 + "right")

        response = client.post(
            "/auth/login", {"email": "ada@example.com", "password": "a" * 80 + "wrong"}, format="json"
        )

        assert refusal(response) == (401, "invalid_credentials", None)

    def test_an_expired_access_token_in_the_header_does_not_keep_anybody_out(self, client):
        build_user(email="ada@example.com")
        client.credentials(HTTP_AUTHORIZATION="Bearer stale.stale.stale")

        response = client.post("/auth/login", {"email": "ada@example.com", "password": PASSWORD}, format="json")

        assert response.status_code == 200

    def test_the_refresh_token_is_also_a_cookie_that_scripts_and_other_paths_never_see(self, client, settings):
        settings.REFRESH_COOKIE_SECURE = True
        build_user(email="ada@example.com")

        response = client.post("/auth/login", {"email": "ada@example.com", "password": PASSWORD}, format="json")

        cookie = response.cookies["refresh_token"]
        assert cookie.value == response.json()["refresh"]
        assert (cookie["path"], cookie["httponly"], cookie["secure"], cookie["samesite"], cookie["max-age"]) == (
            "/auth",
            True,
            True,
            "Lax",
            30 * 24 * 3600,
        )


class TestRefresh:
    def test_trades_the_token_for_a_new_pair(self, client):
        signed_in = session_open(build_user())

        response = refresh(client, signed_in.refresh)

        assert response.status_code == 200
        body = response.json()
        assert list(body) == ["access", "refresh"]
        assert body["refresh"] != signed_in.refresh
        assert response.cookies["refresh_token"].value == body["refresh"]
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {body['access']}")
        assert client.get("/auth/me").status_code == 200
        assert refresh(client, body["refresh"]).status_code == 200

    def test_a_used_token_ends_its_session_and_no_other(self, client):
        user = build_user()
        phone, laptop = session_open(user), session_open(user)
        renewed = refresh(client, phone.refresh).json()
        client.cookies.clear()

        response = refresh(client, phone.refresh)

        assert refusal(response) == (401, "token_reused", None)
        assert Session.objects.filter(ended_at__isnull=False).values_list("end_reason", flat=True)[0] == "token_reused"
        assert refusal(refresh(client, renewed["refresh"])) == (401, "token_not_valid", None)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {renewed['access']}")
        assert refusal(client.get("/auth/me")) == (401, "token_not_valid", None)
        client.credentials()
        assert refresh(client, laptop.refresh).status_code == 200

    def test_takes_the_cookie_where_the_body_has_no_token(self, client):
        signed_in = session_open(build_user())
        client.cookies["refresh_token"] = signed_in.refresh

        response = client.post("/auth/refresh", {}, format="json")

        assert response.status_code == 200
        assert client.cookies["refresh_token"].value == response.json()["refresh"]

    @pytest.mark.parametrize("content_type", ["", "text/plain"])
    def test_a_cookie_counts_only_with_a_json_request_which_a_foreign_page_cannot_send(self, client, content_type):
        signed_in = session_open(build_user())
        client.cookies["refresh_token"] = signed_in.refresh

        response = client.generic("POST", "/auth/refresh", b"", content_type=content_type)

        assert refusal(response) == (415, "unsupported_media_type", None)
        assert refresh(client, signed_in.refresh).status_code == 200

    def test_without_a_token_at_all_the_answer_is_sign_in_first(self, client):
        assert refusal(client.post("/auth/refresh", {}, format="json")) == (401, "not_authenticated", None)

    def test_a_disabled_persons_token_is_refused(self, client):
        signed_in = session_open(build_user())
        User.objects.update(is_active=False)

        assert refusal(refresh(client, signed_in.refresh)) == (401, "token_not_valid", None)

    def test_an_access_token_refreshes_nothing(self, client):
        assert refusal(refresh(client, session_open(build_user()).access)) == (401, "token_not_valid", None)

    @pytest.mark.parametrize("token", ["x", "a.b.c", "ü.ü.ü", "..", "e30.e30.e30", "x" * 4_000])
    def test_what_is_no_token_is_refused(self, client, token):
        assert refusal(refresh(client, token)) == (401, "token_not_valid", None)

    def test_an_expired_token_is_refused(self, client):
        signed_in = session_open(build_user())
        claims = decoded(signed_in.refresh)
        expired = jwt.encode(claims | {"exp": claims["iat"] - 1}, settings.SIMPLE_JWT["SIGNING_KEY"], algorithm="HS256")

        assert refusal(refresh(client, expired)) == (401, "token_not_valid", None)
        assert refresh(client, signed_in.refresh).status_code == 200


class TestLogout:
    def test_ends_the_session_and_its_access_token(self, client):
        signed_in = sign_in(client, build_user())
        assert client.get("/auth/me").status_code == 200

        response = client.post("/auth/logout", {"refresh": signed_in.refresh}, format="json")

        assert (response.status_code, response.content) == (204, b"")
        assert response.cookies["refresh_token"]["max-age"] == 0
        assert response.cookies["refresh_token"]["path"] == "/auth"
        assert refusal(client.get("/auth/me")) == (401, "token_not_valid", None)
        assert refusal(refresh(client, signed_in.refresh)) == (401, "token_not_valid", None)

    def test_twice_is_as_good_as_once(self, client):
        signed_in = session_open(build_user())

        statuses = [
            client.post("/auth/logout", {"refresh": signed_in.refresh}, format="json").status_code for _ in range(2)
        ]

        assert statuses == [204, 204]

    def test_what_is_no_token_signs_nobody_out(self, client):
        session_open(build_user())

        response = client.post("/auth/logout", {"refresh": "nonsense"}, format="json")

        assert refusal(response) == (401, "token_not_valid", None)
        assert Session.objects.get().ended_at is None


def _unsigned(claims: dict[str, Any]) -> str:
    header = {"alg": "none", "typ": "JWT"}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, ""])


class TestAccessTokens:
    def test_without_one_the_answer_is_401_with_a_challenge(self, client):
        response = client.get("/auth/me")

        assert refusal(response) == (401, "not_authenticated", None)
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'

    @pytest.mark.parametrize(
        "forge",
        [
            lambda claims: jwt.encode(claims, "somebody else's key, long enough for HS256", algorithm="HS256"),
            lambda claims: jwt.encode(claims, settings.SIMPLE_JWT["SIGNING_KEY"], algorithm="HS512"),
            _unsigned,
            lambda claims: jwt.encode(claims | {"exp": 1}, settings.SIMPLE_JWT["SIGNING_KEY"], algorithm="HS256"),
            lambda claims: jwt.encode(claims | {"sid": "none"}, settings.SIMPLE_JWT["SIGNING_KEY"], algorithm="HS256"),
            lambda _: "nonsense",
            lambda _: "a.b.c",
            lambda _: "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
        ],
        ids=[
            "another key",
            "another algorithm",
            "alg none",
            "expired",
            "no session",
            "no token",
            "no JSON",
            "no ASCII",
        ],
    )
    def test_a_token_that_is_not_ours_and_good_is_refused(self, client, forge):
        signed_in = session_open(build_user())
        claims = decoded(signed_in.access)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {forge(claims)}")

        assert refusal(client.get("/auth/me")) == (401, "token_not_valid", None)

    def test_a_refresh_token_is_no_access_token(self, client):
        signed_in = session_open(build_user())
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {signed_in.refresh}")

        assert refusal(client.get("/auth/me")) == (401, "token_not_valid", None)

    def test_a_disabled_person_is_out_at_once(self, client):
        sign_in(client, build_user())
        assert client.get("/auth/me").status_code == 200
        User.objects.update(is_active=False)

        assert refusal(client.get("/auth/me")) == (401, "token_not_valid", None)

    def test_checking_one_takes_one_query(self, client, django_assert_num_queries):
        sign_in(client, build_user())

        with django_assert_num_queries(1):
            client.get("/auth/me")


class TestMe:
    def test_changes_what_one_says_about_oneself(self, client):
        user = build_user()
        sign_in(client, user)
        changes = {
            "first_name": "Chioma",
            "last_name": "Eze",
            "phone": "+234 801 234 5678",
            "country": "NG",
            "bio": "Teaches physics.\nSince 2011.",
            "avatar_url": "https://example.com/chioma.png",
        }

        response = client.patch("/auth/me", changes, format="json")

        assert response.status_code == 200
        assert list(response.json()) == USER_FIELDS
        assert {name: response.json()[name] for name in changes} == changes
        assert client.get("/auth/me").json() == response.json()

    def test_what_is_not_mentioned_stays(self, client):
        sign_in(client, build_user(country="GH", bio="Hello."))

        assert client.patch("/auth/me", {"bio": ""}, format="json").json()["country"] == "GH"
        assert User.objects.values_list("country", "bio").get() == ("GH", "")

    def test_rights_email_and_fee_are_nobodys_to_give_themselves(self, client):
        user = build_user()
        sign_in(client, user)
        before = User.objects.values().get()

        response = client.patch(
            "/auth/me",
            {
                "id": "019a5a3e-6f0c-7d1b-9a53-0b8f3f6a2c11",
                "email": "other@example.com",
                "role": "admin",
                "is_staff": True,
                "is_superuser": True,
                "is_active": False,
                "is_creator": True,
                "email_verified": True,
                "email_verified_at": "2026-01-01T00:00:00Z",
                "platform_fee_bps": 0,
                "password": "taken over by mass assignment",
            },
            format="json",
        )

        assert response.status_code == 200
        assert User.objects.values().get() == before

    @pytest.mark.parametrize(
        ("field", "value", "code"),
        [
            ("first_name", "", "blank"),
            ("first_name", None, "null"),
            ("first_name", 7, "invalid"),
            ("last_name", "a\nb", "not_one_line"),
            ("country", "XX", "invalid_choice"),
            ("country", "ng", "invalid_choice"),
            ("country", {"NG": 1}, "invalid_choice"),
            ("phone", "call me", "invalid"),
            ("phone", "1" * 33, "max_length"),
            ("bio", "x" * 2001, "max_length"),
            ("avatar_url", "http://example.com/a.png", "invalid"),
            ("avatar_url", "javascript:alert(1)", "invalid"),
            ("avatar_url", "https://", "invalid"),
        ],
    )
    def test_a_value_that_does_not_fit_is_named_and_changes_nothing(self, client, field, value, code):
        sign_in(client, build_user())
        before = User.objects.values().get()

        response = client.patch("/auth/me", {"bio": "New."} | {field: value}, format="json")

        assert (response.status_code, field, code) in {
            (400, error["attr"], error["code"]) for error in response.json()["errors"]
        }
        assert User.objects.values().get() == before

    def test_a_stranger_changes_nothing(self, client):
        build_user(bio="Mine.")

        assert refusal(client.patch("/auth/me", {"bio": "Yours."}, format="json")) == (401, "not_authenticated", None)
        assert User.objects.get().bio == "Mine."


class TestVerifyEmail:
    def verify(self, client: APIClient, token: str) -> Any:
        return client.post("/auth/verify-email", {"token": token}, format="json")

    def test_twice_is_as_good_as_once(self, client):
        user = build_user()
        token = verification.verification_token(user)
        assert self.verify(client, token).status_code == 200
        first = User.objects.get().email_verified_at

        assert self.verify(client, token).status_code == 200
        assert User.objects.get().email_verified_at == first

    @pytest.mark.parametrize(("seconds_early", "status"), [(60, 200), (-1, 400)])
    def test_a_token_is_good_for_three_days(self, client, monkeypatch, seconds_early, status):
        token = verification.verification_token(build_user())
        then = time.time() + timedelta(days=3).total_seconds() - seconds_early
        monkeypatch.setattr("django.core.signing.time.time", lambda: then)

        response = self.verify(client, token)

        assert response.status_code == status
        assert User.objects.get().email_verified == (status == 200)
        if status == 400:
            assert refusal(response) == (400, "verification_token_expired", "token")

    def test_a_token_for_an_email_that_was_changed_since_proves_nothing(self, client):
        token = verification.verification_token(build_user())
        User.objects.update(email="other@example.com")

        assert refusal(self.verify(client, token)) == (400, "verification_token_invalid", "token")
        assert not User.objects.get().email_verified

    @pytest.mark.parametrize("token", ["x", "a:b:c", "ü"])
    def test_what_is_no_token_proves_nothing(self, client, token):
        assert refusal(self.verify(client, token)) == (400, "verification_token_invalid", "token")

    def test_a_value_signed_for_another_purpose_proves_nothing(self, client, monkeypatch):
        user = build_user()
        with monkeypatch.context() as patched:
            patched.setattr(verification, "SALT", "another purpose")
            token = verification.verification_token(user)

        assert refusal(self.verify(client, token)) == (400, "verification_token_invalid", "token")
        assert not User.objects.get().email_verified


class TestResendVerification:
    """Mails again; time is moved by hand."""

    def resend(self, client: APIClient) -> Any:
        return client.post("/auth/verify-email/resend")

    def test_a_new_mail_has_a_link_that_verifies(self, client):
        user = build_user()
        sign_in(client, user)

        response = self.resend(client)

        assert (response.status_code, response.content) == (202, b"")
        mail = OutboundMail.objects.get()
        assert mail.to == user.email
        (token,) = re.findall(r"#token=(\S+)", mail.body().text)
        assert client.post("/auth/verify-email", {"token": token}, format="json").status_code == 200

    def test_at_most_one_mail_is_sent_in_sixty_seconds_the_one_at_sign_up_included(self, client):
        signed_up = client.post("/auth/register", ADA, format="json").json()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {signed_up['access']}")

        assert self.resend(client).status_code == 202
        assert OutboundMail.objects.count() == 1

        OutboundMail.objects.update(created_at=now() - timedelta(seconds=61))
        assert [self.resend(client).status_code for _ in range(2)] == [202, 202]
        assert OutboundMail.objects.count() == 2

    def test_five_mails_an_hour_are_the_most_and_all_their_links_are_good(self, client):
        user = build_user()
        sign_in(client, user)

        for _ in range(8):
            assert self.resend(client).status_code == 202
            OutboundMail.objects.update(created_at=F("created_at") - timedelta(seconds=61))

        assert OutboundMail.objects.count() == 5
        (token,) = re.findall(r"#token=(\S+)", OutboundMail.objects.earliest("created_at").body().text)
        OutboundMail.objects.filter(id=OutboundMail.objects.earliest("created_at").id).update(
            created_at=now() - timedelta(minutes=61)
        )
        assert self.resend(client).status_code == 202
        assert OutboundMail.objects.count() == 6
        assert client.post("/auth/verify-email", {"token": token}, format="json").status_code == 200

    def test_one_persons_mails_keep_nobody_else_waiting(self, client):
        for _ in range(2):
            sign_in(client, build_user())
            self.resend(client)

        assert OutboundMail.objects.count() == 2

    def test_a_verified_email_needs_no_mail(self, client):
        sign_in(client, build_user(verified=True))

        assert refusal(self.resend(client)) == (409, "email_already_verified", None)
        assert not OutboundMail.objects.exists()

    def test_whoever_is_not_signed_in_gets_no_mail(self, client):
        build_user()

        assert refusal(self.resend(client)) == (401, "not_authenticated", None)
        assert not OutboundMail.objects.exists()
