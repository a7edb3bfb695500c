"""The platform's courses as an operator's sheets have them."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Final

from courses.enums import CourseStatus
from courses.errors import DepartmentNotFound
from courses.models import Course, Department
from courses.names import department_key

BATCH: Final = 500

# Name, link, content, curriculum, duration.
CourseTexts = tuple[str, str, str, str, str]


def shelves(*, names: Sequence[str] = (), every_state: bool = False) -> Iterator[tuple[str, Iterator[CourseTexts]]]:
    """Department after department by name, each with its published platform courses, oldest first, in batches.

    `names` (or slugs) are the only departments wanted; `every_state` adds drafts and withdrawn courses. What is made
    after a department was begun is left out. Raises DepartmentNotFound, before the first.
    """
    departments = list(Department.objects.order_by("name", "id"))
    if names:
        departments = _named(departments, names)
    for department in departments:
        yield department.name, _courses(department.id, every_state=every_state)


def namesakes() -> list[tuple[str, str]]:
    """Departments whose names differ in nothing that an import looks at, as pairs: they would be imported as one."""
    first: dict[str, str] = {}
    pairs = []
    for name in Department.objects.order_by("id").values_list("name", flat=True):
        other = first.setdefault(department_key(name), name)
        if other != name:
            pairs.append((other, name))
    return pairs


def _named(departments: Sequence[Department], names: Sequence[str]) -> list[Department]:
    wanted = []
    for name in names:
        key = department_key(name)
        found = [department for department in departments if key in (department_key(department.name), department.slug)]
        if not found:
            raise DepartmentNotFound(f"There is no department {name!r}.")
        wanted += found
    return [department for department in departments if department in wanted]


def _courses(department_id: uuid.UUID, *, every_state: bool) -> Iterator[CourseTexts]:
    courses = Course.objects.filter(department_id=department_id, creator__isnull=True).order_by("id")
    if not every_state:
        courses = courses.filter(status=CourseStatus.PUBLISHED)
    last = courses.values_list("id", flat=True).last()
    after: uuid.UUID | None = None
    while last is not None and after != last:
        batch = courses.filter(id__lte=last)
        if after is not None:
            batch = batch.filter(id__gt=after)
        rows = list(batch.values_list("id", "title", "link", "description", "curriculum", "duration")[:BATCH])
        if not rows:
            return
        for _, title, link, description, curriculum, duration in rows:
            yield title, link, description, curriculum, duration
        after = rows[-1][0]
