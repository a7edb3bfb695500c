"""Everybody at every route, page and action gets the answer that the table says, and nothing changes but by its `*`."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.test import override_settings

from accounts.models import User
from learning247.records.models import AuditEntry
from learning247.tests.permissions import table
from learning247.tests.permissions.console_requests import prepare_action, prepare_page
from learning247.tests.permissions.page import page_text
from learning247.tests.permissions.requests import ASKS, prepare
from learning247.tests.permissions.routes import METHODS, api_routes, console_actions, console_pages
from learning247.tests.permissions.world import ANONYMOUS, PERSONS, STAFF, World, transaction_of_test

API, PAGES, ACTIONS = table.rows(table.API), table.rows(table.PAGES), table.rows(table.ACTIONS)
OUTSIDE = tuple(person for person in PERSONS if person not in STAFF)
ROOT = Path(__file__).parents[3]
# A 401 there is said of what was sent, and not of who sends it.
CREDENTIALS_IN_THE_REQUEST = ("/auth/refresh", "/auth/logout", "/api/webhooks/paystack", "/api/webhooks/stripe")
PAGE = ROOT / "docs" / "permissions.md"
# Where staff do as staff what others do with what is their own.
STAFF_TOO = ("POST /api/payments/{reference}/refunds",)
OWN = "It is one's own."
SENT = "Daily work: that it was sent is all there is to say, and what is more stands in its notes, which go on record."
# Whatever is not here asks why, at every door.
NO_REASON_IS_ASKED = {
    "/admin/logout/": OWN,
    "/admin/password_change/": OWN,
    "/admin/second-factor/": OWN,
    "/admin/payments/paymentreview/ take_on": "Daily work: who looks at it, which gives nobody anything.",
    "/admin/wallets/withdrawalreview/ take_on": "Daily work: who looks at it, which gives nobody anything.",
    "PATCH /api/admin/reviews/{review}": "Daily work: notes, which are the reason, and whose turn it is.",
    "/admin/courses/enrollment/{enrollment_id}/mark-sent/": SENT,
    "/admin/courses/enrollment/ mark_sent": SENT,
    "POST /api/admin/course-enrollments/mark-sent": SENT,
    "PATCH /api/admin/course-enrollments/{enrollment}/mark-sent": SENT,
}
NEW = "It was not there before."
# Whatever else goes on record, does so with what was before.
NOTHING_WAS_BEFORE = {
    "user.created": NEW,
    "group.created": NEW,
    "coupon.created": NEW,
    "department.created": NEW,
    "entitlement.granted": NEW,
    "enrollment.granted": NEW,
    "adjustment.proposed": NEW,
    "webhook_endpoint.created": NEW,
    "user.erased": "Who it was is forgotten.",
    "user.password_changed": "A password is no value to keep.",
    "user.second_factor_begun": NEW,
    "user.signed_out": "An event, which changes nothing of anybody's.",
    "enrollments.exported": "What leaves the platform stays on it as it was.",
}
Send = Callable[[], HttpResponse]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for the whole table: each request is undone after it."""
    media = override_settings(MEDIA_ROOT=str(tmp_path_factory.mktemp("media")))
    with django_db_blocker.unblock(), media, transaction_of_test():
        yield World()


def answers(world: World, prepares: Mapping[str, Callable[[], Send]]) -> dict[str, str]:
    """The cell of each: the status, with `*` where something was changed.

    First all after one another: what then has changed nothing together has changed nothing singly.
    """
    cells, unchanged = _cells(world, prepares)
    if unchanged:
        return cells
    single = {name: _cells(world, {name: one}) for name, one in prepares.items()}
    return {name: cell[name] + ("" if unchanged else "*") for name, (cell, unchanged) in single.items()}


def expected_to_write(cells: dict[str, str]) -> tuple[list[str], list[str]]:
    """Names of the cells without and with `*`."""
    return [n for n, cell in cells.items() if "*" not in cell], [n for n, cell in cells.items() if "*" in cell]


def _cells(world: World, prepares: Mapping[str, Callable[[], Send]]) -> tuple[dict[str, str], bool]:
    with world.undone():
        sends = {name: one() for name, one in prepares.items()}
        before = world.fingerprint()
        cells = {name: _cell(send()) for name, send in sends.items()}
        return cells, world.fingerprint() == before


def _cell(answer: HttpResponseBase) -> str:
    if answer.streaming:
        answer.getvalue()  # a stream is written while it is read
    if answer.status_code == 302 and answer["Location"].startswith("/admin/login/"):
        return "login"
    return str(answer.status_code)


def check(world: World, expected: dict[str, str], prepares: Mapping[str, Callable[[], Send]]) -> None:
    quiet, writing = expected_to_write(expected)
    found = answers(world, {name: prepares[name] for name in quiet})
    for name in writing:
        found |= answers(world, {name: prepares[name]})
    assert {name: found[name] for name in expected} == expected


def test_every_route_and_method_has_a_row_and_every_row_a_route() -> None:
    routes = {f"{method} {path}" for path, methods in api_routes().items() for method in methods}

    assert {row.partition(",")[0] for row in API} == routes
    assert set(ASKS) <= set(API)


def test_every_page_and_action_of_the_console_has_a_row_and_every_row_is_one() -> None:
    assert set(PAGES) == console_pages()
    assert set(ACTIONS) == console_actions()


@pytest.mark.parametrize("row", API)
def test_a_route_answers_each_person_as_the_table_says(world: World, row: str) -> None:
    check(world, API[row], {person: partial(prepare, world, person, row) for person in PERSONS})


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_the_console_answers_each_person_as_the_table_says(world: World, path: str) -> None:
    expected, prepares = {}, {}
    for person in PERSONS:
        cells = PAGES[path]["others" if person in OUTSIDE else person].split("/")
        for method, cell in zip(("GET", "POST"), cells, strict=True):
            expected[f"{method} {person}"] = cell
            prepares[f"{method} {person}"] = partial(prepare_page, world, person, path, method)
    check(world, expected, prepares)


@pytest.mark.parametrize("row", ACTIONS)
def test_an_action_of_the_console_does_for_each_person_what_the_table_says(world: World, row: str) -> None:
    expected = {person: ACTIONS[row]["others" if person in OUTSIDE else person] for person in PERSONS}
    check(world, expected, {person: partial(prepare_action, world, person, row) for person in PERSONS})


def staff_changes() -> Iterator[tuple[str, str, Callable[[World], Send]]]:
    """Everything by which somebody of the staff changes something: person, row, what sends it."""
    for row, cells in API.items():
        for person in STAFF:
            as_staff = "/api/admin/" in row or (row in STAFF_TOO and cells[person].startswith("2"))
            if as_staff and "*" in cells[person]:
                yield person, row, partial(prepare, person=person, row=row)
    for path, cells in PAGES.items():
        for person in STAFF:
            if "*" in cells[person].partition("/")[2] and path != "/admin/login/":
                yield person, path, partial(prepare_page, person=person, path=path, method="POST")
    for row, cells in ACTIONS.items():
        for person in STAFF:
            if "*" in cells[person]:
                yield person, row, partial(prepare_action, person=person, row=row)


def test_whatever_staff_change_is_on_record_with_who_did_it_why_and_what_was_before(world: World) -> None:
    unrecorded, without_a_reason, without_a_before = set(), set(), set()
    for person, row, prepares in staff_changes():
        with world.undone():
            send = prepares(world)
            newest = AuditEntry.objects.latest("id").id
            _cell(send())
            written = list(AuditEntry.objects.filter(id__gt=newest, actor=world.people[person]))
        if not written:
            unrecorded.add(row)
        if any(not entry.reason for entry in written):
            without_a_reason.add(row)
        without_a_before |= {entry.action for entry in written if entry.before is None}

    assert unrecorded == set()
    assert without_a_reason == set(NO_REASON_IS_ASKED)
    assert without_a_before == set(NOTHING_WAS_BEFORE)


@pytest.mark.parametrize("path", api_routes())
def test_a_method_that_a_route_does_not_have_is_refused_and_head_is_a_get_without_a_body(
    world: World, path: str
) -> None:
    listed = {method: API[f"{method} {path}"] for method in METHODS if f"{method} {path}" in API}
    others = [method for method in ("HEAD", "OPTIONS", *METHODS) if method not in listed]

    check(
        world,
        {f"{method} {person}": unlisted(method, path, listed, person) for method in others for person in PERSONS},
        {
            f"{method} {person}": partial(prepare, world, person, f"{method} {path}")
            for method in others
            for person in PERSONS
        },
    )


def unlisted(method: str, path: str, listed: dict[str, dict[str, str]], person: str) -> str:
    """The strictest of a route's methods decides who is told that there is no other: whoever it refuses (401, 403) is
    refused again, everybody else gets a 405, and from OPTIONS the methods. A plain redirect redirects them all."""
    if method == "HEAD" and "GET" in listed:
        return listed["GET"][person]
    cells = [cells[person] for cells in listed.values()]
    if "302" in cells and "POST" in listed:
        return "302"
    refusals = [cell for cell in cells if cell in {"401", "403"} and path not in CREDENTIALS_IN_THE_REQUEST]
    plain = "405" in cells  # a function, not a view of REST framework's
    return refusals[0] if refusals else "200" if method == "OPTIONS" and not plain else "405"


def test_another_method_changes_nothing_in_the_console(world: World) -> None:
    """It is taken for a GET, and answered so."""
    prepares = {path: partial(prepare_page, world, "admin", path, "PUT") for path in PAGES}
    alike = [path for path, cells in PAGES.items() if cells["admin"].partition("/")[0] == "200"]

    cells, unchanged = _cells(world, prepares)

    assert unchanged
    assert {cells[path] for path in alike} <= {"200", "405"}


def test_no_form_of_the_console_works_without_its_token(world: World) -> None:
    prepares = {path: partial(prepare_page, world, "admin", path, "POST", enforce_csrf_checks=True) for path in PAGES}

    cells, unchanged = _cells(world, prepares)

    assert unchanged
    assert set(cells.values()) == {"403"}


def test_whoever_is_signed_in_to_the_console_alone_is_nobody_to_the_api(world: World) -> None:
    """Else a cookie would do, and any site's form could send it."""
    writing = [row for row, cells in API.items() if cells["admin"] == "200" and cells[ANONYMOUS] == "401"]
    cookies = world.console("admin")

    answered = {}
    for row in writing:
        send = prepare(world, ANONYMOUS, row)
        send.func.__self__.cookies = cookies.cookies  # type: ignore[attr-defined]
        answered[row] = send().status_code

    assert set(answered.values()) == {401}


def test_the_fingerprint_sees_a_changed_row_and_a_new_file(world: World) -> None:
    before = world.fingerprint()
    with world.undone():
        User.objects.filter(pk=world.owner.pk).update(bio="Changed")
        (Path(settings.MEDIA_ROOT) / "new.webp").write_bytes(b"")
        after = world.fingerprint()

    assert {name for name in after if after[name] != before[name]} == {'"accounts_user"', "files"}
    assert world.fingerprint() == before
    assert len(before) == len(connection.introspection.table_names()) + 1


def test_the_page_of_permissions_says_what_the_table_says() -> None:
    wanted = page_text(API, PAGES, ACTIONS)
    written = ROOT / "var" / "permissions.md"
    if not PAGE.exists() or PAGE.read_text() != wanted:
        written.write_text(wanted)
        pytest.fail(f"docs/permissions.md is older than the table: cp var/{written.name} docs/")
