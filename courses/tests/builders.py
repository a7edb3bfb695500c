"""Courses for tests, of this app and of those above it."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.tests.builders import build_user
from courses.enums import CourseStatus
from courses.models import Course, Department, Enrollment
from courses.services.courses import course_create, course_publish, course_withdraw
from courses.services.departments import department_ensure
from courses.services.enrollments import enrollment_create
from learning247.kit.clock import now
from learning247.kit.money import Money
from payments.enums import EntitlementSource, PaymentStatus
from payments.models import Entitlement, Payment

NGN_25000_USD_30 = (Money(2_500_000, "NGN"), Money(3_000, "USD"))
_numbers = count(1)


def build_department(name: str | None = None, *, description: str = "") -> Department:
    """A saved department; names number themselves."""
    return department_ensure(name=name or f"Department {next(_numbers)}", description=description)


def build_course(
    *,
    title: str | None = None,
    department: Department | None = None,
    creator: User | None = None,
    prices: Sequence[Money] = NGN_25000_USD_30,
    status: CourseStatus = CourseStatus.PUBLISHED,
    **texts: Any,
) -> Course:
    """A course made by the real services, on sale unless `status` says otherwise; without a creator the platform's.

    `texts`: description, curriculum, duration, link, image_url. A creator needs a verified email (`build_creator`).
    """
    texts.setdefault("link", "https://classroom.example.com/room")
    course = course_create(
        creator=creator,
        title=title or f"Course {next(_numbers)}",
        department=department or build_department(),
        prices=prices,
        **texts,
    )
    if status != CourseStatus.DRAFT:
        course = course_publish(course_id=course.id, actor=creator)
    if status == CourseStatus.WITHDRAWN:
        course = course_withdraw(course_id=course.id, actor=creator)
    return course


def build_enrollment(course: Course, *, user: User | None = None, **payment_fields: Any) -> Enrollment:
    """A student who got the course free of charge: payment, entitlement and enrollment, without any gateway."""
    user = user or build_user(verified=True)
    moment = now()
    number = next(_numbers)
    values = {
        "reference": f"L247-test-{number}",
        "status": PaymentStatus.PAID,
        "currency": "NGN",
        "amount_minor": 0,
        "platform_fee_bps": 0,
        "operation": "courses.purchase",
        "idempotency_key": f"key {number}",
        "expires_at": moment,
        "settled_at": moment,
    } | payment_fields
    with transaction.atomic():
        payment = Payment.objects.create(buyer=user, product=course.product, **values)
        entitlement = Entitlement.objects.create(
            user=user, product=course.product, source=EntitlementSource.FREE, payment=payment
        )
        enrollment_create(entitlement, payment)
    return Enrollment.objects.get(entitlement=entitlement)
