"""What goes on record of people's ways in and out, and that nobody fills the record by knocking."""

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import Session
from accounts.services.sessions import session_open
from accounts.tests.builders import PASSWORD, build_user, sign_in
from learning247.kit.clock import now
from learning247.records.models import AuditEntry

pytestmark = pytest.mark.django_db

DEVICE = {"REMOTE_ADDR": "203.0.113.7", "HTTP_USER_AGENT": "Firefox"}
WHERE = {"door": "api", "ip": "203.0.113.7", "user_agent": "Firefox"}


@pytest.fixture
def client() -> APIClient:
    return APIClient()


def login(email: str = "ada@example.com", password: str = PASSWORD, **device: Any) -> Any:
    body = {"email": email, "password": password}
    return APIClient().post("/auth/login", body, format="json", **(DEVICE | device))


def recorded() -> list[tuple[Any, ...]]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "actor", "subject_kind", "subject_id", "after"))


def test_signing_up_in_and_out(client):
    newcomer = {"email": "ada@example.com", "password": PASSWORD, "first_name": "Ada", "last_name": "Obi"}
    user_id = client.post("/auth/register", newcomer, format="json", **DEVICE).json()["user"]["id"]
    token = login().json()["refresh"]
    for _ in range(2):
        client.post("/auth/logout", {"refresh": token}, format="json", **DEVICE)

    first, second = (str(pk) for pk in Session.objects.order_by("created_at").values_list("id", flat=True))
    assert [(action, str(actor), kind, subject, after) for action, actor, kind, subject, after in recorded()] == [
        ("user.signed_in", user_id, "user", user_id, WHERE | {"session": first, "signed_up": True}),
        ("user.signed_in", user_id, "user", user_id, WHERE | {"session": second}),
        ("user.signed_out", user_id, "user", user_id, WHERE | {"session": second}),
    ]


def test_ending_another_device_and_a_token_that_comes_back(client):
    user = build_user()
    sign_in(client, user)
    stale = session_open(user)
    client.post("/auth/refresh", {"refresh": stale.refresh}, format="json")
    client.post("/auth/refresh", {"refresh": stale.refresh}, format="json", **DEVICE)
    phone = session_open(user)
    client.delete(f"/auth/sessions/{phone.session_id}", **DEVICE)
    details = {"user": str(user.id), "ip": "203.0.113.7", "user_agent": "Firefox"}

    assert recorded() == [
        ("session.token_reused", None, "session", str(stale.session_id), details),
        ("session.revoked", user.id, "session", str(phone.session_id), details),
    ]


@pytest.mark.parametrize(("fields", "password"), [({}, "wrong horse battery"), ({"is_active": False}, PASSWORD)])
def test_a_refused_sign_in_without_what_was_typed(fields, password):
    user = build_user(email="ada@example.com", **fields)

    assert login("Ada@Example.com", password).status_code == 401

    assert recorded() == [("user.sign_in_refused", None, "user", str(user.id), WHERE)]


def test_from_one_address_once_in_a_quarter_of_an_hour(monkeypatch):
    build_user(email="ada@example.com")

    for _ in range(3):
        login(password="wrong horse battery")
    assert AuditEntry.objects.count() == 1
    login(password="wrong horse battery", REMOTE_ADDR="203.0.113.8")
    assert AuditEntry.objects.count() == 2

    later = now() + timedelta(minutes=15, seconds=1)
    monkeypatch.setattr("accounts.services.sign_in_records.now", lambda: later)
    login(password="wrong horse battery")
    assert AuditEntry.objects.count() == 3


def test_from_however_many_addresses_twenty_in_a_quarter_of_an_hour():
    build_user(email="ada@example.com")

    for number in range(25):
        login(password="wrong horse battery", REMOTE_ADDR=f"203.0.113.{number}")

    assert AuditEntry.objects.count() == 20


def test_one_accounts_refusals_do_not_hide_anothers():
    for email in ("ada@example.com", "bola@example.com"):
        build_user(email=email)
        login(email, "wrong horse battery")

    assert AuditEntry.objects.count() == 2


def test_of_emails_that_are_nobodys_nothing_is_kept():
    for number in range(3):
        login(f"nobody{number}@example.com")

    assert not AuditEntry.objects.exists()
