"""Imports beside buyers, staff and each other."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import User
from accounts.tests.builders import build_user
from courses.enums import CourseStatus
from courses.models import Course, Department, Enrollment
from courses.services.courses import course_update
from courses.services.purchases import course_purchase
from courses.services.sheets import SheetOutcome, sheet_import
from courses.tests.builders import build_course, build_department
from courses.workbooks import CatalogueRow, Sheet
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from learning247.tests.waiting import until_somebody_waits
from payments.enums import PaymentStatus, ProductKind
from payments.models import Payment, Product

pytestmark = pytest.mark.race

FREE = (Money(0, "NGN"),)
NEW = "https://classroom.example.com/new"


def sheet(*titles: str, link: str = NEW) -> Sheet:
    rows = [CatalogueRow(number, title, link, "", "", "") for number, title in enumerate(titles, start=2)]
    return Sheet("Law", "Law", has_headers=True, rows=rows)


class Work:
    """Something that runs in a thread of its own, on a connection of its own."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._result: Any = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self._work()
        except Exception as error:  # noqa: BLE001 - raised again by `result`
            self._error = error
        finally:
            connection.close()

    def result(self, *, within: float = 20) -> Any:
        self._thread.join(within)
        assert not self._thread.is_alive(), "it still waits"
        if self._error is not None:
            raise self._error
        return self._result

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()


@contextmanager
def import_held_open(department: Department, *titles: str) -> Iterator[Work]:
    """An import that has written the courses of `titles` and waits: for a row of its last title, which this connection
    has put in and takes back in the end."""
    with transaction.atomic():
        course_id = new_id()
        product = Product.objects.create(kind=ProductKind.COURSE, item_id=course_id, title="Blocked", active=False)
        Course.objects.create(id=course_id, title="Blocked", slug="blocked", department=department, product=product)
        work = Work(lambda: sheet_import(sheet=sheet(*titles, "Blocked")))
        until_somebody_waits()
        yield work
        assert not work.done
        transaction.set_rollback(True)


def buy(buyer: User, course: Course) -> Payment:
    return course_purchase(
        buyer=buyer,
        course=course,
        currency="NGN",
        access_type="individual",
        student={},
        idempotency_key=str(uuid.uuid4()),
    )


def test_a_purchase_settles_while_an_import_that_changes_its_course_is_open(committed_db: str) -> None:
    law = build_department("Law")
    course = build_course(title="Torts", department=law, prices=FREE)
    buyer = build_user(verified=True)

    with import_held_open(law, "TORTS") as work:
        payment = Work(lambda: buy(buyer, course)).result(within=5)

        assert payment.status == PaymentStatus.PAID
    assert work.result() == SheetOutcome("Law", created=1, updated=1)
    assert Enrollment.objects.get().user == buyer
    course.refresh_from_db()
    assert (course.title, course.product.title, course.link) == ("TORTS", "TORTS", NEW)


def test_an_import_goes_on_while_a_purchase_of_its_course_is_open(committed_db: str) -> None:
    course = build_course(title="Torts", department=build_department("Law"), prices=FREE)
    buyer = build_user(verified=True)

    with transaction.atomic():
        buy_inside = Payment.objects.create(
            buyer=buyer,
            product=course.product,
            reference="L247-open",
            status=PaymentStatus.PENDING,
            currency="NGN",
            amount_minor=0,
            platform_fee_bps=0,
            operation="courses.purchase",
            idempotency_key="open",
            expires_at=course.created_at,
        )
        outcome = Work(lambda: sheet_import(sheet=sheet("TORTS", "Contracts"))).result(within=5)

    assert outcome == SheetOutcome("Law", created=1, updated=1)
    assert Payment.objects.get() == buy_inside


def test_whoever_edits_a_course_waits_for_the_import_that_changes_it_and_then_wins(committed_db: str) -> None:
    law = build_department("Law")
    course = build_course(title="Torts", department=law)

    with import_held_open(law, "Torts"):
        edit = Work(lambda: course_update(course_id=course.id, changes={"link": "https://classroom.example.com/staff"}))
        until_somebody_waits(count=2)
    edit.result()

    course.refresh_from_db()
    assert course.link == "https://classroom.example.com/staff"


def test_a_course_that_an_import_leaves_as_it_is_can_be_edited_meanwhile(committed_db: str) -> None:
    law = build_department("Law")
    course = build_course(title="Torts", department=law, link=NEW)

    with import_held_open(law, "Torts"):
        Work(lambda: course_update(course_id=course.id, changes={"description": "Harm."})).result(within=5)

    course.refresh_from_db()
    assert course.description == "Harm."


def test_two_imports_of_the_same_courses_in_opposite_order_take_turns(committed_db: str) -> None:
    titles = [f"Course {number}" for number in range(50)]
    build_department("Law")
    sheet_import(sheet=sheet(*titles, link="https://classroom.example.com/old"))

    first = Work(lambda: sheet_import(sheet=sheet(*titles)))
    second = Work(lambda: sheet_import(sheet=sheet(*reversed(titles))))

    assert sorted((outcome.updated, outcome.unchanged) for outcome in (first.result(), second.result())) == [
        (0, 50),
        (50, 0),
    ]
    assert set(Course.objects.values_list("link", flat=True)) == {NEW}


def test_an_import_locks_what_it_will_write_before_it_writes_anything(committed_db: str) -> None:
    """A course that staff hold is waited for before the first write, so nobody else has to wait for the import."""
    law = build_department("Law")
    courses = sorted((build_course(title=title, department=law) for title in ("A", "B", "C")), key=lambda c: c.id)

    with transaction.atomic():
        Course.objects.select_for_update(no_key=True).get(id=courses[1].id)
        work = Work(lambda: sheet_import(sheet=sheet("A", "B", "C", "Fresh")))
        until_somebody_waits()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT mode FROM pg_locks WHERE pid <> pg_backend_pid() AND relation = 'courses_course'::regclass"
                " AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            modes = {mode for (mode,) in cursor.fetchall()}
            # The department and the third course are free.
            cursor.execute("SELECT 1 FROM courses_department WHERE id = %s FOR NO KEY UPDATE NOWAIT", [law.id])
            cursor.execute("SELECT 1 FROM courses_course WHERE id = %s FOR NO KEY UPDATE NOWAIT", [courses[2].id])
    # Read and locked; RowExclusiveLock would be written.
    assert "RowShareLock" in modes
    assert "RowExclusiveLock" not in modes

    assert work.result() == SheetOutcome("Law", created=1, updated=3)
    assert Course.objects.filter(status=CourseStatus.PUBLISHED).count() == 4
