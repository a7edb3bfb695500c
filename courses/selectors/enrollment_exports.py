"""Enrollments as a table for spreadsheets."""

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet

from courses.models import Enrollment
from courses.selectors.enrollments import enrollment_batches
from learning247.kit.money import Money
from learning247.kit.spreadsheets import guarded

# Heading -> where it stands.
COLUMNS: Final = {
    "id": "id",
    "status": "state",
    "access type": "access_type",
    "student": "student_name",
    "email": "student_email",
    "phone": "student_phone",
    "account": "user__email",
    "department": "course__department__name",
    "course": "course__title",
    "payment reference": "payment__reference",
    "currency": "payment__currency",
    "amount": "payment__amount_minor",
    "starts at": "starts_at",
    "expires at": "expires_at",
    "credentials sent at": "credentials_sent_at",
    "credentials sent by": "credentials_sent_by__email",
    "notes": "notes",
    "created at": "created_at",
}
CURRENCY, AMOUNT = (list(COLUMNS).index(heading) for heading in ("currency", "amount"))


class _Line:
    """What csv writes to: gives each line back."""

    def write(self, line: str) -> str:
        return line


def enrollment_csv(rows: QuerySet[Enrollment]) -> Iterator[str]:
    """The lines of a CSV (RFC 4180, with a byte order mark, times in UTC) of an `enrollment_list`, one batch in memory.

    A cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(COLUMNS)
    for batch in enrollment_batches(rows, *COLUMNS.values()):
        yield "".join(writer.writerow(_cells(row)) for row in batch)


def _cells(row: tuple[Any, ...]) -> list[str]:
    values = list(row)
    if values[CURRENCY] is not None:
        values[AMOUNT] = Money(values[AMOUNT], values[CURRENCY]).amount
    return [_cell(value) for value in values]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return guarded(str(value))  # a student may call themselves "=1+1"
