"""The catalogue that everybody sees: published courses, one by one and in pages, as JSON that PostgreSQL writes.

No row becomes a Python object on its way out. The serializers describe the same shapes in the API's document;
`courses/tests/test_catalogue.py` holds the two together.
"""
# ruff: noqa: S608 - what is put into a statement are constants of this module; values are parameters

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection

from courses.enums import CourseStatus
from courses.errors import CourseNotFound, DepartmentNotFound
from courses.selectors.references import column_and_value
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
class Rows:
    """Some of `count` rows, as a JSON array."""

    count: int
    results: bytes


def catalogue_version() -> str | None:
    """What the public catalogue is now; it changes with every commit that changes the catalogue.

    None inside a transaction that has written something: its reads may see what will never be committed, and nobody
    may keep them. Read before the rows: what was rendered is then never older than its version.
    """
    row = _row("SELECT version::text, pg_current_xact_id_if_assigned() IS NULL FROM courses_catalogueversion")
    return row[0] if row and row[1] else None


def department_id_get(reference: str) -> UUID:
    """Of the department with that id or slug. Raises DepartmentNotFound."""
    column, value = column_and_value(reference)
    row = _row(f"SELECT id FROM courses_department WHERE {column} = %(department)s", {"department": value})
    if row is None:
        raise DepartmentNotFound
    return UUID(str(row[0]))


def department_page(*, limit: int, offset: int) -> Rows:
    """Departments by name."""
    departments = """
        SELECT id, name, slug, description, course_count FROM courses_department
        ORDER BY name LIMIT %(limit)s OFFSET %(offset)s
    """
    row = _row(
        f"SELECT (SELECT count(*) FROM courses_department), ({_array(departments)})::text",
        {"limit": limit, "offset": offset},
    )
    assert row is not None, "a count is always one row"
    return Rows(row[0], row[1].encode())


def course_page(*, department: str | None, ordering: str, limit: int, offset: int) -> Rows:
    """The published courses of a department (by id or slug), or of all; `ordering` is one of ORDERINGS.

    Counted by what the departments say. Raises DepartmentNotFound.
    """
    parameters: dict[str, Any] = {"published": CourseStatus.PUBLISHED, "limit": limit, "offset": offset}
    if department is None:
        shelf = "SELECT coalesce(sum(course_count), 0)::integer AS course_count FROM courses_department"
        within = ""
    else:
        column, parameters["department"] = column_and_value(department)
        shelf = f"SELECT id, course_count FROM courses_department WHERE {column} = %(department)s"
        within = "AND c.department_id = shelf.id"
    courses = f"""
        SELECT {DOCUMENT} FROM {SOURCES} WHERE c.status = %(published)s {within}
        ORDER BY {ORDERINGS[ordering]} LIMIT %(limit)s OFFSET %(offset)s
    """
    row = _row(f"SELECT shelf.course_count, ({_array(courses)})::text FROM ({shelf}) shelf", parameters)
    if row is None:
        raise DepartmentNotFound
    return Rows(row[0], row[1].encode())


def course_document(reference: str) -> bytes:
    """One published course as everybody may see it: without its link. Raises CourseNotFound."""
    column, value = column_and_value(reference)
    row = _row(
        f"""
        SELECT row_to_json(course)::text FROM (
            SELECT {DOCUMENT}, NULL AS link FROM {SOURCES} WHERE c.status = %(published)s AND c.{column} = %(course)s
        ) course
        """,
        {"published": CourseStatus.PUBLISHED, "course": value},
    )
    if row is None:
        raise CourseNotFound
    return str(row[0]).encode()


def _array(rows: str) -> str:
    return f"SELECT coalesce(json_agg(row_to_json(item)), '[]') FROM ({rows}) item"


def _row(sql: str, parameters: dict[str, Any] | None = None) -> tuple[Any, ...] | None:
    """The first row. Without parameters psycopg does not read through the statement for places to put them."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row
