"""Buying a course, or a pass to every platform course."""

from collections.abc import Mapping

from accounts.devices import UNKNOWN, Device
from accounts.models import User
from courses.enums import AccessType
from courses.errors import AccessTypeNotAvailable
from courses.models import Course
from courses.selectors.passes import course_pass_of
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
    device: Device = UNKNOWN,
    coupon: str | None = None,
) -> Payment:
    """Open a checkout for one course, or by `access_type` for a pass; the same key finds the same payment again.

    `student` (name, email, phone, each optional) is who the enrollment will be for. A course that a pass opens may
    still be bought, for good. Raises AccessTypeNotAvailable for a pass by way of a creator's course, and what
    `checkout_start` raises: already owned, no price in this currency, a coupon that does not apply, gateway away.
    """
    kind, item_id = ProductKind.COURSE, course.id
    if access_type != AccessType.INDIVIDUAL:
        if course.creator_id is not None:
            raise AccessTypeNotAvailable(attr="access_type")
        kind, item_id = ProductKind.COURSE_PASS, course_pass_of(access_type).id
    return checkout_start(
        buyer=buyer,
        product_kind=kind,
        item_id=item_id,
        currency=currency,
        details={"student": dict(student)},
        operation=OPERATION,
        idempotency_key=idempotency_key,
        device=device,
        coupon=coupon,
    )
