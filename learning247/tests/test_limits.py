"""How often somebody may ask: what is counted for whom, what is said of it, and what happens while nobody can count."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.urls import path
from django_ratelimit import core
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from accounts.models import Session
from accounts.services.google_codes import google_code_issue
from accounts.tests.builders import PASSWORD, build_admin, build_totp, build_user, sign_in
from accounts.totp import totp_code, totp_step
from courses.tests.builders import build_course
from learning247.kit.clock import now
from learning247.kit.redis_pause import redis_is_paused
from learning247.records.models import IdempotencyRecord
from learning247.settings import ratelimits as rates
from learning247.settings.env import env
from payments.models import Payment
from payments.tests.conftest import free_port
from payments.tests.wire import poll

ROOT = Path(__file__).parents[2]
NO_REDIS = "redis://127.0.0.1:1/0"
STATED = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")

Limit = Callable[..., None]


@pytest.fixture
def limit(settings: Any) -> Limit:
    """`limit(general=3)`: so many a day, and of what is not named more than a test asks for."""

    def switch_on(**limits: int) -> None:
        settings.RATELIMIT_ENABLE = True
        wide = dict.fromkeys(rates.DEFAULTS, "9999/1d")
        settings.RATELIMIT_RATES = wide | {name: f"{number}/1d" for name, number in limits.items()}

    return switch_on


@pytest.fixture
def without_redis(limit: Limit, settings: Any) -> None:
    limit()
    settings.CACHES = {**settings.CACHES, "default": {**settings.CACHES["default"], "LOCATION": NO_REDIS}}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """`.seconds` is what the library takes for now."""
    moved = SimpleNamespace(seconds=1_800_000_000)
    monkeypatch.setattr(core, "time", SimpleNamespace(time=lambda: moved.seconds))
    return moved


def client_at(address: str = "203.0.113.7", **headers: str) -> APIClient:
    return APIClient(raise_request_exception=False, REMOTE_ADDR=address, headers=headers or None)


def code_of(answer: Any) -> str:
    return str(answer.json()["errors"][0]["code"])


def error_of(answer: Any) -> Any:
    """Without the seconds: windows begin at times of their own, whoever they are for."""
    error = answer.json()["errors"][0]
    return error | {"detail": re.sub(r"\d+", "n", error["detail"])}


def is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/health/live", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def statuses(number: int, ask: Callable[[], Any]) -> list[int]:
    return [ask().status_code for _ in range(number)]


def login(client: APIClient, email: str, password: str = "wrong horse battery") -> Any:
    return client.post("/auth/login", {"email": email, "password": password}, format="json")


class TestCounting:
    def test_answers_say_what_is_left_and_the_one_too_many_is_refused(self, limit: Limit) -> None:
        limit(general=3)
        client = client_at()

        first, second, third, fourth = (client.get("/") for _ in range(4))

        assert [one.status_code for one in (first, second, third)] == [200, 200, 200]
        assert [one["RateLimit-Remaining"] for one in (first, second, third)] == ["2", "1", "0"]
        assert [one["RateLimit-Limit"] for one in (first, fourth)] == ["3", "3"]
        assert (fourth.status_code, fourth["RateLimit-Remaining"]) == (429, "0")
        assert fourth["Retry-After"] == fourth["RateLimit-Reset"]
        assert 1 <= int(fourth["Retry-After"]) <= 86_400
        body, error = fourth.json(), fourth.json()["errors"][0]
        assert (body["type"], error["code"], error["attr"]) == ("client_error", "throttled", None)
        assert body["request_id"] == fourth["X-Request-ID"]

    def test_when_the_window_ends_it_begins_anew_and_not_a_second_earlier(
        self, limit: Limit, clock: SimpleNamespace
    ) -> None:
        limit(general=1)
        client = client_at()
        began = client.get("/")
        reset = int(began["RateLimit-Reset"])

        clock.seconds += reset - 1
        last = client.get("/")
        clock.seconds += int(last["Retry-After"])
        anew = client.get("/")

        assert (began.status_code, last.status_code, anew.status_code) == (200, 429, 200)
        assert last["Retry-After"] == "1"
        assert (anew["RateLimit-Remaining"], anew["RateLimit-Reset"]) == ("0", "86400")

    def test_every_address_has_its_own(self, limit: Limit) -> None:
        limit(general=1)

        assert statuses(2, lambda: client_at("203.0.113.7").get("/")) == [200, 429]
        assert statuses(2, lambda: client_at("203.0.113.8").get("/")) == [200, 429]

    def test_a_forged_forwarding_header_is_no_new_address(self, limit: Limit) -> None:
        limit(general=1)

        forged = [client_at(**{"X-Forwarded-For": f"198.51.100.{number}"}).get("/") for number in range(3)]

        assert [one.status_code for one in forged] == [200, 429, 429]

    def test_behind_a_proxy_of_ours_it_is_the_clients_address(self, limit: Limit, settings: Any) -> None:
        limit(general=1)
        settings.TRUSTED_PROXIES = ["10.0.0.0/8"]

        def ask(forwarded: str) -> int:
            return int(client_at("10.0.0.5", **{"X-Forwarded-For": forwarded}).get("/").status_code)

        assert [ask("198.51.100.1"), ask("198.51.100.2")] == [200, 200]
        assert ask("6.6.6.6, 198.51.100.1") == 429

    def test_an_ipv6_customer_is_one_address(self, limit: Limit) -> None:
        limit(general=1)

        assert client_at("2001:db8:0:aa01::1").get("/").status_code == 200
        assert client_at("2001:db8:0:aaff:9::9").get("/").status_code == 429
        assert client_at("2001:db8:0:ab00::1").get("/").status_code == 200

    @pytest.mark.django_db
    def test_who_is_signed_in_counts_alone_wherever_they_are(self, limit: Limit) -> None:
        limit(general=2)
        one, other = client_at(), client_at()
        sign_in(one, build_user())
        sign_in(other, build_user())

        assert statuses(3, lambda: one.get("/auth/me")) == [200, 200, 429]
        assert statuses(3, lambda: other.get("/auth/me")) == [200, 200, 429]
        assert statuses(3, lambda: client_at().get("/")) == [200, 200, 429]

    @pytest.mark.django_db
    def test_who_is_refused_counts_too(self, limit: Limit) -> None:
        limit(general=2, admin=1)
        stranger, forger, learner = client_at("203.0.113.1"), client_at("203.0.113.2"), client_at()
        forger.credentials(HTTP_AUTHORIZATION="Bearer forged")
        sign_in(learner, build_user())

        assert statuses(3, lambda: stranger.get("/auth/me")) == [401, 401, 429]
        assert statuses(3, lambda: forger.get("/auth/me")) == [401, 401, 429]
        assert statuses(2, lambda: learner.get("/api/admin/course-enrollments")) == [403, 429]

    def test_what_is_wrong_with_a_request_does_not_make_it_free(self, limit: Limit) -> None:
        limit(general=2)
        client = client_at()

        assert [client.delete("/").status_code, client.post("/auth/logout", {}, format="json").status_code] == [
            405,
            401,
        ]
        assert client.get("/").status_code == 429

    @pytest.mark.django_db
    @pytest.mark.parametrize("address", ["/health/live", "/health/ready", "/api/webhooks/paystack", "/static/none.css"])
    def test_some_addresses_are_free(self, limit: Limit, address: str) -> None:
        limit(general=1)
        client = client_at()
        client.get("/")

        answer = (
            client.post(address, b"{}", content_type="application/json")
            if "webhooks" in address
            else client.get(address)
        )

        assert answer.status_code != 429
        assert not [name for name in STATED if name in answer]
        assert client.get("/").status_code == 429

    def test_a_preflight_is_free_and_lets_scripts_read_what_is_left(self, limit: Limit, settings: Any) -> None:
        limit(general=1)
        client = client_at(Origin=settings.CORS_ALLOWED_ORIGINS[0])

        preflight = client.options("/", headers={"Access-Control-Request-Method": "GET"})
        answer = client.get("/")

        assert (preflight.status_code, answer.status_code) == (200, 200)
        assert set(STATED) | {"Retry-After"} <= set(answer["Access-Control-Expose-Headers"].split(", "))

    def test_a_refusal_can_be_read_by_scripts_of_our_client(self, limit: Limit, settings: Any) -> None:
        limit(general=1)
        client = client_at(Origin=settings.CORS_ALLOWED_ORIGINS[0])
        client.get("/")

        refused = client.get("/")

        assert (refused.status_code, refused["Access-Control-Allow-Origin"]) == (
            429,
            settings.CORS_ALLOWED_ORIGINS[0],
        )


@pytest.mark.django_db
class TestScopes:
    def test_staffs_doors_have_a_limit_of_their_own(self, limit: Limit) -> None:
        limit(general=1, admin=3)
        client = client_at()
        sign_in(client, build_admin())

        assert statuses(4, lambda: client.get("/api/admin/course-enrollments")) == [200, 200, 200, 429]
        assert client.get("/auth/me").status_code == 200

    def test_paying_is_limited_more_than_looking_at_payments(self, limit: Limit) -> None:
        limit(general=5, payments=1)
        client = client_at()
        sign_in(client, build_user())

        assert statuses(2, lambda: client.post("/api/payments/initialize", {}, format="json")) == [400, 429]
        assert statuses(4, lambda: client.get("/api/payments")) == [200, 200, 200, 429]

    def test_buying_a_course_counts_as_paying(self, limit: Limit) -> None:
        limit(payments=1)
        course = build_course()
        client = client_at()
        sign_in(client, build_user())

        assert statuses(2, lambda: client.post("/api/payments/initialize", {}, format="json")) == [400, 429]
        assert client.post(f"/api/courses/{course.id}/purchase", {}, format="json").status_code == 429
        assert client.get(f"/api/courses/{course.id}").status_code == 200

    def test_asking_whether_it_was_paid_is_limited_by_address(self, limit: Limit) -> None:
        limit(payments=1)

        assert statuses(2, lambda: client_at("203.0.113.1").post("/api/payments/verify/L247-none")) == [404, 429]
        assert client_at("203.0.113.2").post("/api/payments/verify/L247-none").status_code == 404


class TestRepeats:
    """Of an Idempotency-Key."""

    @pytest.fixture
    def buy(self, gateways: Any) -> Iterator[Callable[..., Any]]:
        course, session = build_course(), requests.Session()
        client = APIClient()
        token = sign_in(client, build_user()).access

        def post(key: str, currency: str = "NGN") -> requests.Response:
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
            url = f"{gateways.url}/api/courses/{course.id}/purchase"
            return session.post(url, json={"currency": currency}, headers=headers, timeout=30)

        yield post
        session.close()

    def test_the_same_answer_again_is_free(self, limit: Limit, buy: Callable[..., Any]) -> None:
        limit(payments=2)

        first, *again = (buy("one") for _ in range(5))

        assert (first.status_code, first.headers["RateLimit-Remaining"]) == (201, "1")
        assert [(one.status_code, one.headers["Idempotency-Replayed"], one.content) for one in again] == [
            (201, "true", first.content)
        ] * 4
        assert buy("two").headers["RateLimit-Remaining"] == "0"
        assert buy("three").status_code == 429
        assert buy("one").content == first.content

    def test_a_refused_request_leaves_its_key_free(self, limit: Limit, buy: Callable[..., Any]) -> None:
        limit(payments=1)
        buy("one")

        assert buy("two").status_code == 429
        assert list(IdempotencyRecord.objects.values_list("key", flat=True)) == ["one"]
        assert Payment.objects.count() == 1

    def test_a_key_for_another_request_counts(self, limit: Limit, buy: Callable[..., Any]) -> None:
        limit(payments=3)
        buy("one")

        reused = [buy("one", "USD") for _ in range(3)]

        assert [one.status_code for one in reused] == [422, 422, 429]
        assert buy("one").status_code == 201

    @pytest.mark.race
    def test_of_32_at_once_with_one_key_one_counts(self, limit: Limit, buy: Callable[..., Any]) -> None:
        limit(payments=2)

        with ThreadPoolExecutor(32) as pool:
            at_once = list(pool.map(lambda number: buy("one"), range(32)))

        assert {one.status_code for one in at_once} <= {201, 409}
        assert {one.json()["errors"][0]["code"] for one in at_once if one.status_code == 409} <= {
            "idempotency_in_progress"
        }
        assert Payment.objects.count() == 1
        assert (buy("two").status_code, buy("three").status_code) == (201, 429)

    @pytest.mark.race
    def test_of_32_at_once_with_32_keys_no_more_than_the_limit_buy(self, limit: Limit, buy: Callable[..., Any]) -> None:
        limit(payments=5)

        with ThreadPoolExecutor(32) as pool:
            at_once = list(pool.map(lambda number: buy(f"key-{number}").status_code, range(32)))

        assert at_once.count(429) == 27
        assert IdempotencyRecord.objects.count() == 5


@pytest.mark.django_db
class TestSigningIn:
    def test_one_account_is_tried_only_so_often_from_one_address(self, limit: Limit) -> None:
        limit(sign_in_account=2)
        build_user(email="ada@example.com")

        assert statuses(3, lambda: login(client_at(), "ada@example.com")) == [401, 401, 429]
        assert login(client_at(), " ADA@Example.com ").status_code == 429
        assert login(client_at(), "ada@example.com", PASSWORD).status_code == 429
        assert not Session.objects.exists()
        assert login(client_at(), "eve@example.com").status_code == 401

    def test_a_known_and_an_unknown_account_are_refused_alike(self, limit: Limit) -> None:
        limit(sign_in_account=1)
        build_user(email="ada@example.com")

        refused = []
        for email in ("ada@example.com", "nobody@example.com"):
            login(client_at(), email)
            refused.append(login(client_at(), email))

        known, unknown = refused
        assert (known.status_code, error_of(known)) == (unknown.status_code, error_of(unknown))
        assert sorted(known.headers) == sorted(unknown.headers)

    def test_one_address_tries_only_so_many_accounts(self, limit: Limit) -> None:
        limit(sign_in=3, sign_in_crowd=4, sign_in_slowed=1)

        assert [login(client_at(), f"person{number}@x.example").status_code for number in range(9)] == [
            *(401, 401, 401), *(401, 401, 401, 401), *(429, 429)
        ]  # fmt: skip
        assert login(client_at("203.0.113.8"), "person9@x.example").status_code == 401

    def test_an_address_at_its_limit_has_one_try_for_each_account_that_is_new_there(self, limit: Limit) -> None:
        limit(sign_in=3, sign_in_slowed=1)
        build_user(email="ada@example.com")
        build_user(email="bola@example.com")
        for number in range(5):
            login(client_at(), f"person{number}@x.example")

        assert login(client_at(), "ada@example.com", PASSWORD).status_code == 200
        assert statuses(2, lambda: login(client_at(), "bola@example.com")) == [401, 429]
        assert login(client_at(), "bola@example.com", PASSWORD).status_code == 429
        assert login(client_at("203.0.113.8"), "bola@example.com", PASSWORD).status_code == 200

    def test_what_neighbours_do_keeps_nobody_out_who_signed_in_from_there_before(self, limit: Limit) -> None:
        limit()
        build_user(email="ada@example.com")
        assert login(client_at(), "ada@example.com", PASSWORD).status_code == 200

        limit(general=1, sign_in=1, sign_in_crowd=1, sign_in_slowed=1, reset=1, sign_in_account=4)
        neighbours = [login(client_at(), f"person{number}@x.example").status_code for number in range(4)]
        looked = statuses(3, lambda: client_at().get("/"))
        forgot = [
            client_at().post("/auth/forgot-password", {"email": email}, format="json").status_code
            for email in ("person1@x.example", "person2@x.example", "ada@example.com")
        ]

        assert (neighbours, looked, forgot) == ([401, 401, 429, 429], [200, 429, 429], [429, 429, 200])
        assert [
            login(client_at(), "ada@example.com", password).status_code
            for password in ("wrong horse battery", PASSWORD, PASSWORD, PASSWORD, PASSWORD)
        ] == [401, 200, 200, 200, 429]

    def test_who_is_signed_in_is_not_kept_from_anything_by_neighbours(self, limit: Limit) -> None:
        limit(general=2, codes=2)
        ada, eve = client_at(), client_at()
        sign_in(ada, build_user())
        sign_in(eve, build_user())
        change = {"current_password": "guessed horse battery", "new_password": "another horse battery"}

        assert statuses(3, lambda: client_at().get("/")) == [200, 200, 429]
        assert statuses(3, lambda: eve.post("/auth/change-password", change, format="json")) == [400, 400, 429]
        change["current_password"] = PASSWORD
        assert ada.get("/auth/me").status_code == 200
        assert ada.post("/auth/change-password", change, format="json").status_code == 200

    def test_sign_ins_that_succeed_do_not_use_up_what_an_address_has(self, limit: Limit) -> None:
        limit(sign_in=3, sign_in_crowd=1)
        people = [build_user() for _ in range(8)]

        assert [login(client_at(), one.email, PASSWORD).status_code for one in people] == [200] * 8
        assert [login(client_at(), f"person{number}@x.example").status_code for number in range(5)] == [
            *(401, 401, 401, 401, 429)
        ]

    def test_the_second_factor_is_asked_for_also_where_neighbours_used_the_limit_up(
        self, limit: Limit, clock: SimpleNamespace
    ) -> None:
        limit(sign_in=1, sign_in_slowed=1)
        ada = build_user(email="ada@example.com", verified=True)
        secret = build_totp(ada)
        statuses(3, lambda: login(client_at(), "person@x.example"))

        asked = login(client_at(), "ada@example.com", PASSWORD)
        proof = {
            "challenge": asked.json()["extra"]["challenge"],
            "code": totp_code(secret=secret, step=totp_step(now())),
        }
        opened = client_at().post("/auth/login/second-factor", proof, format="json")

        assert (asked.status_code, opened.status_code) == (401, 200)

    def test_who_tries_an_account_elsewhere_does_not_lock_its_owner_out(self, limit: Limit) -> None:
        limit(sign_in_account=2)
        build_user(email="ada@example.com")

        assert statuses(9, lambda: login(client_at("198.51.100.1"), "ada@example.com")).count(429) == 7
        assert login(client_at(), "ada@example.com", PASSWORD).status_code == 200

    def test_under_attack_from_everywhere_new_addresses_are_slowed_and_known_ones_are_not(self, limit: Limit) -> None:
        limit(sign_in_account=3, sign_in_everywhere=10, sign_in_slowed=1)
        build_user(email="ada@example.com")
        home, new = client_at("203.0.113.7"), client_at("203.0.113.8")
        assert login(home, "ada@example.com", PASSWORD).status_code == 200

        attack = [
            [login(client_at(f"198.51.100.{number}"), "ada@example.com").status_code for _ in range(4)]
            for number in range(6)
        ]

        # Ten tries: three addresses with three (and one refused), and the first of the next that found it used up.
        assert attack[:2] == [[401, 401, 401, 429]] * 2
        assert attack[3:] == [[401, 429, 429, 429]] * 3
        assert statuses(2, lambda: login(home, "ada@example.com")) == [401, 401]
        assert statuses(2, lambda: login(new, "ada@example.com")) == [401, 429]

    def test_an_owner_at_a_new_address_can_sign_in_during_an_attack(self, limit: Limit) -> None:
        limit(sign_in_everywhere=1, sign_in_slowed=1)
        build_user(email="ada@example.com")
        for number in range(5):
            login(client_at(f"198.51.100.{number}"), "ada@example.com")

        assert login(client_at(), "ada@example.com", PASSWORD).status_code == 200

    def test_only_whoever_signed_in_makes_an_address_known(self, limit: Limit) -> None:
        limit(sign_in_everywhere=1, sign_in_slowed=1)
        build_user(email="ada@example.com")
        eve = client_at("198.51.100.1")
        build_user(email="eve@example.com")
        assert login(eve, "eve@example.com", PASSWORD).status_code == 200
        for number in range(2, 5):
            login(client_at(f"198.51.100.{number}"), "ada@example.com")

        assert statuses(2, lambda: login(eve, "ada@example.com")) == [401, 429]

    @pytest.mark.parametrize(
        ("method", "address"),
        [("GET", "/auth/google"), ("POST", "/auth/login"), ("POST", "/auth/login/second-factor"),
         ("POST", "/auth/google/exchange"), ("POST", "/auth/register"), ("GET", "/")],
    )  # fmt: skip
    def test_no_request_that_merely_names_an_account_makes_an_address_known(
        self, limit: Limit, method: str, address: str
    ) -> None:
        limit(sign_in_everywhere=1, sign_in_slowed=1)
        build_user(email="ada@example.com")
        eve = client_at("198.51.100.1")
        named = json.dumps({"email": "ada@example.com", "password": "wrong horse battery", "code": "1"})

        eve.generic(method, address, named, content_type="application/json")

        assert not core.caches["default"].client.get_client().keys("known:*")

    def test_where_somebody_came_by_google_is_known_as_theirs(self, limit: Limit) -> None:
        limit(sign_in_everywhere=1, sign_in_slowed=1)
        ada = build_user(email="ada@example.com")
        with transaction.atomic():
            code = google_code_issue(user=ada, code_challenge="")
        home = client_at()
        assert home.post("/auth/google/exchange", {"code": code}, format="json").status_code == 200
        for number in range(2):
            login(client_at(f"198.51.100.{number}"), "ada@example.com")

        assert statuses(3, lambda: login(home, "ada@example.com")) == [401, 401, 401]
        assert statuses(2, lambda: login(client_at("203.0.113.8"), "ada@example.com")) == [401, 429]

    def test_who_names_an_account_on_the_way_to_google_counts_by_address(self, limit: Limit) -> None:
        limit(sign_in_crowd=2, sign_in_everywhere=1, sign_in_slowed=1)
        build_user(email="ada@example.com")
        named = json.dumps({"email": "ada@example.com"})

        def set_out() -> Any:
            return client_at("198.51.100.1").generic("GET", "/auth/google", named, content_type="application/json")

        assert statuses(3, set_out) == [302, 302, 429]
        assert statuses(2, lambda: login(client_at(), "ada@example.com")) == [401, 401]

    @pytest.mark.parametrize("body", [b"{", b"[]", b'{"email": 7}', b'{"email": ""}', b"{}"])
    def test_a_body_without_an_account_counts_by_address(self, limit: Limit, body: bytes) -> None:
        limit(sign_in=2)

        answered = statuses(3, lambda: client_at().post("/auth/login", body, content_type="application/json"))

        assert answered == [400, 400, 429]

    def test_a_new_password_is_asked_for_only_so_often_and_elsewhere_by_its_owner(self, limit: Limit) -> None:
        limit(reset=5, reset_account=2)
        build_user(email="ada@example.com")

        def forgotten(email: str, address: str = "198.51.100.1") -> int:
            answer = client_at(address).post("/auth/forgot-password", {"email": email}, format="json")
            return int(answer.status_code)

        assert [forgotten("ada@example.com") for _ in range(3)] == [200, 200, 429]
        assert [forgotten("nobody@example.com") for _ in range(3)] == [200, 200, 429]
        assert forgotten("ada@example.com", "203.0.113.7") == 200

    def test_a_link_and_a_current_password_are_guessed_only_so_often(self, limit: Limit) -> None:
        limit(reset=2, codes=2)
        client = client_at()
        sign_in(client, build_user())
        link = {"token": "guessed", "password": "another horse battery"}
        change = {"current_password": "guessed horse battery", "new_password": "another horse battery"}

        reset = statuses(3, lambda: client_at().post("/auth/reset-password", link, format="json"))
        changed = statuses(3, lambda: client.post("/auth/change-password", change, format="json"))

        assert (reset[2], changed[2]) == (429, 429)
        assert 429 not in reset[:2] + changed[:2]

    def test_no_email_stands_in_redis(self, limit: Limit) -> None:
        limit()
        build_user(email="ada@example.com")
        login(client_at(), "ada@example.com", PASSWORD)

        redis = core.caches["default"].client.get_client()
        assert len(redis.keys("limits:*")) == 3
        assert len(redis.keys("known:*")) == 1
        assert not [key for key in redis.keys("*") if b"ada" in key or b"203.0" in key]


@pytest.mark.django_db
class TestWithoutRedis:
    @pytest.fixture(autouse=True)
    def away(self, without_redis: None) -> None:
        pass

    def test_reading_goes_on(self) -> None:
        course = build_course()

        answer = client_at().get(f"/api/courses/{course.id}")

        assert answer.status_code == 200
        assert not [name for name in STATED if name in answer]

    def test_it_is_asked_once_and_then_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[str] = []
        get_usage = core.get_usage
        monkeypatch.setattr(
            "learning247.kit.api.throttles.get_usage",
            lambda *positional, **named: asked.append(named["group"]) or get_usage(*positional, **named),  # type: ignore[func-returns-value]
        )

        assert statuses(5, lambda: client_at().get("/")) == [200] * 5
        assert asked == ["general"]
        assert redis_is_paused()

    def test_nobody_signs_in_and_whoever_is_stays_so(self) -> None:
        build_user(email="ada@example.com")
        client = client_at()
        tokens = sign_in(client, build_user())

        refused = login(client_at(), "ada@example.com", PASSWORD)

        assert (refused.status_code, code_of(refused), refused["Retry-After"]) == (503, "service_unavailable", "5")
        assert Session.objects.count() == 1
        assert client.get("/auth/me").status_code == 200
        assert client_at().post("/auth/refresh", {"refresh": tokens.refresh}, format="json").status_code == 200

    def test_whoever_has_no_token_is_told_that(self) -> None:
        assert statuses(2, lambda: client_at().get("/auth/me")) == [401, 401]

    def test_money_comes_in_and_none_goes_out(self, settings: Any) -> None:
        settings.ROOT_URLCONF = __name__

        assert client_at().post("/in").status_code == 200
        refused = client_at().post("/out")

        assert (refused.status_code, refused["Retry-After"]) == (503, "5")
        assert [client_at().post(f"/{scope}").status_code for scope in ("refunds", "codes", "reset", "register")] == [
            *(503, 503, 503, 503)
        ]


class Door(APIView):
    permission_classes = (AllowAny,)
    authentication_classes = ()
    throttle_scope = ""

    def post(self, request: Request) -> Response:
        return Response({})


urlpatterns = [
    path(address, Door.as_view(throttle_scope=scope))
    for address, scope in [("in", "payments"), ("out", "wallet")]
    + [(scope, scope) for scope in ("refunds", "codes", "reset", "register")]
]


class TestSeveralProcesses:
    @pytest.fixture
    def two(self, tmp_path: Path) -> Iterator[list[str]]:
        """Two gunicorns of this run's Redis, 100 requests a day."""
        running, urls = [], []
        for number in range(2):
            port = free_port()
            place = {"WEB_HOST": "127.0.0.1", "PORT": str(port), "WEB_CONCURRENCY": "1", "WEB_THREADS": "8"}
            limits = {"RATELIMIT_ENABLE": "True", "RATELIMIT_GENERAL": "100/1d", "DJANGO_ENV": "test"}
            log = (tmp_path / f"web-{number}.log").open("wb")
            running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "gunicorn"],
                    cwd=ROOT,
                    env=os.environ | place | limits | {"DJANGO_SETTINGS_MODULE": "learning247.settings.test"},
                    stdout=log,
                    stderr=log,
                )
            )
            urls.append(f"http://127.0.0.1:{port}")
        try:
            assert all(poll(lambda url=url: is_up(url), seconds=60) for url in urls)  # type: ignore[misc]
            yield urls
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(timeout=20)

    @pytest.mark.race
    def test_of_200_at_once_over_two_processes_exactly_100_are_answered(self, two: list[str]) -> None:
        with ThreadPoolExecutor(40) as pool:
            answered = list(pool.map(lambda number: requests.get(two[number % 2], timeout=60), range(200)))

        counted = [one.status_code for one in answered]
        assert (counted.count(200), counted.count(429)) == (100, 100)
        left = sorted(int(one.headers["RateLimit-Remaining"]) for one in answered if one.status_code == 200)
        assert left == list(range(100))
        assert min(counted[0::2].count(200), counted[1::2].count(200)) > 0, "both took part"


class TestSettings:
    def test_the_defaults_are_the_contracts(self) -> None:
        assert rates.ratelimits() == rates.DEFAULTS
        assert [rates.DEFAULTS[name] for name in ("general", "payments", "wallet", "admin")] == [
            *("100/15m", "10/15m", "10/15m", "200/15m")
        ]

    def test_a_laptop_has_a_hundred_times_as_much(self) -> None:
        assert rates.ratelimits(times=100)["general"] == "10000/15m"
        assert rates.ratelimits(times=100)["sign_in_everywhere"] == "10000/1h"

    def test_what_the_environment_says_is_meant_as_it_stands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(env.ENVIRON, "RATELIMIT_GENERAL", "7/30s")

        assert rates.ratelimits(times=100)["general"] == "7/30s"

    @pytest.mark.parametrize("wrong", ["100", "0/15m", "100/15", "100/0m", "1e3/15m", "100/15 minutes", "-1/15m"])
    def test_a_rate_that_is_none_stops_the_start(self, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
        monkeypatch.setitem(env.ENVIRON, "RATELIMIT_WALLET", wrong)

        with pytest.raises(ImproperlyConfigured, match="RATELIMIT_WALLET"):
            rates.ratelimits()

    def test_every_rate_is_explained(self) -> None:
        explained = (ROOT / ".env.example").read_text()

        for name, rate in rates.DEFAULTS.items():
            assert f"\n# RATELIMIT_{name.upper()}={rate}\n" in explained
