"""Reads of departments."""

from courses.errors import DepartmentUnknown
from courses.models import Department
from courses.selectors.references import by_id_or_slug


def department_choose(reference: str) -> Department:
    """The department that a request's body names by id or slug. Raises DepartmentUnknown (400)."""
    department = by_id_or_slug(Department.objects.all(), reference)
    if department is None:
        raise DepartmentUnknown(attr="department")
    return department
