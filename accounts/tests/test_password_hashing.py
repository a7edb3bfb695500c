"""Hashing gives way: one password at a time in a process, at low priority, and not more waiting than may. Who floods it
keeps nobody out who is known."""

import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, check_password, make_password
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from accounts import hashers
from accounts.devices import Device
from accounts.hashers import Asker, HashingRoom, PasswordsBusy, hashing_for
from accounts.models import Session, User
from accounts.services.sessions import session_open
from accounts.tests.builders import PASSWORD, build_admin, build_user
from learning247.records.models import AuditEntry
from learning247.tests.waiting import poll


class Crowd:
    """People who come one after the other while the first one's password is being hashed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.order: list[str] = []
        self.gate = threading.Event()
        self.threads = ThreadPoolExecutor(64)
        self.begins(seats=8)

    def begins(self, *, seats: int) -> None:
        self.room = HashingRoom(seats=seats)
        self.monkeypatch.setattr(hashers, "_room", self.room)

    @contextmanager
    def kept_waiting(self) -> Iterator[None]:
        self.gate.clear()
        try:
            yield
        finally:
            self.gate.set()

    def comes(self, who: str, *, known: bool = False) -> Future[str]:
        """And has a seat, or is told that there is none, when this returns."""

        def ask() -> str:
            with hashing_for(who, known=known):
                return self.room.hash(hash_slowly)

        def hash_slowly() -> str:
            self.order.append(who)
            self.gate.wait(60)
            return who

        there = self._seated()
        answer = self.threads.submit(ask)
        # The first is in work before the next comes.
        assert poll(lambda: answer.done() or (self._seated() != there and self.order))
        return answer

    def _seated(self) -> list[object]:
        return list(map(id, self.room._turns))


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    monkeypatch.setattr(hashers, "PATIENCE", {False: 60.0, True: 60.0})
    everybody = Crowd(monkeypatch)
    yield everybody
    everybody.gate.set()
    everybody.threads.shutdown()


def is_refused(answer: Future[str]) -> bool:
    return isinstance(answer.exception(timeout=30), PasswordsBusy)


def priority() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a priority of its own on Linux alone")
def test_passwords_are_hashed_at_a_lower_priority_than_requests_are_answered() -> None:
    make_password(PASSWORD)

    assert hashers._room._thread.submit(priority).result() == min(priority() + 5, 19)


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
def test_who_comes_when_as_many_wait_as_may_is_told_to_come_back(crowd: "Crowd") -> None:
    boss = build_admin()
    crowd.begins(seats=1)
    at_the_api = {"email": boss.email, "password": PASSWORD}
    in_the_console = {"username": boss.email, "password": PASSWORD}
    boss_in_the_console = Client()
    boss_in_the_console.force_login(boss)
    new = {"old_password": PASSWORD, "new_password1": "another horse battery", "new_password2": "another horse battery"}

    with crowd.kept_waiting():
        crowd.comes("198.51.100.1")
        # Whoever is signed in has half as many places more, which is one.
        crowd.comes("somebody", known=True)
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
                "reason": "A new colleague",
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


class TestWaiting:
    def test_strangers_are_as_many_as_may_and_known_ones_have_places_of_their_own(self, crowd: Crowd) -> None:
        with crowd.kept_waiting():
            strangers = [crowd.comes(f"198.51.100.{number}") for number in range(8)]
            assert is_refused(crowd.comes("198.51.100.99"))
            known = [crowd.comes(f"person {number}", known=True) for number in range(4)]
            assert is_refused(crowd.comes("person 99", known=True))

        assert [answer.result(30) for answer in strangers + known] == [
            *(f"198.51.100.{number}" for number in range(8)),
            *(f"person {number}" for number in range(4)),
        ]

    def test_known_ones_go_first_and_every_fourth_turn_is_a_strangers(self, crowd: Crowd) -> None:
        with crowd.kept_waiting():
            answers = [crowd.comes(who) for who in ("in work", "stranger 1", "stranger 2")]
            answers += [crowd.comes(f"known {number}", known=True) for number in range(1, 6)]

        assert all(answer.result(30) for answer in answers)
        assert crowd.order == [
            *("in work", "known 1", "known 2", "known 3", "stranger 1", "known 4", "known 5", "stranger 2")
        ]

    def test_who_takes_every_place_gives_one_to_who_has_none(self, crowd: Crowd) -> None:
        with crowd.kept_waiting():
            flood = [crowd.comes("198.51.100.1") for _ in range(8)]
            assert is_refused(crowd.comes("198.51.100.1"))
            other = crowd.comes("203.0.113.7")
            assert is_refused(flood[7]), "the one that came last"

        assert [answer.result(30) for answer in (*flood[:7], other)] == ["198.51.100.1"] * 7 + ["203.0.113.7"]
        assert crowd.order[1] == "203.0.113.7", "who has none before them goes before who has"

    def test_whoever_waits_for_too_long_is_told_and_nothing_is_hashed_for_them(
        self, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with crowd.kept_waiting():
            crowd.comes("in work")
            monkeypatch.setattr(hashers, "PATIENCE", {False: 0.01, True: 60.0})
            assert is_refused(crowd.comes("198.51.100.1"))
            known = crowd.comes("person", known=True)

        assert known.result(30) == "person"
        assert crowd.order == ["in work", "person"]

    def test_a_place_is_free_again_however_it_ended(self, crowd: Crowd) -> None:
        crowd.begins(seats=1)
        crowd.gate.set()

        def fail() -> str:
            raise ValueError("salt")

        for _ in range(3):
            with pytest.raises(ValueError, match="salt"):
                crowd.room.hash(fail)
        assert crowd.comes("198.51.100.1").result(30) == "198.51.100.1"

    def test_patience_is_three_seconds_for_strangers(self) -> None:
        assert hashers.PATIENCE[False] == 3.0


class TestFlood:
    """20 connections from 20 addresses that sign in without a pause, over sockets."""

    HOME = "203.0.113.7"

    def login(self, url: str, email: str, password: str, address: str) -> requests.Response:
        credentials = {"email": email, "password": password}
        return requests.post(f"{url}/auth/login", json=credentials, headers={"X-Forwarded-For": address}, timeout=60)

    @pytest.mark.parametrize("known", [True, False])
    def test_an_owner_comes_in_from_where_they_signed_in_before(
        self, known: bool, api_server: str, crowd: Crowd, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.TRUSTED_PROXIES = ["127.0.0.1/32"]
        ada = build_user(email="ada@example.com")
        session_open(ada, device=Device(ip=self.HOME if known else "203.0.113.99"))
        encode = BCryptSHA256PasswordHasher.encode

        def slowly(hasher: Any, password: str, salt: Any) -> str:
            crowd.order.append(password)
            crowd.gate.wait(60)
            hashed: str = encode(hasher, password, salt)
            return hashed

        monkeypatch.setattr(BCryptSHA256PasswordHasher, "encode", slowly)
        with crowd.kept_waiting():
            flood = [
                crowd.threads.submit(
                    self.login,
                    api_server,
                    f"nobody-{number}@example.com",
                    "wrong horse battery",
                    f"198.51.100.{number}",
                )
                for number in range(20)
            ]
            assert poll(lambda: sum(answer.done() for answer in flood) == 12 and len(crowd.room.waiting()) == 7)
            owners = crowd.threads.submit(self.login, api_server, ada.email, PASSWORD, self.HOME)
            assert poll(lambda: owners.done() or Asker(ada.email, known=True) in crowd.room.waiting())

        assert sorted(answer.result().status_code for answer in flood) == [401] * 8 + [503] * 12
        assert owners.result().status_code == (200 if known else 503)
        assert (crowd.order.index(PASSWORD) == 1) if known else (PASSWORD not in crowd.order)
        assert Session.objects.filter(ip=self.HOME).count() == 2 * known
