"""What courses itself proves: access is active exactly while a live entitlement exists (I9), and what staff did with an
enrollment is on record (I15)."""

from collections.abc import Iterator

from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from courses.enums import AccessType, EnrollmentStatus
from courses.models import Enrollment
from learning247.records.checks import Breach, Scope
from payments.enums import ProductKind
from payments.models import Entitlement

_IN_A_COURSE = Q(course__product=F("entitlement__product"), access_type=AccessType.INDIVIDUAL)
_BY_A_PASS = Q(course__isnull=True, entitlement__product__course_pass__access_type=F("access_type"))
_REVOKED = Q(status=EnrollmentStatus.REVOKED, entitlement__revoked_at__isnull=False)
_NOT_REVOKED = ~Q(status=EnrollmentStatus.REVOKED) & Q(entitlement__revoked_at__isnull=True)
_SAME_END = Q(expires_at=F("entitlement__ends_at")) | Q(expires_at__isnull=True, entitlement__ends_at__isnull=True)
_AGREES = (
    (_IN_A_COURSE | _BY_A_PASS)
    & (_REVOKED | _NOT_REVOKED)
    & _SAME_END
    & Q(user=F("entitlement__user"), starts_at=F("entitlement__starts_at"))
)


def every_enrollment_has_its_entitlement(scope: Scope) -> Iterator[Breach]:
    """I9: an enrollment is revoked exactly when its entitlement is, for the same person, dates, and course or pass; and
    every entitlement to a course or a pass has an enrollment. Each side is walked in ranges of keys; only breaches come
    back."""
    agrees = Case(When(_AGREES, then=Value(True)), default=Value(False))
    for part in scope.ranges(Enrollment.objects.all()):
        in_part = Enrollment.objects.filter(pk__gte=part.first, pk__lte=part.last).annotate(agrees=agrees)
        for enrollment in in_part.filter(agrees=False).select_related("entitlement"):
            entitlement = enrollment.entitlement
            yield Breach(
                f"enrollment {enrollment.id} is {enrollment.status} for {enrollment.user_id} until"
                f" {enrollment.expires_at}; its entitlement {entitlement.id} for {entitlement.user_id} ends"
                f" {entitlement.ends_at}, revoked {entitlement.revoked_at}"
            )
    enrolling = Entitlement.objects.filter(product__kind__in=(ProductKind.COURSE, ProductKind.COURSE_PASS))
    enrolled = Exists(Enrollment.objects.filter(entitlement=OuterRef("pk")))
    for part in scope.ranges(enrolling):
        in_part_too = enrolling.filter(pk__gte=part.first, pk__lte=part.last)
        for entitlement in in_part_too.exclude(enrolled).select_related("product"):
            what = "course" if entitlement.product.kind == ProductKind.COURSE else "pass"
            yield Breach(f"entitlement {entitlement.id} of {entitlement.user_id} to a {what} has no enrollment")


def every_mark_is_on_record(scope: Scope) -> Iterator[Breach]:
    """I15: whoever an enrollment names as having sent the credentials has an audit row that says so."""
    for part in scope.ranges(Enrollment.objects.filter(credentials_sent_by__isnull=False)):
        for enrollment, staff in scope.query(
            """
            SELECT e.id, e.credentials_sent_by_id FROM courses_enrollment e
             WHERE e.id BETWEEN %s AND %s AND e.credentials_sent_by_id IS NOT NULL
               AND NOT EXISTS (
                   SELECT 1 FROM records_auditentry a
                    WHERE a.subject_kind = 'enrollment' AND a.subject_id = e.id::text
                      AND a.action = 'enrollment.credentials_sent' AND a.actor_id = e.credentials_sent_by_id)
            """,
            [part.first, part.last],
        ):
            yield Breach(f"enrollment {enrollment} was marked as sent by {staff}, and no audit entry says so")
