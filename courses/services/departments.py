"""Departments come into being by being named."""

from django.db import transaction
from django.utils.text import slugify

from courses.models import Department
from learning247.kit.ids import new_id


@transaction.atomic
def department_ensure(*, name: str, description: str = "") -> Department:
    """The department of that name (compared without case), made when there is none.

    Two at once make one: the unique name decides. The slug is the name's, with the end of the id where that is taken.
    """
    found = Department.objects.filter(name__iexact=name).first()
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
