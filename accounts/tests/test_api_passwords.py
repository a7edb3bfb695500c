"""Changing a password, and setting a new one by a mailed link."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import RecoveryRequest, Session, SingleUseLink, User
from accounts.services.recovery import recovery_answer
from accounts.services.sessions import session_open
from accounts.tests.builders import PASSWORD, build_user, sign_in
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.records.models import AuditEntry, OutboundMail

pytestmark = pytest.mark.django_db

NEW = "another horse battery"


@pytest.fixture
def client() -> APIClient:
    return APIClient()


def refusal(response: Any) -> tuple[int, str, str | None]:
    (error,) = response.json()["errors"]
    return response.status_code, error["code"], error["attr"]


def change(client: APIClient, current: str = PASSWORD, new: str = NEW) -> Any:
    return client.post("/auth/change-password", {"current_password": current, "new_password": new}, format="json")


def ask(email: str) -> Any:
    return APIClient().post("/auth/forgot-password", {"email": email}, format="json")


def answer_all() -> None:
    for request_id in RecoveryRequest.objects.values_list("id", flat=True):
        recovery_answer(request_id)


def mailed_token(email: str) -> str:
    """What the link in a fresh mail to `email` carries."""
    OutboundMail.objects.update(created_at=now() - timedelta(seconds=61))
    ask(email)
    answer_all()
    mail = OutboundMail.objects.get(to=email, created_at__gte=now() - timedelta(seconds=60))
    (token,) = re.findall(r"#token=(\S+)", mail.body().text)
    return str(token)


def reset(token: str, password: str = NEW, **more: Any) -> Any:
    return APIClient().post("/auth/reset-password", {"token": token, "password": password}, format="json", **more)


class TestChange:
    def test_signs_every_device_out_and_the_one_that_asks_in_again(self, client):
        user = build_user()
        other = session_open(user)
        mine = sign_in(client, user)

        response = change(client)

        assert response.status_code == 200
        body = response.json()
        assert (list(body), body["user"]["id"]) == (["access", "refresh", "user"], str(user.id))
        assert response.cookies["refresh_token"].value == body["refresh"]
        for access in (other.access, mine.access):
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
            assert refusal(client.get("/auth/me")) == (401, "token_not_valid", None)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {body['access']}")
        assert client.get("/auth/sessions").json()["count"] == 1
        assert sorted(Session.objects.values_list("end_reason", flat=True)) == [
            "",
            "password_changed",
            "password_changed",
        ]
        assert (
            authenticate(username=user.email, password=PASSWORD),
            authenticate(username=user.email, password=NEW),
        ) == (
            None,
            user,
        )

    def test_is_told_to_the_owner_and_stands_on_record_without_a_secret(self, client):
        user = build_user(first_name="Ada", verified=True)
        sign_in(client, user)

        client.post(
            "/auth/change-password",
            {"current_password": PASSWORD, "new_password": NEW},
            format="json",
            REMOTE_ADDR="203.0.113.7",
            HTTP_USER_AGENT="Firefox",
        )

        mail = OutboundMail.objects.get()
        assert (mail.to, mail.subject) == (user.email, "Your password for Learning247 was changed")
        assert mail.text.startswith("Hello Ada,\n\nthe password of your account was changed on ")
        assert " UTC from 203.0.113.7. Every device was signed out" in mail.text
        entry = AuditEntry.objects.get(action="user.password_changed")
        assert (entry.actor, entry.subject_id, entry.before) == (user, str(user.id), None)
        assert entry.after == {"sessions_ended": 1, "ip": "203.0.113.7", "user_agent": "Firefox"}

    @pytest.mark.parametrize(
        ("current", "new", "refused"),
        [
            ("wrong horse battery", NEW, (400, "password_incorrect", "current_password")),
            (PASSWORD, "short", (400, "password_too_weak", "new_password")),
            (PASSWORD, "x" * 257, (400, "max_length", "new_password")),
            (PASSWORD, 1234567890123, (400, "invalid", "new_password")),
            ("", NEW, (400, "blank", "current_password")),
        ],
    )
    def test_what_is_refused_changes_nothing_and_signs_nobody_out(self, client, current, new, refused):
        user = build_user()
        sign_in(client, user)
        before = User.objects.values().get()

        assert refusal(change(client, current, new)) == refused

        assert User.objects.values().get() == before
        assert Session.objects.get().ended_at is None
        assert not OutboundMail.objects.exists()
        assert not AuditEntry.objects.exists()

    def test_a_stranger_changes_none(self, client):
        build_user()

        assert refusal(change(client)) == (401, "not_authenticated", None)
        assert User.objects.get().check_password(PASSWORD)

    def test_ends_the_staff_console_too(self, client):
        boss = build_user(is_staff=True, is_superuser=True)
        client.force_login(boss)
        assert client.get("/admin/").status_code == 200
        sign_in(client, boss)

        change(client)

        assert client.get("/admin/").status_code == 302


class TestForgot:
    def test_mails_a_link_to_the_web_client(self):
        user = build_user(email="ada@example.com", first_name="Ada")

        response = ask("ADA@example.com")

        assert (response.status_code, response.json()) == (
            200,
            {"detail": "If there is an account with this email, a link is on its way to it."},
        )
        answer_all()
        mail = OutboundMail.objects.get()
        assert (mail.to, mail.subject) == (user.email, "Set a new password for Learning247")
        text, html = mail.body()
        (link,) = re.findall(r"http\S+", text)
        assert link.startswith(f"{settings.FRONTEND_URL}/reset-password#token=")
        assert link in html
        assert not RecoveryRequest.objects.exists()

    @pytest.mark.parametrize(("verified", "greeting"), [(True, "Hello Ada,"), (False, "Hello,")])
    def test_greets_by_name_whose_address_it_is_proved_to_be(self, verified, greeting):
        build_user(email="ada@example.com", first_name="Ada", verified=verified)

        ask("ada@example.com")
        answer_all()

        text, html = OutboundMail.objects.get().body()
        assert text.splitlines()[0] == greeting
        assert ("Ada" in html) == verified

    def test_a_stranger_and_a_disabled_account_get_the_same_answer_and_no_mail(self):
        build_user(email="ada@example.com")
        build_user(email="gone@example.com", is_active=False)

        answers = [ask(email) for email in ("ada@example.com", "nobody@example.com", "gone@example.com")]

        assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
        answer_all()
        assert OutboundMail.objects.get().to == "ada@example.com"
        assert SingleUseLink.objects.count() == 1

    def test_nobody_is_looked_up_while_the_client_waits(self):
        build_user(email="ada@example.com")

        def statements(email: str) -> list[str]:
            with CaptureQueriesContext(connection) as captured:
                ask(email)
            return [re.sub(r"'[^']*'|s\d+_x\d+", "?", query["sql"]) for query in captured.captured_queries]

        known, unknown = statements("ada@example.com"), statements("nobody@example.com")

        assert known == unknown
        assert not any("accounts_user" in statement for statement in known)

    def test_the_token_is_not_in_the_table(self):
        build_user(email="ada@example.com")

        token = mailed_token("ada@example.com")

        link = SingleUseLink.objects.get()
        assert len(token) == 43
        assert token not in f"{link.digest} {link.id}"
        assert refusal(reset(link.digest)) == (400, "reset_token_invalid", "token")

    @pytest.mark.parametrize("used", [0, 1])
    def test_asking_again_leaves_the_earlier_link_good_until_one_of_them_is_used(self, used):
        build_user(email="ada@example.com")
        tokens = [mailed_token("ada@example.com"), mailed_token("ada@example.com")]

        assert reset(tokens[used]).status_code == 200
        assert refusal(reset(tokens[1 - used], "a third horse battery")) == (400, "reset_token_invalid", "token")
        assert not SingleUseLink.objects.exists()
        assert User.objects.get().check_password(NEW)

    def test_whoever_asks_every_minute_sends_five_mails_an_hour_and_a_good_link_is_always_among_them(self):
        build_user(email="ada@example.com")
        sent: list[int] = []

        for minute in range(121):
            ask("ada@example.com")
            answer_all()
            if OutboundMail.objects.count() > len(sent):
                sent.append(minute)
            assert SingleUseLink.objects.filter(expires_at__gt=now()).exists()
            OutboundMail.objects.update(created_at=F("created_at") - timedelta(minutes=1))
            SingleUseLink.objects.update(expires_at=F("expires_at") - timedelta(minutes=1))

        assert sent[:6] == [0, 1, 16, 31, 46, 61]
        assert max(sum(start <= minute < start + 60 for minute in sent) for start in sent) == 5

    def test_one_account_gets_at_most_one_mail_a_minute_and_its_link_stays_good(self):
        build_user(email="ada@example.com")
        token = mailed_token("ada@example.com")

        for _ in range(3):
            ask("ada@example.com")
            answer_all()

        assert OutboundMail.objects.count() == 1
        assert reset(token).status_code == 200

    def test_many_requests_for_one_address_are_one_row(self):
        for _ in range(5):
            assert ask("nobody@example.com").status_code == 200

        assert RecoveryRequest.objects.count() == 1

    @pytest.mark.parametrize(
        ("email", "code"), [("none", "invalid"), ("", "blank"), (None, "null"), (["a@b.example"], "invalid")]
    )
    def test_what_is_no_address_is_refused(self, email, code):
        assert refusal(ask(email)) == (400, code, "email")
        assert not RecoveryRequest.objects.exists()

    def test_a_request_that_is_gone_is_no_error(self):
        recovery_answer(new_id())


class TestReset:
    def test_sets_the_password_ends_every_session_and_says_whom_to_sign_in_as(self, client):
        user = build_user(email="ada@example.com")
        held = [session_open(user), session_open(user)]
        bystander = session_open(build_user())

        response = reset(mailed_token("ada@example.com"))

        assert (response.status_code, response.json()) == (200, {"email": "ada@example.com"})
        assert response.cookies["refresh_token"]["max-age"] == 0
        assert authenticate(username="ada@example.com", password=NEW) == user
        statuses = []
        for signed_in in (*held, bystander):
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {signed_in.access}")
            statuses.append(client.get("/auth/me").status_code)
        assert statuses == [401, 401, 200]
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.actor) == ("user.password_reset", user)
        assert entry.after == {"sessions_ended": 2, "ip": "127.0.0.1", "user_agent": ""}
        assert OutboundMail.objects.filter(subject="Your password for Learning247 was changed").count() == 1

    def test_works_once(self):
        build_user(email="ada@example.com")
        token = mailed_token("ada@example.com")
        reset(token)

        assert refusal(reset(token, "a third horse battery")) == (400, "reset_token_invalid", "token")
        assert User.objects.get().check_password(NEW)

    @pytest.mark.parametrize(("seconds_left", "status"), [(5, 200), (-1, 400)])
    def test_works_for_fifteen_minutes(self, seconds_left, status):
        build_user(email="ada@example.com")
        token = mailed_token("ada@example.com")
        link = SingleUseLink.objects.get()
        assert timedelta(minutes=14, seconds=55) < link.expires_at - now() <= timedelta(minutes=15)
        SingleUseLink.objects.update(expires_at=now() + timedelta(seconds=seconds_left))

        assert reset(token).status_code == status
        assert User.objects.get().check_password(NEW) == (status == 200)

    def test_a_weak_password_is_refused_and_the_link_stays_good(self):
        build_user(email="ada@example.com")
        token = mailed_token("ada@example.com")

        assert refusal(reset(token, "ada@example.com")) == (400, "password_too_weak", "password")
        assert User.objects.get().check_password(PASSWORD)
        assert reset(token).status_code == 200

    def test_proves_the_email_as_the_link_that_verifies_does(self):
        build_user(email="ada@example.com")

        reset(mailed_token("ada@example.com"))

        assert User.objects.get().email_verified

    def test_a_link_that_was_mailed_elsewhere_before_the_email_changed_sets_none(self):
        build_user(email="ada@example.com")
        token = mailed_token("ada@example.com")
        User.objects.update(email="new@example.com")

        assert refusal(reset(token)) == (400, "reset_token_invalid", "token")
        user = User.objects.get()
        assert (user.check_password(PASSWORD), user.email_verified) == (True, False)

    def test_a_disabled_person_gets_in_by_no_link(self):
        build_user(email="ada@example.com")
        token = mailed_token("ada@example.com")
        User.objects.update(is_active=False)

        assert refusal(reset(token)) == (400, "reset_token_invalid", "token")
        assert User.objects.get().check_password(PASSWORD)

    def test_another_change_of_the_password_takes_the_link_away(self, client):
        user = build_user(email="ada@example.com")
        token = mailed_token("ada@example.com")
        sign_in(client, user)
        change(client)

        assert refusal(reset(token, "a third horse battery")) == (400, "reset_token_invalid", "token")
        assert User.objects.get().check_password(NEW)

    @pytest.mark.parametrize("token", ["x", "ü" * 40, "a.b.c", "' OR 1=1 --"])
    def test_what_is_no_token_costs_no_hash_and_sets_nothing(self, monkeypatch, token):
        build_user(email="ada@example.com")
        before = User.objects.values().get()
        monkeypatch.setattr(BCryptSHA256PasswordHasher, "encode", lambda *_: pytest.fail("hashed"))

        assert refusal(reset(token)) == (400, "reset_token_invalid", "token")
        assert User.objects.values().get() == before


class TestHashing:
    def test_the_same_letters_typed_as_other_code_points_are_the_same_password(self):
        build_user(email="ada@example.com", password="Caf\u00e9 ﬁne wa\u0301y")

        assert authenticate(username="ada@example.com", password="Cafe\u0301 fine w\u00e1y") == User.objects.get()
        assert authenticate(username="ada@example.com", password="Cafe fine way") is None

    def test_length_is_counted_in_what_is_hashed(self, client):
        newcomer = {"email": "ada@example.com", "first_name": "Ada", "last_name": "Obi"}

        response = client.post("/auth/register", newcomer | {"password": "e\u0301" * 5 + "xyz"}, format="json")

        assert refusal(response) == (400, "password_too_weak", "password")
        assert not User.objects.exists()

    def test_a_hash_of_an_older_cost_is_renewed_by_signing_in(self, monkeypatch):
        user = build_user()
        monkeypatch.setattr("learning247.tests.hashers.QuickBCryptSHA256PasswordHasher.rounds", 5)

        assert user.check_password(PASSWORD)

        assert User.objects.get().password.startswith("bcrypt_sha256$$2b$05$")

    def test_renewing_a_hash_never_brings_an_old_password_back(self, monkeypatch):
        user = build_user()
        monkeypatch.setattr("learning247.tests.hashers.QuickBCryptSHA256PasswordHasher.rounds", 5)
        changed = User.objects.get()
        changed.set_password(NEW)
        changed.save()

        assert user.check_password(PASSWORD), "it was right when it was read"

        assert User.objects.get().check_password(NEW)
