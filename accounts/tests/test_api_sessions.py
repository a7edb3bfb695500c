"""The devices that are signed in: which there are, and putting an end to one."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from accounts.models import Session, User
from accounts.services.sessions import session_open
from accounts.tests.builders import PASSWORD, build_user, sign_in
from learning247.kit.clock import now
from learning247.records.models import OutboundMail

pytestmark = pytest.mark.django_db

PHONE = {"HTTP_USER_AGENT": "Learning247/2 (Android 15)", "REMOTE_ADDR": "203.0.113.7"}
LAPTOP = {"HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64)", "REMOTE_ADDR": "2001:db8::7"}


@pytest.fixture
def client() -> APIClient:
    return APIClient()


def code_of(response: Any) -> tuple[int, str]:
    (error,) = response.json()["errors"]
    return response.status_code, error["code"]


def login(user: User, **device: Any) -> dict[str, Any]:
    credentials = {"email": user.email, "password": PASSWORD}
    body: dict[str, Any] = APIClient().post("/auth/login", credentials, format="json", **device).json()
    return body


def bearing(access: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
    return client


class TestList:
    def test_shows_each_device_with_its_times_and_which_one_asks(self):
        user = build_user()
        login(user, **LAPTOP)
        phone = login(user, **PHONE)
        laptop_row, phone_row = Session.objects.order_by("created_at")

        response = bearing(phone["access"]).get("/auth/sessions")

        def time(moment: Any) -> str:
            return str(moment.isoformat().replace("+00:00", "Z"))

        assert response.status_code == 200
        assert response.json() == {
            "count": 2,
            "next": None,
            "previous": None,
            "results": [
                {
                    "id": str(row.id),
                    "created_at": time(row.created_at),
                    "refreshed_at": time(row.refreshed_at),
                    "expires_at": time(row.expires_at),
                    "user_agent": agent,
                    "ip": ip,
                    "current": current,
                }
                for row, agent, ip, current in [
                    (phone_row, "Learning247/2 (Android 15)", "203.0.113.7", True),
                    (laptop_row, "Mozilla/5.0 (X11; Linux x86_64)", "2001:db8::7", False),
                ]
            ],
        }
        assert response["Cache-Control"] == "no-store"

    def test_signing_up_is_a_session_too(self, client):
        newcomer = {"email": "ada@example.com", "password": PASSWORD, "first_name": "Ada", "last_name": "Obi"}

        client.post("/auth/register", newcomer, format="json", **PHONE)

        session = Session.objects.get()
        assert (session.user_agent, session.ip) == ("Learning247/2 (Android 15)", "203.0.113.7")

    def test_a_refresh_says_where_the_device_is_now(self, client):
        token = login(build_user(), **PHONE)["refresh"]

        client.post("/auth/refresh", {"refresh": token}, format="json", **PHONE | {"REMOTE_ADDR": "198.51.100.4"})

        session = Session.objects.get()
        assert (session.user_agent, session.ip) == ("Learning247/2 (Android 15)", "198.51.100.4")

    @pytest.mark.parametrize(("sent", "kept"), [("x" * 5_000, "x" * 200), ("a\x00b\r\nc\tdé", "abcdé"), ("", "")])
    def test_a_name_of_any_length_and_kind_is_kept_shortened_and_printable(self, sent, kept):
        login(build_user(), HTTP_USER_AGENT=sent)

        assert Session.objects.get().user_agent == kept

    def test_a_server_that_is_told_of_no_address_signs_in_all_the_same(self):
        assert "access" in login(build_user(), REMOTE_ADDR="")
        assert Session.objects.get().ip is None

    def test_what_has_ended_or_expired_and_what_is_somebody_elses_is_not_shown(self, client):
        user = build_user()
        expired, ended = session_open(user), session_open(user)
        session_open(build_user())
        rows = Session.objects.filter(user=user).order_by("created_at")
        Session.objects.filter(id=rows[0].id).update(expires_at=now() - timedelta(seconds=1))
        client.post("/auth/logout", {"refresh": ended.refresh}, format="json")
        sign_in(client, user)
        assert expired.user == user

        body = client.get("/auth/sessions").json()

        assert [(row["id"], row["current"]) for row in body["results"]] == [(str(rows[2].id), True)]

    def test_a_stranger_sees_none(self, client):
        session_open(build_user())

        assert code_of(client.get("/auth/sessions")) == (401, "not_authenticated")


class TestRevoke:
    def test_the_lost_phone_is_out_at_once_and_the_laptop_stays(self):
        user = build_user()
        phone, laptop = login(user, **PHONE), login(user, **LAPTOP)
        lost = Session.objects.get(ip="203.0.113.7")

        response = bearing(laptop["access"]).delete(f"/auth/sessions/{lost.id}")

        assert (response.status_code, response.content) == (204, b"")
        lost.refresh_from_db()
        assert lost.end_reason == "revoked"
        assert code_of(bearing(phone["access"]).get("/auth/me")) == (401, "token_not_valid")
        refused = APIClient().post("/auth/refresh", {"refresh": phone["refresh"]}, format="json")
        assert code_of(refused) == (401, "token_not_valid")
        assert bearing(laptop["access"]).get("/auth/me").status_code == 200
        assert "refresh_token" not in response.cookies

    def test_ending_the_session_that_asks_is_signing_out(self, client):
        sign_in(client, build_user())

        response = client.delete(f"/auth/sessions/{Session.objects.get().id}")

        assert response.status_code == 204
        assert response.cookies["refresh_token"]["max-age"] == 0
        assert code_of(client.get("/auth/me")) == (401, "token_not_valid")

    def test_somebody_elses_session_is_not_there(self, client):
        session_open(build_user())
        theirs = Session.objects.values().get()
        sign_in(client, build_user())

        assert code_of(client.delete(f"/auth/sessions/{theirs['id']}")) == (404, "session_not_found")
        assert Session.objects.values().get(id=theirs["id"]) == theirs

    def test_one_that_has_ended_keeps_its_reason(self, client):
        user = build_user()
        sign_in(client, user)
        ended = session_open(user)
        client.post("/auth/logout", {"refresh": ended.refresh}, format="json")
        session = Session.objects.get(ended_at__isnull=False)

        assert code_of(client.delete(f"/auth/sessions/{session.id}")) == (404, "session_not_found")
        assert Session.objects.get(id=session.id).end_reason == "signed_out"

    @pytest.mark.parametrize("session_id", ["x", "01900000-0000-7000-8000-000000000000", "%00", "../me"])
    def test_what_is_no_session_is_not_there(self, client, session_id):
        sign_in(client, build_user())

        assert client.delete(f"/auth/sessions/{session_id}").status_code == 404
        assert Session.objects.get().ended_at is None

    def test_a_stranger_ends_none(self, client):
        session_open(build_user())

        assert code_of(client.delete(f"/auth/sessions/{Session.objects.get().id}")) == (401, "not_authenticated")
        assert Session.objects.get().ended_at is None


class TestReuse:
    def refresh(self, token: str, **device: Any) -> Any:
        return APIClient().post("/auth/refresh", {"refresh": token}, format="json", **device)

    def test_of_a_traded_token_is_told_to_its_owner_once(self):
        user = build_user(first_name="Ada", verified=True)
        token = login(user, **PHONE)["refresh"]
        self.refresh(token, **PHONE)

        for _ in range(3):
            assert code_of(self.refresh(token, **LAPTOP | {"HTTP_USER_AGENT": "call +1 900"})) == (401, "token_reused")

        mail = OutboundMail.objects.get()
        assert (mail.to, mail.subject) == (user.email, "We signed one of your devices out of Learning247")
        assert mail.text.startswith("Hello Ada,\n\na sign-in of yours was used a second time, from 2001:db8::7, on ")
        assert "used a second time, from 2001:db8::7, on " in mail.html
        assert "+1 900" not in mail.text + mail.html, "a thief does not write our mails"

    def test_of_a_token_whose_session_had_ended_before_is_no_news(self, client):
        token = login(build_user())["refresh"]
        newest = self.refresh(token).json()["refresh"]
        client.post("/auth/logout", {"refresh": newest}, format="json")

        assert code_of(self.refresh(token)) == (401, "token_reused")
        assert Session.objects.get().end_reason == "signed_out"
        assert not OutboundMail.objects.exists()


class TestRightsThatAreTaken:
    def test_a_member_of_staff_whose_right_is_taken_is_refused_with_the_same_token(self, client):
        clerk = build_user(is_staff=True)
        clerk.user_permissions.set(Permission.objects.filter(codename="view_enrollment"))
        sign_in(client, clerk)
        assert client.get("/api/admin/course-enrollments").status_code == 200

        clerk.user_permissions.clear()

        assert code_of(client.get("/api/admin/course-enrollments")) == (403, "permission_denied")

    def test_whoever_is_no_longer_staff_is_refused_with_the_same_token(self, client):
        boss = build_user(is_staff=True, is_superuser=True)
        sign_in(client, boss)
        assert client.get("/api/admin/course-enrollments").status_code == 200

        User.objects.update(is_staff=False)

        assert code_of(client.get("/api/admin/course-enrollments")) == (403, "permission_denied")
