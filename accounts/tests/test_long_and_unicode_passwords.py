"""Passwords are taken as they are typed: all of their bytes count, in any script, at every door."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Session, User
from accounts.tests.builders import PASSWORD, build_admin, build_user, sign_in

pytestmark = pytest.mark.django_db

ADA = {"email": "ada@example.com", "first_name": "Ada", "last_name": "Obi"}
BEYOND = "\u1ecd\u0300" * 20  # 100 bytes in UTF-8: bcrypt alone would not look at what follows


def register(password: str) -> Any:
    return APIClient().post("/auth/register", ADA | {"password": password}, format="json")


def login(password: str) -> int:
    body = {"email": "ada@example.com", "password": password}
    return int(APIClient().post("/auth/login", body, format="json").status_code)


def test_bytes_beyond_the_72nd_count_when_signing_up_in_and_changing_it() -> None:
    assert register(BEYOND + "right").status_code == 201
    assert [login(BEYOND + end) for end in ("right", "wrong", "", "right ")] == [200, 401, 401, 401]

    client = APIClient()
    sign_in(client, User.objects.get())
    for end, status in (("wrong", 400), ("right", 200)):
        change = {"current_password": BEYOND + end, "new_password": BEYOND + "next"}
        assert client.post("/auth/change-password", change, format="json").status_code == status
    assert [login(BEYOND + end) for end in ("right", "next")] == [401, 200]


def test_they_count_in_the_console_too() -> None:
    build_admin(email="boss@example.com", password=BEYOND + "right")

    for end, status in (("wrong", 200), ("right", 302)):
        form = {"username": "boss@example.com", "password": BEYOND + end}
        assert Client().post("/admin/login/", form).status_code == status


@pytest.mark.parametrize(
    ("typed_at_first", "typed_then"),
    [
        ("\u00e9t\u00e9 \u00e0 Abidjan", "e\u0301te\u0301 a\u0300 Abidjan"),
        ("e\u0301te\u0301 a\u0300 Abidjan", "\u00e9t\u00e9 \u00e0 Abidjan"),
        ("\uff21\uff42\uff43 correct horse", "Abc correct horse"),
    ],
)
def test_the_same_letters_from_another_keyboard_are_the_same_password(typed_at_first: str, typed_then: str) -> None:
    assert register(typed_at_first).status_code == 201

    assert login(typed_then) == 200


@pytest.mark.parametrize("other", ["CORRECT HORSE \u1e9e", "correct horse ss", "correct horse \u03b2"])
def test_letters_that_only_look_or_sound_alike_are_others(other: str) -> None:
    assert register("correct horse \u00df").status_code == 201

    assert login(other) == 401


@pytest.mark.parametrize(
    "password", ["\U0001f40e" * 64, " leading and trailing ", "\u0627\u0644\u0633\u0631 " * 4, "tab\tand\nline break"]
)
def test_any_script_will_do_and_spaces_are_part_of_it(password: str) -> None:
    assert register(password).status_code == 201

    assert login(password) == 200
    assert password == password.strip() or login(password.strip()) == 401


@pytest.mark.parametrize(("length", "status"), [(256, 201), (257, 400), (100_000, 400)])
def test_the_longest_has_256_characters(length: int, status: int) -> None:
    answer = register(("correct horse battery " * (length // 22 + 1))[:length])

    assert (answer.status_code, User.objects.count()) == (status, int(status == 201))
    if status == 400:
        assert [(error["code"], error["attr"]) for error in answer.json()["errors"]] == [("max_length", "password")]


@pytest.mark.parametrize("path", ["login", "register", "reset-password", "change-password"])
def test_what_is_too_long_never_reaches_the_hasher(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = APIClient()
    sign_in(client, build_user(email="ada@example.com"))
    before = User.objects.values().get()

    def never(*_: Any) -> None:
        raise AssertionError("It was hashed.")

    monkeypatch.setattr("accounts.hashers.normalised_password", never)
    long = "x" * 300_000
    body = ADA | {"token": "t", "password": long, "current_password": PASSWORD, "new_password": long}

    answer = client.post(f"/auth/{path}", body, format="json")

    assert answer.status_code == 400
    assert {error["code"] for error in answer.json()["errors"]} == {"max_length"}
    assert (User.objects.values().get(), Session.objects.count()) == (before, 1)
