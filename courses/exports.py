"""Enrollments as a table for spreadsheets."""

import csv
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from courses.models import Enrollment
from courses.selectors.enrollments import enrollment_batches

COLUMNS = (
    "id",
    "status",
    "access type",
    "student",
    "email",
    "phone",
    "account",
    "department",
    "course",
    "payment reference",
    "amount",
    "currency",
    "starts at",
    "expires at",
    "credentials sent at",
    "credentials sent by",
    "notes",
    "created at",
)
# A spreadsheet takes a cell that begins so for a formula, and a student may call themselves "=1+1".
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Line:
    """What csv writes to: keeps the last line and gives it back."""

    def write(self, line: str) -> str:
        return line


def enrollment_csv(rows: QuerySet[Enrollment]) -> Iterator[str]:
    """The lines of a CSV (RFC 4180, with a byte order mark, times in UTC) of an `enrollment_list`, one batch in memory.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(COLUMNS)
    for batch in enrollment_batches(rows):
        yield "".join(writer.writerow([_inert(cell) for cell in _cells(enrollment)]) for enrollment in batch)


def _cells(enrollment: Any) -> list[Any]:
    course, payment = enrollment.course, enrollment.payment
    return [
        enrollment.id,
        enrollment.state,
        enrollment.access_type,
        enrollment.student_name,
        enrollment.student_email,
        enrollment.student_phone,
        enrollment.student.email,
        course and course.department.name,
        course and course.title,
        payment and payment.reference,
        payment and payment.money.amount,
        payment and payment.currency,
        *map(_time, (enrollment.starts_at, enrollment.expires_at, enrollment.credentials_sent_at)),
        enrollment.credentials_sent_by and enrollment.credentials_sent_by.email,
        enrollment.notes,
        _time(enrollment.created_at),
    ]


def _time(moment: Any) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def _inert(cell: Any) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
