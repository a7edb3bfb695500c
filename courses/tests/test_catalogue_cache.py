"""Answers kept under the catalogue's version: sent again while nothing changed, never after something did."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
import requests
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.builders import build_admin, build_creator, build_user, sign_in
from courses.enums import CourseStatus
from courses.models import CatalogueVersion, Course, Department
from courses.selectors.catalogue import catalogue_version
from courses.services.courses import course_delete, course_publish, course_update, course_withdraw
from courses.services.sheets import sheet_import
from courses.tests.builders import build_course, build_department, build_enrollment
from courses.workbooks import CatalogueRow, Sheet
from learning247.kit.api import answers
from learning247.kit.money import Money
from learning247.kit.redis_pause import redis_is_paused

pytestmark = pytest.mark.usefixtures("committed_db")

URLS = (
    "/api/courses",
    "/api/courses/departments",
    "/api/courses/departments/law/courses",
    "/api/courses/search?q=course",
)


@pytest.fixture
def client() -> APIClient:
    return APIClient()


def statements(client: APIClient, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize("url", [*URLS, "/api/courses/{course}"])
def test_the_second_answer_costs_one_statement_and_is_the_same(client: APIClient, url: str) -> None:
    course = build_course(title="A course", department=build_department("Law"))
    url = url.format(course=course.slug)

    first = client.get(url)

    assert statements(client, url) == 1
    second = client.get(url)
    assert second.content == first.content
    assert second["ETag"] == first["ETag"]
    assert second["Content-Type"] == "application/json"


def _rename(course: Course) -> None:
    course_update(course_id=course.id, changes={"title": "Another"})


def _reprice(course: Course) -> None:
    course_update(course_id=course.id, changes={}, prices=[Money(100_000, "NGN")])


def _withdraw(course: Course) -> None:
    course_withdraw(course_id=course.id, actor=None)


def _delete(course: Course) -> None:
    course_delete(course_id=course.id, actor=None)


def _publish_another(course: Course) -> None:
    draft = build_course(title="Another course", department=course.department, status=CourseStatus.DRAFT)
    course_publish(course_id=draft.id, actor=None)


def _rename_department(course: Course) -> None:
    Department.objects.filter(pk=course.department_id).update(name="Course law")


def _describe_department(course: Course) -> None:
    Department.objects.filter(pk=course.department_id).update(description="Rules.")


def _price_by_sql(course: Course) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE payments_price SET amount_minor = 1 WHERE product_id = %s", [course.product_id])


def _import(course: Course) -> None:
    row = CatalogueRow(2, "A course", "https://classroom.example.com/", "New text.", "", "")
    sheet_import(sheet=Sheet("Law", "Law", has_headers=True, rows=[row]))


ALL, DEPARTMENTS, SHELF, SEARCH = URLS


@pytest.mark.parametrize(
    ("change", "altered"),
    [
        (_rename, {ALL, SHELF, SEARCH}),
        (_reprice, {ALL, SHELF, SEARCH}),
        (_withdraw, {ALL, DEPARTMENTS, SHELF, SEARCH}),
        (_delete, {ALL, DEPARTMENTS, SHELF, SEARCH}),
        (_publish_another, {ALL, DEPARTMENTS, SHELF, SEARCH}),
        (_rename_department, {ALL, DEPARTMENTS, SHELF, SEARCH}),
        (_describe_department, {DEPARTMENTS}),
        (_price_by_sql, {ALL, SHELF, SEARCH}),
        (_import, {ALL, SHELF, SEARCH}),
    ],
)
def test_whatever_changes_the_catalogue_is_seen_by_the_next_reader(
    client: APIClient, change: Callable[[Course], None], altered: set[str]
) -> None:
    course = build_course(title="A course", department=build_department("Law"))
    before = catalogue_version()
    kept = {url: client.get(url).content for url in URLS}

    change(course)

    assert catalogue_version() != before
    assert {url for url in URLS if client.get(url).content != kept[url]} == altered


def test_a_creators_new_name_is_seen_by_the_next_reader(client: APIClient) -> None:
    creator = build_creator(first_name="Amara", last_name="Okafor")
    course = build_course(creator=creator)
    url = f"/api/courses/{course.id}"
    assert client.get(url).json()["creator"]["name"] == "Amara Okafor"

    creator.first_name = "Ada"
    creator.save()

    assert client.get(url).json()["creator"]["name"] == "Ada Okafor"


def test_what_is_no_part_of_the_catalogue_leaves_it_as_it_is() -> None:
    unseen = build_creator()
    course, draft = build_course(creator=build_creator()), build_course(creator=unseen, status=CourseStatus.DRAFT)
    before = catalogue_version()

    build_enrollment(course)
    course_update(course_id=draft.id, changes={"title": "New"}, prices=[Money(100_000, "NGN")])
    course_update(course_id=course.id, changes={"title": course.title})
    course_delete(course_id=draft.id, actor=None)
    User.objects.filter(pk=unseen.pk).update(first_name="Unseen")
    build_user().save()
    course_update(course_id=course.id, changes={"link": "https://classroom.example.com/moved"})

    assert catalogue_version() == before


def test_a_change_that_is_rolled_back_changes_no_version() -> None:
    course = build_course()
    before = catalogue_version()

    with transaction.atomic():
        Course.objects.filter(pk=course.pk).update(title="Never")
        transaction.set_rollback(True)

    assert catalogue_version() == before


def test_many_changes_in_one_transaction_are_one_new_version_in_the_moment_of_the_commit() -> None:
    courses = [build_course() for _ in range(3)]
    before = CatalogueVersion.objects.get().version

    with transaction.atomic():
        for course in courses:
            Course.objects.filter(pk=course.pk).update(title="New")
        assert CatalogueVersion.objects.get().version == before, "its row is not locked before the commit"
    assert CatalogueVersion.objects.get().version != before


def test_nobody_keeps_what_a_transaction_that_has_written_reads(client: APIClient) -> None:
    course = build_course(title="Committed")
    url = f"/api/courses/{course.id}"

    with transaction.atomic():
        Course.objects.filter(pk=course.pk).update(title="Not committed")
        assert catalogue_version() is None
        assert client.get(url).json()["title"] == "Not committed"
        transaction.set_rollback(True)

    assert client.get(url).json()["title"] == "Committed"


WRITER_THAT_DIES = """
import os, signal, sys
import django
django.setup()
from django.db import connection, transaction
with transaction.atomic():
    with connection.cursor() as cursor:
        cursor.execute("UPDATE courses_course SET title = 'After' WHERE id = %s", [sys.argv[1]])
    if sys.argv[2] == "before commit":
        os.kill(os.getpid(), signal.SIGKILL)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.crash
@pytest.mark.parametrize(("when", "title"), [("before commit", "Before"), ("after commit", "After")])
def test_a_writer_that_is_killed_leaves_the_version_that_its_commit_deserves(
    client: APIClient, committed_db: str, when: str, title: str
) -> None:
    course = build_course(title="Before")
    url = f"/api/courses/{course.id}"
    assert client.get(url).json()["title"] == "Before"
    before = catalogue_version()

    database = connection.settings_dict
    host = database.get("OPTIONS", {}).get("host") or database["HOST"]
    address = f"postgres://{database['USER']}@:{database['PORT']}/{committed_db}?host={str(host).replace('/', '%2F')}"
    died = subprocess.run(
        [sys.executable, "-c", WRITER_THAT_DIES, str(course.id), when],
        env=os.environ | {"DATABASE_URL": address, "REDIS_URL": django_settings.REDIS_URL},
        check=False,
    )

    assert died.returncode == -signal.SIGKILL
    assert client.get(url).json()["title"] == title
    assert (catalogue_version() != before) is (title == "After")


def test_who_has_the_answer_already_is_told_so(client: APIClient) -> None:
    course = build_course()
    url = f"/api/courses/{course.id}"
    first = client.get(url)

    again = client.get(url, headers={"If-None-Match": first["ETag"]})
    weak = client.get(url, headers={"If-None-Match": f'"other", W/{first["ETag"]}'})

    assert (again.status_code, again.content) == (304, b"")
    assert weak.status_code == 304
    assert again["ETag"] == first["ETag"]
    assert again["Cache-Control"] == "public, no-cache"
    assert "Authorization" in again["Vary"]
    course_update(course_id=course.id, changes={"title": "New"})
    changed = client.get(url, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_an_edit_elsewhere_leaves_an_answer_its_etag(client: APIClient) -> None:
    course, other = build_course(), build_course()
    url = f"/api/courses/{course.id}"
    first = client.get(url)

    course_update(course_id=other.id, changes={"title": "New"})

    assert client.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_a_persons_own_answer_is_neither_taken_from_nor_given_to_everybody(client: APIClient) -> None:
    owner, stranger = build_user(), build_user()
    course = build_course(link="https://classroom.example.com/secret")
    build_enrollment(course, user=owner)
    url = f"/api/courses/{course.id}"
    owners, strangers = APIClient(), APIClient()
    sign_in(owners, owner)
    sign_in(strangers, stranger)

    for _ in range(2):
        own = owners.get(url)
        assert own.json()["link"] == "https://classroom.example.com/secret"
        assert own["Cache-Control"] == "private, no-store"
        assert "Authorization" in own["Vary"]
        assert "ETag" not in own
        assert strangers.get(url).json()["link"] is None
        assert client.get(url).json()["link"] is None
        assert client.get(url)["Cache-Control"] == "public, no-cache"
    kept = redis.Redis.from_url(django_settings.REDIS_URL)
    assert all(b"secret" not in (kept.get(key) or b"") for key in kept.scan_iter("answers:*"))


@pytest.mark.parametrize(
    "url",
    [
        "/api/courses/mine",
        "/api/courses/my-enrollments",
        "/api/payments",
        "/api/wallet/balance",
        "/api/wallet/transactions",
        "/api/admin/course-enrollments",
        "/api/admin/course-enrollments/stats",
        "/api/admin/course-enrollments/export?reason=For+the+faculty",
    ],
)
def test_what_is_ones_own_is_kept_by_nobody(client: APIClient, url: str) -> None:
    sign_in(client, build_admin())

    answer = client.get(url)

    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")


def test_the_same_question_in_other_words_is_one_answer(client: APIClient) -> None:
    build_course(department=build_department("Law"))
    url = "/api/courses/departments/law/courses"
    first = client.get(f"{url}?page=1&page_size=5&ordering=title")

    assert statements(client, f"{url}?utm_source=mail&ordering=title&page_size=5&page=1") == 1
    assert "utm_source" not in client.get(f"{url}?utm_source=mail&page_size=5").content.decode()
    assert client.get(f"{url}?ordering=title&page_size=5&page=1").content == first.content


def test_another_host_gets_links_to_itself(client: APIClient) -> None:
    for _ in range(3):
        build_course()

    here = client.get("/api/courses?page_size=1", headers={"Host": "testserver"}).json()
    there = client.get("/api/courses?page_size=1", headers={"Host": "localhost"}).json()

    assert here["next"].startswith("http://testserver/api/courses?")
    assert there["next"].startswith("http://localhost/api/courses?")


def test_a_bad_question_is_refused_also_when_a_good_answer_is_kept(client: APIClient) -> None:
    build_course()
    assert client.get("/api/courses?page=1").status_code == 200

    assert client.get("/api/courses?page=1&page=1").status_code == 400
    assert client.get("/api/courses?page=7").status_code == 404
    assert client.get("/api/courses?page=7").status_code == 404


def test_answers_expire_so_that_the_number_of_students_grows_in_them(client: APIClient, settings: Any) -> None:
    settings.CATALOGUE_CACHE_SECONDS = 45
    build_course()
    client.get("/api/courses")

    kept = redis.Redis.from_url(django_settings.REDIS_URL)
    (key,) = list(kept.scan_iter("answers:*"))
    assert 0 < int(kept.ttl(key)) <= 45


def test_a_process_keeps_for_itself_what_another_one_has_rendered(client: APIClient) -> None:
    build_course()
    first = client.get("/api/courses")
    answers.forget_in_process()  # as another process

    assert statements(client, "/api/courses") == 1
    kept = redis.Redis.from_url(django_settings.REDIS_URL)
    for key in kept.scan_iter("answers:*"):
        kept.delete(key)
    assert statements(client, "/api/courses") == 1
    assert client.get("/api/courses").content == first.content


def test_what_a_process_keeps_ends_with_what_all_keep(
    client: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CATALOGUE_CACHE_SECONDS = 45
    build_course()
    client.get("/api/courses")
    redis.Redis.from_url(django_settings.REDIS_URL).flushdb()

    assert statements(client, "/api/courses") == 1
    monkeypatch.setattr(answers, "_clock", lambda: time.time() + 46)
    assert statements(client, "/api/courses") == 2


def test_without_redis_the_catalogue_is_read_from_the_database(client: APIClient, settings: Any) -> None:
    build_course(title="A course")
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}

    first, second = client.get("/api/courses"), client.get("/api/courses?page_size=20")

    assert first.json()["results"][0]["title"] == "A course"
    assert second.json()["results"] == first.json()["results"]
    assert redis_is_paused(), "it is not asked again for every answer"


@pytest.mark.race
def test_readers_beside_writers_never_see_what_was_before_a_commit_that_they_know_of(api_server: str) -> None:
    course = build_course(title="Title 0")
    url = f"{api_server}/api/courses/{course.id}"
    committed, stop, stale = [0], threading.Event(), []

    def read() -> None:
        with requests.Session() as session:
            while not stop.is_set():
                known = committed[0]
                shown = int(session.get(url, timeout=30).json()["title"].split()[1])
                if shown < known:
                    stale.append((shown, known))

    with ThreadPoolExecutor(4) as readers:
        running = [readers.submit(read) for _ in range(4)]
        for number in range(1, 60):
            course_update(course_id=course.id, changes={"title": f"Title {number}"})
            committed[0] = number
        stop.set()
        for reader in running:
            reader.result()

    assert stale == []
