"""One's own password in the console: the old one is guessed as often there as at the API."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services.sessions import session_open
from accounts.tests.builders import PASSWORD, build_admin, sign_in
from learning247.settings.ratelimits import DEFAULTS

pytestmark = pytest.mark.django_db
PAGE = "/admin/password_change/"
NEW = "another horse battery"


@pytest.fixture(autouse=True)
def two_tries(settings: Any) -> None:
    settings.RATELIMIT_ENABLE = True
    settings.RATELIMIT_RATES = dict.fromkeys(DEFAULTS, "99/1d") | {"codes": "2/1d"}
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture
def boss() -> User:
    return build_admin(email="boss@example.com")


def guess(boss: User, old: str = "wrong horse battery", address: str = "203.0.113.7") -> Any:
    client = Client(REMOTE_ADDR=address)
    client.force_login(boss)
    return client.post(PAGE, {"old_password": old, "new_password1": NEW, "new_password2": NEW})


def test_after_too_many_tries_the_right_password_is_refused_too_and_nothing_changes(boss: User) -> None:
    session_open(boss)
    assert [guess(boss).status_code for _ in range(2)] == [200, 200]

    refused = guess(boss, PASSWORD)

    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 86_400
    assert "These were too many tries. Try again in " in refused.content.decode()
    boss.refresh_from_db()
    assert boss.check_password(PASSWORD)


def test_they_are_counted_together_with_those_at_the_api_and_from_everywhere(boss: User) -> None:
    client = APIClient(REMOTE_ADDR="198.51.100.1")
    sign_in(client, boss)
    body = {"current_password": "wrong horse battery", "new_password": NEW}
    assert client.post("/auth/change-password", body, format="json").status_code == 400
    assert guess(boss).status_code == 200

    assert guess(boss, PASSWORD, address="192.0.2.1").status_code == 429


def test_within_the_limit_it_is_changed(boss: User) -> None:
    answer = guess(boss, PASSWORD)

    assert (answer.status_code, answer["Location"], answer["RateLimit-Remaining"]) == (
        302,
        "/admin/password_change/done/",
        "1",
    )
    boss.refresh_from_db()
    assert boss.check_password(NEW)


def test_without_redis_nobody_guesses(boss: User, settings: Any) -> None:
    away = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "default": away}

    refused = guess(boss, PASSWORD)

    assert (refused.status_code, refused["Retry-After"]) == (503, "5")
    boss.refresh_from_db()
    assert boss.check_password(PASSWORD)


def test_the_page_itself_is_free(boss: User) -> None:
    client = Client()
    client.force_login(boss)

    assert [client.get(PAGE).status_code for _ in range(5)] == [200] * 5
