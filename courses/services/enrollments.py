"""Enrollments come into being by being paid for (or granted), inside the transaction that settles."""

from typing import Any

from courses.enums import AccessType
from courses.models import Course, Enrollment
from learning247.kit.transactions import require_transaction
from payments.models import Entitlement, Payment


def enrollment_create(entitlement: Entitlement, payment: Payment) -> None:
    """Enroll whoever the purchase named as the student, else the buyer.

    Registered with payments for products of the kind course and called in the settling transaction, which it asserts.
    However often it is called, the entitlement has one enrollment.
    """
    require_transaction("An enrollment commits together with the entitlement or not at all.")
    course = Course.objects.only("id").get(product_id=entitlement.product_id)
    named: dict[str, Any] = payment.details.get("student") or {}
    buyer = payment.buyer
    Enrollment.objects.bulk_create(
        [
            Enrollment(
                student=entitlement.user,
                course=course,
                access_type=AccessType.INDIVIDUAL,
                student_name=named.get("name") or buyer.full_name[:200],
                student_email=named.get("email") or buyer.email,
                student_phone=named.get("phone") or buyer.phone,
                payment=payment,
                entitlement=entitlement,
                starts_at=entitlement.starts_at,
                expires_at=entitlement.ends_at,
            )
        ],
        # The unique entitlement decides; asking first would leave a gap for a second settler.
        ignore_conflicts=True,
    )
