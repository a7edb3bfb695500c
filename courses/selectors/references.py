"""Addresses name a row by its id or by its slug."""

import uuid
from typing import TypeVar

from django.db.models import QuerySet

from courses.models import Course, Department
from learning247.kit.errors import NotFound

_Row = TypeVar("_Row", Department, Course)


def column_and_value(reference: str) -> tuple[str, uuid.UUID | str]:
    """What an address means: ("id", …) or ("slug", …). What PostgreSQL's text cannot hold names nothing."""
    try:
        return "id", uuid.UUID(reference)
    except ValueError:
        return "slug", reference.replace("\x00", "\ufffd")


def by_id_or_slug(rows: QuerySet[_Row], reference: str) -> _Row | None:
    """None when no row has it, also when the text is neither an id nor a slug."""
    column, value = column_and_value(reference)
    return rows.filter(**{column: value}).first()


def found(row: _Row | None, refusal: type[NotFound]) -> _Row:
    """The row, or else the refusal raised."""
    if row is None:
        raise refusal
    return row
