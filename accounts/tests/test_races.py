"""Many at once at the same account, with real commits, and what happens when the guard is taken away."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from rest_framework.test import APIClient

from accounts.enums import LinkPurpose
from accounts.models import Session, User
from accounts.services import recovery, sessions, verification
from accounts.services.sessions import session_open
from accounts.services.single_use_links import link_issue
from accounts.tests.builders import PASSWORD, build_user
from learning247.kit.clock import now
from learning247.records.models import AuditEntry, OutboundMail
from learning247.records.selectors import mail_times_since

pytestmark = pytest.mark.race

MANY = 32


def at_once(call: Callable[[int], Any], times: int = MANY) -> list[Any]:
    """`call(0)` … `call(times - 1)`, each in a thread with a connection of its own, started together."""
    start = threading.Barrier(times)

    def run(number: int) -> Any:
        try:
            start.wait()
            return call(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def outcome_of_refresh(token: str) -> str:
    response = APIClient().post("/auth/refresh", {"refresh": token}, format="json")
    return "refreshed" if response.status_code == 200 else response.json()["errors"][0]["code"]


def test_of_many_uses_of_one_refresh_token_exactly_one_succeeds(committed_db):
    signed_in = session_open(build_user())

    outcomes = Counter(at_once(lambda _: outcome_of_refresh(signed_in.refresh)))

    assert outcomes == {"refreshed": 1, "token_reused": MANY - 1}
    assert Session.objects.get().end_reason == "token_reused"


def test_without_the_lock_the_same_token_would_refresh_many_times(committed_db, monkeypatch):
    signed_in = session_open(build_user())
    everybody_has_read = threading.Barrier(MANY)

    def read_without_a_lock(session_id):
        session = Session.objects.select_related("user").filter(id=session_id).first()
        everybody_has_read.wait()
        return session

    monkeypatch.setattr(sessions, "session_lock", read_without_a_lock)

    outcomes = Counter(at_once(lambda _: outcome_of_refresh(signed_in.refresh)))

    assert outcomes == {"refreshed": MANY}


def test_of_many_registrations_with_one_email_exactly_one_succeeds(committed_db):
    def register(number: int) -> tuple[int, str | None]:
        email = "Ada@example.com" if number % 2 else "ada@example.com"
        body = {"email": email, "password": PASSWORD, "first_name": "Ada", "last_name": str(number)}
        response = APIClient().post("/auth/register", body, format="json")
        return response.status_code, None if response.status_code == 201 else response.json()["errors"][0]["attr"]

    outcomes = Counter(at_once(register))

    assert outcomes == {(201, None): 1, (400, "email"): MANY - 1}
    assert (User.objects.count(), Session.objects.count()) == (1, 1)


def test_signing_out_while_refreshing_leaves_no_way_in(committed_db):
    signed_in = session_open(build_user())

    def act(number: int) -> str:
        if number:
            return outcome_of_refresh(signed_in.refresh)
        APIClient().post("/auth/logout", {"refresh": signed_in.refresh}, format="json")
        return "signed out"

    at_once(act, times=2)

    assert Session.objects.get().ended_at is not None
    assert outcome_of_refresh(signed_in.refresh) in {"token_reused", "token_not_valid"}


def resend(user: User) -> int:
    client = APIClient()
    client.force_authenticate(user)
    return client.post("/auth/verify-email/resend").status_code


def test_of_many_wishes_for_a_new_verification_mail_exactly_one_is_sent(committed_db):
    user = build_user()

    assert Counter(at_once(lambda _: resend(user))) == {202: MANY}

    assert OutboundMail.objects.count() == 1


def test_without_the_lock_many_wishes_would_send_many_mails(committed_db, monkeypatch):
    user = build_user()
    everybody_has_asked = threading.Barrier(MANY)

    def ask_and_wait(**which: Any) -> list[datetime]:
        known = mail_times_since(**which)
        everybody_has_asked.wait()
        return known

    monkeypatch.setattr(verification, "user_lock", lambda user_id: User.objects.get(id=user_id))
    monkeypatch.setattr(verification, "mail_times_since", ask_and_wait)

    at_once(lambda _: resend(user))

    assert OutboundMail.objects.count() == MANY


def test_of_many_uses_of_a_traded_token_one_mail_is_sent(committed_db):
    signed_in = session_open(build_user())
    assert outcome_of_refresh(signed_in.refresh) == "refreshed"

    assert Counter(at_once(lambda _: outcome_of_refresh(signed_in.refresh))) == {"token_reused": MANY}

    assert OutboundMail.objects.count() == 1


def sign_in_while_the_password_changes(user: User, monkeypatch: pytest.MonkeyPatch) -> int:
    """The status of a sign-in by the old password, which is right when it is checked and old when the session opens."""

    def check_slowly(**credentials: Any) -> Any:
        known = authenticate(**credentials)
        User.objects.filter(id=user.id).update(password=make_password("another horse battery"))
        Session.objects.filter(user=user).update(ended_at=now(), end_reason="password_changed")
        return known

    monkeypatch.setattr(sessions, "authenticate", check_slowly)
    return APIClient().post("/auth/login", {"email": user.email, "password": PASSWORD}, format="json").status_code


def test_a_password_that_is_changed_while_somebody_signs_in_by_it_opens_no_session(committed_db, monkeypatch):
    assert sign_in_while_the_password_changes(build_user(), monkeypatch) == 401

    assert Session.objects.count() == 0


def test_without_the_second_look_a_session_would_outlive_its_password(committed_db, monkeypatch):
    user = build_user()
    monkeypatch.setattr(sessions, "user_lock", lambda _: user)

    assert sign_in_while_the_password_changes(user, monkeypatch) == 200

    assert Session.objects.get().ended_at is None


def reset_at_once(token: str) -> Counter[int]:
    def reset(number: int) -> int:
        body = {"token": token, "password": f"horse battery number {number}"}
        return APIClient().post("/auth/reset-password", body, format="json").status_code

    return Counter(at_once(reset))


def issued_link(user: User) -> str:
    with transaction.atomic():
        return link_issue(user=user, purpose=LinkPurpose.PASSWORD_RESET)


def test_of_many_uses_of_one_link_exactly_one_sets_its_password(committed_db):
    user = build_user()

    assert reset_at_once(issued_link(user)) == {200: 1, 400: MANY - 1}

    assert AuditEntry.objects.filter(action="user.password_reset").count() == 1
    user.refresh_from_db()
    (won,) = [number for number in range(MANY) if user.check_password(f"horse battery number {number}")]
    assert 0 <= won < MANY


def test_without_deleting_it_the_link_would_set_many(committed_db, monkeypatch):
    monkeypatch.setattr(recovery, "link_use", lambda link: True)
    monkeypatch.setattr(recovery, "password_replaced", lambda **_: None)

    assert reset_at_once(issued_link(build_user())) == {200: MANY}


def test_of_many_changes_by_the_same_password_exactly_one_succeeds(committed_db):
    user = build_user()
    access = session_open(user).access

    def change(number: int) -> int:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
        body = {"current_password": PASSWORD, "new_password": f"horse battery number {number}"}
        return client.post("/auth/change-password", body, format="json").status_code

    outcomes = Counter(at_once(change))

    # Whoever came after the first commit is signed out by it (401), whoever was on the way knew an old password (400).
    assert (outcomes[200], outcomes[400] + outcomes[401]) == (1, MANY - 1)
    assert Session.objects.filter(ended_at=None).count() == 1
