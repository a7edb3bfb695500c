"""Hashing gives way: one password at a time in a process, at low priority, and not more waiting than may."""

import multiprocessing
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, check_password, make_password
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts import hashers
from accounts.models import Session, User
from accounts.tests.builders import PASSWORD, build_admin
from learning247.records.models import AuditEntry


def priority() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a priority of its own on Linux alone")
def test_passwords_are_hashed_at_a_lower_priority_than_requests_are_answered() -> None:
    make_password(PASSWORD)

    assert hashers._hashing.submit(priority).result() == min(priority() + 5, 19)


def test_passwords_are_hashed_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way, most = [], []
    encode = BCryptSHA256PasswordHasher.encode

    def watched(*args: Any) -> str:
        under_way.append(threading.get_ident())
        most.append(len(under_way))
        hashed: str = encode(*args)
        under_way.pop()
        return hashed

    monkeypatch.setattr(BCryptSHA256PasswordHasher, "encode", watched)
    with ThreadPoolExecutor(8) as requests:
        hashed = list(requests.map(make_password, [PASSWORD] * 40))

    assert most == [1] * 40
    monkeypatch.undo()
    assert all(check_password(PASSWORD, one) for one in hashed)


def test_a_forked_process_hashes_too() -> None:
    """A thread stays behind in the process that was forked, and nobody would take what is submitted to it."""
    make_password(PASSWORD)
    forked = multiprocessing.get_context("fork").Process(target=make_password, args=(PASSWORD,))
    forked.start()
    forked.join(timeout=30)
    exit_code = forked.exitcode
    forked.kill()

    assert exit_code == 0


@pytest.mark.django_db
def test_who_comes_when_as_many_wait_as_may_is_told_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    boss = build_admin()
    at_the_api = {"email": boss.email, "password": PASSWORD}
    in_the_console = {"username": boss.email, "password": PASSWORD}
    seats = threading.BoundedSemaphore(1)
    monkeypatch.setattr(hashers, "_seats", seats)

    boss_in_the_console = Client()
    boss_in_the_console.force_login(boss)
    new = {"old_password": PASSWORD, "new_password1": "another horse battery", "new_password2": "another horse battery"}

    with seats:
        unchanged = boss_in_the_console.post(reverse("admin:password_change"), new)
        added = boss_in_the_console.post(
            reverse("admin:accounts_user_add"),
            {
                "email": "new@example.com",
                "first_name": "New",
                "last_name": "Person",
                "usable_password": "true",
                "password1": "another horse battery",
                "password2": "another horse battery",
            },
        )
        refused = APIClient(raise_request_exception=False).post("/auth/login", at_the_api, format="json")
        refused_there = Client().post(reverse("admin:login"), in_the_console)

    assert (refused.status_code, refused["Retry-After"]) == (503, "2")
    assert refused.json()["errors"][0]["code"] == "passwords_busy"
    assert (refused_there.status_code, refused_there["Retry-After"]) == (503, "2")
    assert (unchanged.status_code, unchanged["Retry-After"]) == (503, "2")
    assert (added.status_code, added["Retry-After"], added.json()["errors"][0]["code"]) == (503, "2", "passwords_busy")
    assert not User.objects.filter(email="new@example.com").exists()
    assert not Session.objects.exists()
    assert not AuditEntry.objects.exists()
    assert APIClient().post("/auth/login", at_the_api, format="json").status_code == 200
    assert Client().post(reverse("admin:login"), in_the_console).status_code == 302
