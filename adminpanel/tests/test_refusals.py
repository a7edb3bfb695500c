"""What the console refuses: a page for a browser, the API's JSON for everything else."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.tests.builders import build_admin, build_user
from adminpanel.console import StaffConsole

pytestmark = pytest.mark.django_db
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
NOBODY = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(autouse=True)
def plain_static_files(settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


def signed_in(**options: Any) -> Client:
    client = Client(headers=BROWSER, **options)
    support = build_user(verified=True, is_staff=True)
    support.groups.add(Group.objects.get(name="support"))
    client.force_login(support)
    return client


def expect(answer: Any, status: int, title: str, step: str) -> str:
    page: str = answer.content.decode()
    assert (answer.status_code, answer["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert f"<h1>{title}</h1>" in page
    assert step in page
    assert f"{status} · Request {answer['X-Request-ID']}" in page
    assert "Learning247" in page
    return page


def test_what_somebody_may_not_says_whom_to_ask_and_keeps_the_menu() -> None:
    page = expect(signed_in().get("/admin/auth/group/"), 403, "You may not do this", "An administrator gives rights")

    assert 'id="logout-form"' in page


def test_what_is_not_there_leads_back() -> None:
    page = expect(signed_in().get("/admin/nothing/"), 404, "There is nothing here", "the address is mistyped")

    assert 'href="/admin/">To the start page' in page


def test_a_row_that_is_gone_is_not_there() -> None:
    answer = signed_in().get(f"/admin/courses/enrollment/{NOBODY}/revoke/")

    expect(answer, 404, "There is nothing here", "It may have been removed")


def test_a_form_without_its_token_is_to_be_loaded_again() -> None:
    answer = signed_in(enforce_csrf_checks=True).post("/admin/password_change/", {})

    expect(answer, 403, "This form is out of date", "load the page again")


def test_a_request_that_makes_no_sense_says_so() -> None:
    answer = signed_in().get("/admin/autocomplete/?term=%00")

    expect(answer, 400, "This request makes no sense", "Go back")


def test_a_host_that_is_not_ours_gets_a_page_without_anybodys_name(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    answer = signed_in().get("/admin/", headers={"Host": "evil.example"})

    assert 'id="logout-form"' not in expect(answer, 400, "This request makes no sense", "Go back")


def test_a_form_that_is_too_large_says_what_to_do() -> None:
    answer = signed_in().post("/admin/password_change/", {str(number): "" for number in range(1_001)})

    expect(answer, 413, "This is too large", "Choose fewer rows")


def test_an_answer_without_a_body_gets_one() -> None:
    expect(signed_in().get("/admin/logout/"), 405, "This page does not take that", "Open it by its link")


def test_what_breaks_says_nothing_of_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret cause")

    client = signed_in()
    client.raise_request_exception = False
    monkeypatch.setattr(StaffConsole, "each_context", breaks)

    answer = client.get("/admin/")

    assert "secret cause" not in expect(answer, 500, "Something went wrong on our side", "pass the id below on")


def test_everything_else_that_asks_gets_json() -> None:
    boss = build_admin()
    for headers in ({}, {"Accept": "application/json"}, {"Accept": "*/*"}):
        client = Client(headers=headers)
        client.force_login(boss)
        answer = client.get("/admin/nothing/")
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
        assert answer.json()["errors"][0]["code"] == "not_found"


@pytest.mark.parametrize("path", ["/api/nothing", "/auth/nothing", "/nothing", "/administration"])
def test_outside_of_the_console_a_browser_gets_json_too(path: str) -> None:
    answer = Client(headers=BROWSER).get(path)

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert answer.json()["errors"][0]["code"] == "not_found"
