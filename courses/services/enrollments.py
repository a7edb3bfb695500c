"""Enrollments: made by a purchase or by staff, served by staff, ended with the right that they hang on."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.models import User, normalised_email
from courses.enums import AccessType, EnrollmentStatus
from courses.errors import EnrollmentExpired, EnrollmentNotFound, EnrollmentRevoked
from courses.locks import enrollments_lock, enrollments_lock_of
from courses.models import Course, CoursePass, Enrollment
from courses.selectors.passes import course_pass_of
from learning247.kit.clock import now
from learning247.kit.errors import DomainError
from learning247.kit.lengths import longest
from learning247.kit.transactions import require_transaction
from learning247.records.services.audit import audit_record
from learning247.records.services.mail import mail_queue
from payments.enums import ProductKind
from payments.models import Entitlement, Payment
from payments.services.entitlements import entitlement_grant_by_staff, entitlement_revoke

MOST_MARKED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Marked:
    """What became of one id of a batch: `outcome` is sent, already_sent, or the code of what refused it."""

    id: uuid.UUID
    outcome: str
    detail: str = ""


def enrollment_create(entitlement: Entitlement, payment: Payment | None) -> None:
    """Enroll whoever the purchase named as the student, else the buyer (no payment: the person).

    Registered with payments for courses and passes and called in the granting transaction, which it asserts. However
    often it is called, the entitlement has one enrollment.
    """
    require_transaction("An enrollment commits together with the entitlement or not at all.")
    course, access_type = _subject_of(entitlement)
    named: dict[str, Any] = (payment.details.get("student") or {}) if payment else {}
    person = entitlement.user
    Enrollment.objects.bulk_create(
        [
            Enrollment(
                user=person,
                course=course,
                access_type=access_type,
                student_name=named.get("name") or person.full_name[: longest(Enrollment, "student_name")],
                student_email=named.get("email") or person.email,
                student_phone=named.get("phone") or person.phone,
                payment=payment,
                entitlement=entitlement,
                starts_at=entitlement.starts_at,
                expires_at=entitlement.ends_at,
            )
        ],
        # The unique entitlement decides; asking first would leave a gap for a second settler.
        ignore_conflicts=True,
    )


def enrollment_end(entitlement: Entitlement, moved: Sequence[Entitlement], reason: str, actor: User | None) -> None:
    """Revoked with its entitlement, and those of `moved` begin and end with theirs: audited, each student told.

    Registered with payments and called in the revoking transaction, which holds the entitlements' locks.
    """
    require_transaction("An enrollment ends together with its entitlement or not at all.")
    enrollments = enrollments_lock_of([entitlement.pk, *(term.pk for term in moved)])
    enrollment = enrollments[entitlement.pk]
    before = _record_of(enrollment)
    enrollment.status = EnrollmentStatus.REVOKED
    _save(enrollment, "status")
    _audit(enrollment, "enrollment.revoked", before, actor=actor, reason=reason)
    _tell(enrollment, "enrollment_revoked")
    for term in moved:
        _move(enrollments[term.pk], term, actor)


def enrollment_restore(entitlement: Entitlement, reason: str) -> None:
    """As it was before it was revoked, with the dates that its entitlement has now: audited, the student told.

    Registered with payments and called in the restoring transaction, which holds the entitlement's lock.
    """
    require_transaction("An enrollment comes back together with its entitlement or not at all.")
    enrollment = enrollments_lock_of([entitlement.pk])[entitlement.pk]
    before = _record_of(enrollment)
    sent = enrollment.credentials_sent_at is not None
    enrollment.status = EnrollmentStatus.CREDENTIALS_SENT if sent else EnrollmentStatus.PENDING
    enrollment.starts_at, enrollment.expires_at = entitlement.starts_at, entitlement.ends_at
    _save(enrollment, "status", "starts_at", "expires_at")
    _audit(enrollment, "enrollment.restored", before, actor=None, reason=reason)
    _tell(enrollment, "enrollment_restored", occasion=f":{now():%Y%m%dT%H%M%S.%f}")


@transaction.atomic(durable=True)
def enrollment_mark(*, enrollment_id: uuid.UUID, sent: bool, notes: str | None, actor: User) -> Enrollment:
    """The sign-in was sent to the student, or after all was not; `notes`, when given, replace what stands there.

    Marked as sent for the first time ever, the student gets the mail that says so. Already so: only new notes are kept.
    Audited. Raises EnrollmentNotFound, EnrollmentRevoked, EnrollmentExpired.
    """
    for enrollment in enrollments_lock([enrollment_id]):
        _mark(enrollment, sent=sent, notes=notes, actor=actor, moment=now())
        return enrollment
    raise EnrollmentNotFound


@transaction.atomic(durable=True)
def enrollment_mark_many(*, enrollment_ids: Sequence[uuid.UUID], notes: str | None, actor: User) -> list[Marked]:
    """Mark up to 500 as sent in one transaction; what became of each, in the order given and each once.

    One that is revoked, expired or unknown keeps no other waiting. One that was sent already keeps its notes: they were
    written about it, and these were written about the batch.
    """
    if len(enrollment_ids) > MOST_MARKED_AT_ONCE:
        raise ValueError(f"At most {MOST_MARKED_AT_ONCE} at once.")
    moment = now()
    results = {enrollment_id: _refused(enrollment_id, EnrollmentNotFound()) for enrollment_id in enrollment_ids}
    for enrollment in enrollments_lock(enrollment_ids):
        already = enrollment.status == EnrollmentStatus.CREDENTIALS_SENT
        try:
            _mark(enrollment, sent=True, notes=None if already else notes, actor=actor, moment=moment)
        except (EnrollmentRevoked, EnrollmentExpired) as refusal:
            results[enrollment.id] = _refused(enrollment.id, refusal)
        else:
            results[enrollment.id] = Marked(enrollment.id, "already_sent" if already else "sent")
    return list(results.values())


@transaction.atomic(durable=True)
def enrollment_revoke(*, enrollment_id: uuid.UUID, reason: str, actor: User) -> Enrollment:
    """Take the student's access back: entitlement and enrollment in one, audited, the student told. Quiet when it was
    done before. No money moves. Raises EnrollmentNotFound."""
    entitlement_id = Enrollment.objects.filter(id=enrollment_id).values_list("entitlement_id", flat=True).first()
    if entitlement_id is None:
        raise EnrollmentNotFound
    entitlement_revoke(entitlement_id=entitlement_id, reason=reason, actor=actor)
    return Enrollment.objects.get(id=enrollment_id)


@transaction.atomic(durable=True)
def enrollment_grant(
    *,
    user: User,
    course: Course | None,
    access_type: str,
    student: Mapping[str, str],
    notes: str,
    reason: str,
    actor: User,
) -> Enrollment:
    """Enroll a person by hand, without a payment: in `course`, or where that is None by the pass `access_type`.

    `student` (name, email, phone, each optional) is who takes the course. Audited, the student told.
    Raises AlreadyOwned.
    """
    product = course.product if course else course_pass_of(access_type).product
    entitlement = entitlement_grant_by_staff(user=user, product=product, actor=actor, reason=reason)
    enrollment = Enrollment.objects.select_related("course", "user").get(entitlement=entitlement)
    named = {f"student_{name}": value for name, value in student.items() if value}
    for field, value in {**named, "notes": notes}.items():
        setattr(enrollment, field, value)
    _save(enrollment, *named, "notes")
    _audit(enrollment, "enrollment.granted", None, actor=actor, reason=reason)
    _tell(enrollment, "enrollment_granted")
    return enrollment


def _subject_of(entitlement: Entitlement) -> tuple[Course | None, str]:
    if entitlement.product.kind == ProductKind.COURSE:
        return Course.objects.only("id").get(product_id=entitlement.product_id), AccessType.INDIVIDUAL
    return None, CoursePass.objects.only("access_type").get(product_id=entitlement.product_id).access_type


def _mark(enrollment: Enrollment, *, sent: bool, notes: str | None, actor: User, moment: datetime) -> bool:
    """Whether anything had to be done to the mark itself. The row is locked."""
    if enrollment.status == EnrollmentStatus.REVOKED:
        raise EnrollmentRevoked
    if enrollment.expires_at is not None and enrollment.expires_at <= moment:
        raise EnrollmentExpired
    before = _record_of(enrollment)
    fresh = sent != (enrollment.status == EnrollmentStatus.CREDENTIALS_SENT)
    if notes is not None:
        enrollment.notes = notes
    if fresh:
        enrollment.status = EnrollmentStatus.CREDENTIALS_SENT if sent else EnrollmentStatus.PENDING
        enrollment.credentials_sent_at = moment if sent else None
        enrollment.credentials_sent_by = actor if sent else None
        if sent and enrollment.credentials_mailed_at is None:
            enrollment.credentials_mailed_at = moment
            _tell(enrollment, "credentials_sent")
    if _record_of(enrollment) == before:
        return False
    _save(
        enrollment, "status", "credentials_sent_at", "credentials_sent_by", "credentials_mailed_at", "notes"
    )  # fmt: skip
    action = f"enrollment.{enrollment.status}" if fresh else "enrollment.noted"
    _audit(enrollment, action, before, actor=actor, reason=notes or "")
    return fresh


def _move(enrollment: Enrollment, term: Entitlement, actor: User | None) -> None:
    def dates() -> dict[str, datetime | None]:
        return {"starts_at": enrollment.starts_at, "expires_at": enrollment.expires_at}

    before = dates()
    enrollment.starts_at, enrollment.expires_at = term.starts_at, term.ends_at
    _save(enrollment, "starts_at", "expires_at")
    audit_record(
        actor=actor,
        action="enrollment.moved",
        subject_kind="enrollment",
        subject_id=enrollment.id,
        reason="A pass before it was revoked.",
        before=before,
        after=dates(),
    )
    _tell(enrollment, "enrollment_moved", occasion=f":{term.starts_at:%Y%m%dT%H%M%S.%f}")


def _refused(enrollment_id: uuid.UUID, refusal: DomainError) -> Marked:
    return Marked(enrollment_id, refusal.code, refusal.detail)


def _record_of(enrollment: Enrollment) -> dict[str, Any]:
    return {
        "status": enrollment.status,
        "credentials_sent_at": enrollment.credentials_sent_at,
        "credentials_sent_by": enrollment.credentials_sent_by_id,
        "notes": enrollment.notes,
    }


def _save(enrollment: Enrollment, *fields: str) -> None:
    enrollment.updated_at = now()
    enrollment.save(update_fields=[*fields, "updated_at"])


def _audit(
    enrollment: Enrollment, action: str, before: Mapping[str, Any] | None, *, actor: User | None, reason: str
) -> None:
    audit_record(
        actor=actor,
        action=action,
        subject_kind="enrollment",
        subject_id=enrollment.id,
        reason=reason,
        before=before,
        after=_record_of(enrollment),
    )


def _tell(enrollment: Enrollment, template: str, *, occasion: str = "") -> None:
    """Each of these mails once per enrollment and occasion, to who takes the course.

    It greets by name only at the verified address of the account: elsewhere the name is what a buyer wrote, and we
    would mail a stranger's text to whoever the address belongs to.
    """
    user = enrollment.user
    to_the_account = user.email_verified and normalised_email(enrollment.student_email) == user.email
    mail_queue(
        key=f"enrollment:{enrollment.id}:{template}{occasion}",
        to=enrollment.student_email,
        template=template,
        context={
            "enrollment": enrollment,
            "student_name": enrollment.student_name if to_the_account else "",
            "course": enrollment.course,
            "url": (enrollment.course and enrollment.course.link) or f"{settings.FRONTEND_URL}/courses",
            "support": settings.SUPPORT_EMAIL,
            "waits": enrollment.starts_at > now(),
        },
    )
