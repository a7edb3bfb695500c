"""Signing in to the staff console: as often as at the API, and counted together with it."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.selectors import console_sign_in_is_known, sign_in_is_known
from accounts.tests.builders import PASSWORD, build_admin
from learning247.settings.ratelimits import DEFAULTS

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"


@pytest.fixture(autouse=True)
def two_tries(settings: Any) -> None:
    settings.RATELIMIT_ENABLE = True
    settings.RATELIMIT_RATES = dict.fromkeys(DEFAULTS, "99/1d") | {"sign_in_account": "2/1d"}
    build_admin(email="ada@example.com")


def try_at_console(password: str = "wrong horse battery", address: str = "203.0.113.7") -> Any:
    return Client(REMOTE_ADDR=address).post(LOGIN, {"username": "ada@example.com", "password": password})


def test_the_right_password_opens_it() -> None:
    answer = try_at_console(PASSWORD)

    assert (answer.status_code, answer["RateLimit-Remaining"]) == (302, "1")


def test_after_too_many_tries_the_right_password_is_refused_too_and_the_page_says_how_long() -> None:
    assert [try_at_console().status_code for _ in range(2)] == [200, 200]

    refused = try_at_console(PASSWORD)

    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 86_400
    minutes = -(-int(refused["Retry-After"]) // 60)
    assert f"These were too many tries. Try again in {minutes} minutes." in refused.content.decode()
    assert "_auth_user_id" not in refused.wsgi_request.session


def test_tries_at_the_api_count_here() -> None:
    for _ in range(2):
        body = {"email": "ADA@example.com", "password": "wrong horse battery"}
        APIClient(REMOTE_ADDR="203.0.113.7").post("/auth/login", body, format="json")

    assert try_at_console(PASSWORD).status_code == 429
    assert try_at_console(PASSWORD, address="198.51.100.1").status_code == 302


def test_a_wrong_password_makes_no_address_known(settings: Any) -> None:
    under_attack = {"sign_in_account": "9/1d", "sign_in_everywhere": "1/1d", "sign_in_slowed": "1/1d"}
    settings.RATELIMIT_RATES = settings.RATELIMIT_RATES | under_attack

    assert [try_at_console().status_code for _ in range(3)] == [200, 200, 429]


def test_who_came_in_there_before_is_not_kept_out_by_what_neighbours_do(settings: Any) -> None:
    assert try_at_console(PASSWORD).status_code == 302
    used_up = {"sign_in": "1/1d", "sign_in_crowd": "1/1d", "sign_in_account": "9/1d"}
    settings.RATELIMIT_RATES = settings.RATELIMIT_RATES | used_up

    neighbours = [
        APIClient(REMOTE_ADDR="203.0.113.7").post(
            "/auth/login", {"email": f"person{number}@x.example", "password": PASSWORD}, format="json"
        )
        for number in range(3)
    ]

    assert [answer.status_code for answer in neighbours] == [401, 401, 429]
    assert try_at_console(PASSWORD).status_code == 302


def test_from_where_somebody_came_in_a_place_to_wait_is_kept_for_them() -> None:
    try_at_console()
    assert not console_sign_in_is_known(email="ada@example.com", network="203.0.113.7")

    try_at_console(PASSWORD)

    assert console_sign_in_is_known(email=" Ada@Example.com", network="203.0.113.7")
    assert not console_sign_in_is_known(email="ada@example.com", network="203.0.113.8")
    assert not console_sign_in_is_known(email="ada@example.com", network=None)
    assert not console_sign_in_is_known(email="nobody@example.com", network="203.0.113.7")
    assert not sign_in_is_known(email="ada@example.com", network="203.0.113.7"), "no session of the API"


def test_without_redis_nobody_signs_in(settings: Any) -> None:
    away = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "default": away}

    refused = try_at_console(PASSWORD)

    assert (refused.status_code, refused["Retry-After"]) == (503, "5")
    assert "_auth_user_id" not in refused.wsgi_request.session


def test_the_page_itself_is_free() -> None:
    assert [Client().get(LOGIN).status_code for _ in range(5)] == [200] * 5
