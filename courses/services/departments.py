"""Departments come into being by being named, or in the console; there they are also changed and removed."""

import uuid
from collections.abc import Mapping
from typing import TypedDict

from django.db import transaction
from django.utils.text import slugify

from accounts.models import User
from courses.errors import DepartmentNotEmpty, DepartmentNotFound
from courses.locks import department_lock
from courses.models import Course, Department
from courses.names import department_key
from learning247.kit.ids import new_id
from learning247.kit.transactions import require_transaction
from learning247.records.reasons import required_reason
from learning247.records.services.audit import audit_record


class DepartmentChanges(TypedDict, total=False):
    """The fields of a department that can be edited; one that is not there stays as it is."""

    name: str
    slug: str
    description: str


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


def department_create(*, department: Department, staff: User, reason: str) -> None:
    """Save a new department, audited. In the caller's transaction, which it asserts. Raises ReasonRequired."""
    require_transaction("A department commits together with its audit entry.")
    department.save(force_insert=True)
    _audit(department.id, "department.created", staff=staff, reason=reason, after=_record_of(department))


def department_change(*, department_id: uuid.UUID, changes: DepartmentChanges, staff: User, reason: str) -> None:
    """Change what `changes` names, audited with the values before. In the caller's transaction, which it asserts.

    Raises ReasonRequired, DepartmentNotFound.
    """
    require_transaction("A department is changed in the transaction that locks it.")
    department = department_lock(department_id)
    if department is None:
        raise DepartmentNotFound
    before = _record_of(department)
    for name, value in changes.items():
        setattr(department, name, value)
    department.save(update_fields=list(changes))
    after = _record_of(department)
    _audit(
        department_id,
        "department.changed",
        staff=staff,
        reason=reason,
        before={name: before[name] for name in changes},
        after={name: after[name] for name in changes},
    )


@transaction.atomic(durable=True)
def department_erase(*, department_id: uuid.UUID, staff: User, reason: str) -> None:
    """Remove a department that has no courses, audited; quiet when that was done. Raises ReasonRequired,
    DepartmentNotEmpty."""
    reason = required_reason(reason)
    department = department_lock(department_id)
    if department is None:
        return
    before = _record_of(department)
    if Course.objects.filter(department=department).exists():
        raise DepartmentNotEmpty
    department.delete()
    _audit(department_id, "department.erased", staff=staff, reason=reason, before=before)


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


def _record_of(department: Department) -> dict[str, str]:
    return {"name": department.name, "slug": department.slug, "description": department.description}


def _audit(
    department_id: uuid.UUID,
    action: str,
    *,
    staff: User,
    reason: str,
    before: Mapping[str, str] | None = None,
    after: Mapping[str, str] | None = None,
) -> None:
    audit_record(
        actor=staff,
        action=action,
        subject_kind="department",
        subject_id=department_id,
        reason=required_reason(reason),
        before=before,
        after=after,
    )
