"""What courses itself proves: I9, access is active exactly while a live entitlement exists."""

from collections.abc import Iterator

from django.db.models import Exists, F, OuterRef, Q

from courses.enums import EnrollmentStatus
from courses.models import Enrollment
from learning247.records.checks import Breach, Scope
from payments.enums import ProductKind
from payments.models import Entitlement


def every_enrollment_has_its_entitlement(scope: Scope) -> Iterator[Breach]:
    """I9: an enrollment is revoked exactly when its entitlement is, for the same person, product and dates; and every
    entitlement to a course has an enrollment. Each side is walked in ranges of keys; only breaches come back."""
    revoked = Q(status=EnrollmentStatus.REVOKED)
    agrees = (Q(revoked, entitlement__revoked_at__isnull=False) | Q(~revoked, entitlement__revoked_at__isnull=True)) & (
        Q(
            Q(course__isnull=True) | Q(course__product=F("entitlement__product")),
            Q(expires_at=F("entitlement__ends_at")) | Q(expires_at__isnull=True, entitlement__ends_at__isnull=True),
            student=F("entitlement__user"),
            starts_at=F("entitlement__starts_at"),
        )
    )
    for part in scope.ranges(Enrollment.objects.all()):
        in_part = Enrollment.objects.filter(pk__gte=part.first, pk__lte=part.last)
        for enrollment in in_part.exclude(agrees).select_related("entitlement"):
            entitlement = enrollment.entitlement
            yield Breach(
                f"enrollment {enrollment.id} is {enrollment.status} for {enrollment.student_id} until"
                f" {enrollment.expires_at}; its entitlement {entitlement.id} for {entitlement.user_id} ends"
                f" {entitlement.ends_at}, revoked {entitlement.revoked_at}"
            )
    course_entitlements = Entitlement.objects.filter(product__kind=ProductKind.COURSE)
    enrolled = Exists(Enrollment.objects.filter(entitlement=OuterRef("pk")))
    for part in scope.ranges(course_entitlements):
        in_part_too = course_entitlements.filter(pk__gte=part.first, pk__lte=part.last)
        for entitlement in in_part_too.exclude(enrolled):
            yield Breach(f"entitlement {entitlement.id} of {entitlement.user_id} to a course has no enrollment")
