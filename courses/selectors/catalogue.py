"""The catalogue that everybody sees: published courses, one by one and in pages, as JSON that PostgreSQL writes.

No row becomes a Python object on its way out. The serializers describe the same shapes in the API's document;
`courses/tests/test_catalogue.py` holds the two together.
"""
# ruff: noqa: S608 - what is put into a statement are constants of this module; values are parameters

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from courses.errors import CourseNotFound, DepartmentNotFound
from learning247.kit.money import EXPONENTS

ORDERINGS: Final = {
    "title": "c.title, c.id",
    "-title": "c.title DESC, c.id DESC",
    "created_at": "c.created_at, c.id",
    "-created_at": "c.created_at DESC, c.id DESC",
    "enrollment_count": "c.enrollment_count, c.title, c.id",
    "-enrollment_count": "c.enrollment_count DESC, c.title, c.id",
}


def _amount() -> str:
    """Minor units as the decimal string of their currency, from the one table of exponents."""
    by_exponent: dict[int, list[str]] = {}
    for currency, places in EXPONENTS.items():
        by_exponent.setdefault(places, []).append(currency)
    cases = [
        f"WHEN currency IN ({', '.join(map(repr, currencies))}) THEN amount_minor / {10**places}"
        f" || '.' || lpad(mod(amount_minor, {10**places})::text, {places}, '0')"
        for places, currencies in by_exponent.items()
        if places
    ]
    return f"CASE {' '.join(cases)} ELSE amount_minor::text END"


# The columns of a course's document, in the order of the contract; FROM and WHERE follow.
DOCUMENT: Final = f"""
    c.id, c.title, c.slug,
    (SELECT row_to_json(shelf) FROM (SELECT d.id, d.name, d.slug) shelf) AS department,
    c.description, c.curriculum, c.duration, c.image_url,
    coalesce((SELECT json_agg(row_to_json(price)) FROM (
        SELECT currency, {_amount()} AS amount FROM payments_price WHERE product_id = c.product_id ORDER BY currency
    ) price), '[]') AS prices,
    (SELECT row_to_json(maker) FROM (
        SELECT u.id, btrim(u.first_name || ' ' || u.last_name) AS name WHERE u.id IS NOT NULL) maker) AS creator,
    c.enrollment_count
"""
SOURCES: Final = """
    courses_course c
    JOIN courses_department d ON d.id = c.department_id
    LEFT JOIN accounts_user u ON u.id = c.creator_id
"""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A department as a list of courses needs it; `course_count` is of published ones. No id: the whole catalogue."""

    id: uuid.UUID | None
    course_count: int


def catalogue_version() -> str | None:
    """What the public catalogue is now; it changes with every commit that changes the catalogue.

    None inside a transaction that has written something: its reads may see what will never be committed, and nobody
    may keep them. Read before the rows: what was rendered is then never older than its version.
    """
    row = _row("SELECT version::text, pg_current_xact_id_if_assigned() IS NULL FROM courses_catalogueversion", [])
    return row[0] if row and row[1] else None


def shelf_get(reference: str | None) -> Shelf:
    """The department of that id or slug; None: all of them. Raises DepartmentNotFound."""
    if reference is None:
        row = _row("SELECT NULL, coalesce(sum(course_count), 0) FROM courses_department", [])
        assert row is not None, "a sum is always one row"
        return Shelf(None, int(row[1]))
    column, value = _named(reference)
    row = _row(f"SELECT id, course_count FROM courses_department WHERE {column} = %s", [value])
    if row is None:
        raise DepartmentNotFound
    return Shelf(row[0], row[1])


def department_documents(*, limit: int, offset: int) -> bytes:
    """A JSON array of departments by name."""
    return _array(
        "SELECT id, name, slug, description, course_count FROM courses_department ORDER BY name LIMIT %s OFFSET %s",
        [limit, offset],
    )


def department_count() -> int:
    row = _row("SELECT count(*) FROM courses_department", [])
    assert row is not None, "a count is always one row"
    return int(row[0])


def course_documents(shelf: Shelf, *, ordering: str, limit: int, offset: int) -> bytes:
    """A JSON array of the published courses on a shelf; `ordering` is one of ORDERINGS."""
    where = "" if shelf.id is None else "AND c.department_id = %s"
    return _array(
        f"SELECT {DOCUMENT} FROM {SOURCES} WHERE c.status = 'published' {where}"
        f" ORDER BY {ORDERINGS[ordering]} LIMIT %s OFFSET %s",
        [*([] if shelf.id is None else [shelf.id]), limit, offset],
    )


def course_document(reference: str) -> bytes:
    """One published course as everybody may see it: without its link. Raises CourseNotFound."""
    column, value = _named(reference)
    row = _row(
        f"SELECT row_to_json(course)::text FROM (SELECT {DOCUMENT}, NULL AS link FROM {SOURCES}"
        f" WHERE c.status = 'published' AND c.{column} = %s) course",
        [value],
    )
    if row is None:
        raise CourseNotFound
    return str(row[0]).encode()


def _named(reference: str) -> tuple[str, Any]:
    """The column and the value that a reference means: an id or a slug. A slug never holds NUL, nor does PostgreSQL."""
    try:
        return "id", uuid.UUID(reference)
    except ValueError:
        return "slug", reference.replace("\x00", "\ufffd")


def _array(sql: str, parameters: list[Any]) -> bytes:
    row = _row(f"SELECT coalesce(json_agg(row_to_json(item)), '[]')::text FROM ({sql}) item", parameters)
    assert row is not None, "an aggregate is always one row"
    return str(row[0]).encode()


def _row(sql: str, parameters: list[Any] | Mapping[str, Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
