"""Departments come into being by being named."""

from collections.abc import Mapping

from django.db import transaction
from django.utils.text import slugify

from courses.models import Department
from courses.names import department_key
from learning247.kit.ids import new_id


@transaction.atomic
def department_ensure(*, name: str, description: str = "") -> Department:
    """The department of that name (case and blanks do not count), made when there is none.

    Two at once make one: the unique name decides. The slug is the name's, with the end of the id where that is taken.
    """
    found = department_by_name(name)
    if found is not None:
        return found
    department_id = new_id()
    plain = slugify(name)[:120] or "department"
    for slug in (plain, f"{plain}-{department_id.hex[-8:]}"):
        Department.objects.bulk_create(
            [Department(id=department_id, name=name, slug=slug, description=description)], ignore_conflicts=True
        )
        found = Department.objects.filter(name=name).first()
        if found is not None:
            return found
    raise RuntimeError(f"The department {name!r} could not be made.")


@transaction.atomic(durable=True)
def departments_describe(*, descriptions: Mapping[str, str]) -> tuple[int, list[str]]:
    """Describe the departments of these names that have no description yet; what is there stays, staff wrote it.

    Says how many were described, and which names are no department's.
    """
    described, unknown = 0, []
    for name, description in descriptions.items():
        department = department_by_name(name)
        if department is None:
            unknown.append(name)
        elif not department.description:
            # The row may have been edited since it was read.
            described += Department.objects.filter(id=department.id, description="").update(description=description)
    return described, unknown


def department_by_name(name: str) -> Department | None:
    """The department of that name, case and blanks not counted; None when there is none."""
    exact = Department.objects.filter(name=name).first()
    if exact is not None:
        return exact
    # There are dozens, not thousands, and "blanks do not count" is no index's matter.
    key = department_key(name)
    for department in Department.objects.order_by("id"):
        if department_key(department.name) == key:
            return department
    return None
