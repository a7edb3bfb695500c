"""Addresses name a row by its id or by its slug."""

import uuid
from typing import TypeVar

from django.db.models import QuerySet

from courses.models import Course, Department
from learning247.kit.errors import NotFound

_Row = TypeVar("_Row", Department, Course)


def by_id_or_slug(rows: QuerySet[_Row], reference: str) -> _Row | None:
    """None when no row has it, also when the text is neither an id nor a slug."""
    try:
        return rows.filter(id=uuid.UUID(reference)).first()
    except ValueError:
        # PostgreSQL's text holds no NUL; no slug does either.
        return None if "\x00" in reference else rows.filter(slug=reference).first()


def found(row: _Row | None, refusal: type[NotFound]) -> _Row:
    """The row, or else the refusal raised."""
    if row is None:
        raise refusal
    return row
