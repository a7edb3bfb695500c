"""Buying a course."""

from collections.abc import Mapping

from accounts.models import User
from courses.enums import AccessType
from courses.errors import AccessTypeNotAvailable
from courses.models import Course
from payments.enums import ProductKind
from payments.models import Payment
from payments.services.checkout import checkout_start

OPERATION = "courses.purchase"


def course_purchase(
    *,
    buyer: User,
    course: Course,
    currency: str,
    access_type: str,
    student: Mapping[str, str],
    idempotency_key: str,
) -> Payment:
    """Open a checkout for one course; the same key finds the same payment again.

    `student` (name, email, phone, each optional) is who the enrollment will be for. Raises AccessTypeNotAvailable, and
    what `checkout_start` raises: already owned, no price in this currency, gateway away.
    """
    if access_type != AccessType.INDIVIDUAL:
        raise AccessTypeNotAvailable(attr="access_type")
    return checkout_start(
        buyer=buyer,
        product_kind=ProductKind.COURSE,
        item_id=course.id,
        currency=currency,
        details={"student": dict(student)},
        operation=OPERATION,
        idempotency_key=idempotency_key,
    )
