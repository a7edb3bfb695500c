"""Locks of the courses app, in the one order in which they are taken (who waits for whom: `docs/catalogue.md`):

an import's turn · courses, several by id · their department, creator and search document, by triggers ·
the product, the entitlement (payments) · enrollments, several by id · the catalogue's version, at commit
"""

import uuid
from collections.abc import Collection
from typing import Final

from django.db import connection

from courses.models import Course, CoursePass, Department, Enrollment
from learning247.kit.locks import bound_lock_wait
from payments.models import Product

# Numbers of advisory locks are the database's: 0x1EA247_02 is taken in `services/search_words.py`.
_IMPORT_TURN: Final = 0x1EA247_01


def import_turn_lock() -> None:
    """Wait until no other import runs, and keep others waiting until the transaction ends. It waits up to a minute, for
    this and for every lock after it."""
    bound_lock_wait(60_000)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_IMPORT_TURN])


def course_lock(course_id: uuid.UUID) -> Course | None:
    """The course with its product, the course row locked until the transaction ends; None when it is gone."""
    bound_lock_wait()
    return (
        Course.objects.select_for_update(of=("self",), no_key=True)
        .select_related("product")
        .filter(id=course_id)
        .first()
    )


def department_lock(department_id: uuid.UUID) -> Department | None:
    """The department, locked until the transaction ends; None when it is gone. At once as strongly as its renaming will
    ask for: whoever puts a course in it meanwhile would wait for a weaker one, and it for them."""
    bound_lock_wait()
    return Department.objects.select_for_update().filter(id=department_id).first()


def courses_lock(course_ids: Collection[uuid.UUID]) -> list[uuid.UUID]:
    """Lock these courses, one after the other by id; says which of them are still there. The wait is the caller's."""
    courses = Course.objects.select_for_update(no_key=True).filter(id__in=course_ids).order_by("id")
    return list(courses.values_list("id", flat=True))


def product_lock_for_erasure(product_id: uuid.UUID) -> Product:
    """The product under the strongest row lock: whoever writes a row that points to it waits, and then finds none."""
    bound_lock_wait()
    return Product.objects.select_for_update(of=("self",)).get(id=product_id)


def course_pass_lock(course_pass_id: uuid.UUID) -> CoursePass:
    """The pass with its product, the pass row locked until the transaction ends. None is ever deleted."""
    bound_lock_wait()
    return (
        CoursePass.objects.select_for_update(of=("self",), no_key=True).select_related("product").get(id=course_pass_id)
    )


def enrollments_lock(enrollment_ids: Collection[uuid.UUID]) -> list[Enrollment]:
    """Those that there are, in the order of their ids, locked until the transaction ends; their courses and people come
    along."""
    bound_lock_wait()
    return list(
        Enrollment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("course", "user")
        .filter(id__in=enrollment_ids)
        .order_by("id")
    )


def enrollments_lock_of(entitlement_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Enrollment]:
    """The enrollments that hang on these entitlements, which the caller has locked; by the entitlement's id."""
    bound_lock_wait()
    rows = (
        Enrollment.objects.select_for_update(of=("self",), no_key=True)
        .select_related("course", "user")
        .filter(entitlement_id__in=entitlement_ids)
        .order_by("id")
    )
    return {enrollment.entitlement_id: enrollment for enrollment in rows}
