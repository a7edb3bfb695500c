"""Several at the same rows: imports beside imports, publishers beside publishers."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from accounts.tests.builders import build_creator
from courses.enums import CourseStatus
from courses.models import Course, Department
from courses.services.courses import course_publish
from courses.services.sheets import SheetOutcome, sheet_import
from courses.tests.builders import build_course
from courses.workbooks import CatalogueRow, Sheet
from learning247.records.models import AuditEntry
from payments.models import Price, Product

pytestmark = pytest.mark.race


def all_at_once(*works: Callable[[], Any]) -> list[Any]:
    """Runs each in a thread of its own, started together; what they returned or raised, in order."""
    start = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)

    def run(at: int, work: Callable[[], Any]) -> None:
        start.wait()
        try:
            results[at] = work()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results[at] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_the_same_sheet_imported_four_times_at_once_comes_in_once(committed_db: str) -> None:
    rows = [
        CatalogueRow(number, f"Course {number}", "https://classroom.example.com/a", "", "", "")
        for number in range(2, 102)
    ]

    def bring_in() -> SheetOutcome:
        return sheet_import(sheet=Sheet("Law", "Law", has_headers=True, rows=rows))

    outcomes = all_at_once(*[bring_in] * 4)

    assert sorted((outcome.created, outcome.unchanged) for outcome in outcomes) == [
        (0, 100),
        (0, 100),
        (0, 100),
        (100, 0),
    ]
    assert (Department.objects.count(), Course.objects.count(), Product.objects.filter(kind="course").count()) == (
        1,
        100,
        100,
    )
    assert Price.objects.filter(product__kind="course").count() == 200


def test_a_course_published_eight_times_at_once_is_published_once(committed_db: str) -> None:
    creator = build_creator()
    course = build_course(creator=creator, status=CourseStatus.DRAFT)

    results = all_at_once(*[lambda: course_publish(course_id=course.id, actor=creator)] * 8)

    assert [result.status for result in results] == ["published"] * 8
    assert AuditEntry.objects.filter(action="course.published").count() == 1
