"""Everybody writes the catalogue at once: nobody fails for it, and what the database derives agrees with the rows."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction
from django.db.models import Count, F, Q

from accounts.models import User
from accounts.tests.builders import build_creator
from courses.enums import CourseStatus
from courses.models import Course, CourseDocument, Department
from courses.services.courses import course_create, course_publish, course_update, course_withdraw
from courses.services.enrollment_counts import enrollment_counts_refresh
from courses.services.search_words import search_words_refresh
from courses.services.sheets import sheet_import
from courses.tests.builders import build_course, build_department, build_enrollment
from courses.workbooks import CatalogueRow, Sheet
from learning247.kit.money import Money
from learning247.tests.waiting import until_somebody_waits

TURNS = 25
LINK = "https://classroom.example.com/room"

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("committed_db")]


def _sheet(department: str, turn: int) -> Sheet:
    rows = [
        CatalogueRow(number, f"Course {number}", LINK, f"Text {turn}", "", "")
        for number in random.Random(turn).sample(range(30), 20)
    ]
    return Sheet(department, department, has_headers=True, rows=rows)


def test_imports_edits_renamings_sales_and_counts_at_once_end_in_agreement() -> None:
    law, care = build_department("Law"), build_department("Care")
    sheet_import(sheet=_sheet("Law", 0))
    platform = list(Course.objects.values_list("id", flat=True))
    creator = build_creator()
    own = [build_course(creator=creator, department=law).id for _ in range(4)]
    sold = Course.objects.get(pk=own[0])

    def imports(turn: int) -> None:
        sheet_import(sheet=_sheet("Law", turn))

    def edits(turn: int) -> None:
        course_update(course_id=platform[turn % len(platform)], changes={"description": f"Edited {turn}"})
        course_update(
            course_id=own[turn % 4], changes={"department": (law, care)[turn % 2]}, prices=[Money(turn + 100, "NGN")]
        )

    def shelves(turn: int) -> None:
        (course_withdraw, course_publish)[turn % 2](course_id=own[3], actor=creator)
        course = course_create(
            creator=None, title=f"New {turn}", department=care, link=LINK, prices=[Money(100_000, "NGN")]
        )
        course_publish(course_id=course.id, actor=None)

    def renamings(turn: int) -> None:
        Department.objects.filter(pk=care.pk).update(name=f"Care {turn}")
        User.objects.filter(pk=creator.pk).update(first_name=f"Ada{turn}")

    def sales(turn: int) -> None:
        build_enrollment(sold)
        enrollment_counts_refresh()
        search_words_refresh(everything=turn % 5 == 0)

    def often(work: Callable[[int], None]) -> None:
        try:
            for turn in range(1, TURNS + 1):
                work(turn)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as people:
        for done in [people.submit(often, work) for work in (imports, edits, shelves, renamings, sales)]:
            done.result()
    enrollment_counts_refresh()

    published = Course.objects.filter(status=CourseStatus.PUBLISHED)
    assert Course.objects.get(pk=sold.pk).enrollment_count == TURNS
    really = Department.objects.annotate(really=Count("courses", filter=Q(courses__status=CourseStatus.PUBLISHED)))
    assert list(really.exclude(course_count=F("really"))) == []
    assert set(CourseDocument.objects.values_list("course_id", flat=True)) == set(
        published.values_list("id", flat=True)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM courses_coursedocument doc JOIN courses_course c ON c.id = doc.course_id
            JOIN courses_department d ON d.id = c.department_id
            WHERE doc.all_words <> courses_all_words(c.title, d.name, c.description, c.curriculum)
               OR doc.title_words <> courses_title_words(c.title, d.name)
               OR (doc.title, doc.department_id) <> (c.title, c.department_id)
            """
        )
        assert cursor.fetchone() == (0,), "documents that say something else than their course"


@pytest.mark.parametrize("guarded", [True, False], ids=["as it is", "without the lock"])
def test_a_course_that_is_published_while_its_department_is_renamed_is_found_by_the_new_name(guarded: bool) -> None:
    law = build_department("Law")
    draft = build_course(title="New", department=law, status=CourseStatus.DRAFT)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('courses_write_document'::regproc)")
        definition = cursor.fetchone()[0]
        assert definition.count("FOR KEY SHARE") == 2
        if not guarded:
            cursor.execute(definition.replace("FOR KEY SHARE", ""))

    def writes() -> None:
        renamed.wait(timeout=30)
        try:
            course_publish(course_id=draft.id, actor=None)
        finally:
            connections.close_all()

    renamed = threading.Event()
    with ThreadPoolExecutor(1) as other:
        written = other.submit(writes)
        with transaction.atomic():
            Department.objects.filter(pk=law.pk).update(name="Jurisprudence")
            renamed.set()
            until_somebody_waits()
        written.result(timeout=60)

    words = CourseDocument.objects.get(title="New").title_words
    assert ("jurisprudence" in words, "law" in words) == (guarded, not guarded)
