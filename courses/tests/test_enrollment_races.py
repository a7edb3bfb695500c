"""Several at the same enrollment, and settlements beside staff."""

from threading import Barrier
from typing import Any

import pytest
from django.db import transaction

from accounts.tests.builders import build_admin, build_user
from courses.models import Course, Enrollment
from courses.proofs import every_enrollment_has_its_entitlement, every_mark_is_on_record
from courses.selectors.passes import course_pass_of
from courses.services import enrollments
from courses.services.enrollments import enrollment_grant, enrollment_mark, enrollment_mark_many, enrollment_revoke
from courses.tests.builders import build_course, build_enrollment
from learning247.kit.errors import DomainError
from learning247.records.checks import Scope
from learning247.records.models import AuditEntry, OutboundMail
from learning247.records.tests.races import at_once
from payments.models import Entitlement, Payment, Product
from payments.proofs import rights_are_audited, terms_do_not_overlap, terms_last_as_sold
from payments.services import entitlements
from payments.services.settlement import payment_settle
from payments.terms import term_end
from payments.tests.builders import start_checkout

pytestmark = pytest.mark.race


def breaches() -> list[str]:
    checks = (
        every_enrollment_has_its_entitlement,
        every_mark_is_on_record,
        rights_are_audited,
        terms_do_not_overlap,
        terms_last_as_sold,
    )
    return [breach.detail for check in checks for breach in check(Scope())]


def marks_of(enrollment: Enrollment) -> int:
    return AuditEntry.objects.filter(action="enrollment.credentials_sent", subject_id=str(enrollment.id)).count()


def mark_by_32(enrollment: Enrollment) -> None:
    staff = [build_admin() for _ in range(32)]
    at_once(32, lambda number: enrollment_mark(enrollment_id=enrollment.id, sent=True, notes=None, actor=staff[number]))


def test_an_enrollment_marked_by_32_at_once_is_marked_and_mailed_once(committed_db: str) -> None:
    enrollment = build_enrollment(build_course())

    mark_by_32(enrollment)

    assert marks_of(enrollment) == 1
    assert OutboundMail.objects.filter(key=f"enrollment:{enrollment.id}:credentials_sent").count() == 1
    assert breaches() == []


def test_without_the_lock_several_would_have_marked_it(committed_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the same with a plain read."""
    together = Barrier(32)

    def read_only(ids: Any) -> list[Enrollment]:
        rows = list(Enrollment.objects.select_related("course").filter(id__in=ids))
        together.wait(timeout=20)
        return rows

    monkeypatch.setattr(enrollments, "enrollments_lock", read_only)
    enrollment = build_enrollment(build_course())

    mark_by_32(enrollment)

    assert marks_of(enrollment) > 1


def test_batches_that_overlap_in_any_order_end_without_a_deadlock(committed_db: str) -> None:
    course, staff = build_course(), build_admin()
    ids = [build_enrollment(course).id for _ in range(40)]

    results = at_once(
        4,
        lambda number: enrollment_mark_many(enrollment_ids=ids if number % 2 else ids[::-1], notes=None, actor=staff),
    )

    assert sorted(sum(row.outcome == "sent" for row in rows) for rows in results) == [0, 0, 0, 40]
    assert OutboundMail.objects.filter(key__endswith=":credentials_sent").count() == 40
    assert breaches() == []


def test_revoked_by_16_at_once_it_is_revoked_once(committed_db: str) -> None:
    enrollment, staff = build_enrollment(build_course()), build_admin()

    at_once(16, lambda number: enrollment_revoke(enrollment_id=enrollment.id, reason=f"no {number}", actor=staff))

    assert AuditEntry.objects.filter(action="entitlement.revoked").count() == 1
    assert AuditEntry.objects.filter(action="enrollment.revoked").count() == 1
    assert OutboundMail.objects.filter(key=f"enrollment:{enrollment.id}:enrollment_revoked").count() == 1
    assert breaches() == []


def test_marking_beside_revoking_ends_revoked_with_everything_on_record(committed_db: str) -> None:
    course, staff = build_course(), build_admin()
    rows = [build_enrollment(course) for _ in range(16)]
    ids = [row.id for row in rows]

    def act(number: int) -> None:
        if number == 0:
            enrollment_mark_many(enrollment_ids=ids, notes=None, actor=staff)
        else:
            enrollment_revoke(enrollment_id=ids[number - 1], reason="a test", actor=staff)

    at_once(17, act)

    assert set(Enrollment.objects.values_list("status", flat=True)) == {"revoked"}
    assert breaches() == []


def test_a_course_given_to_one_person_by_8_at_once_is_given_once(committed_db: str) -> None:
    course, learner, staff = build_course(), build_user(verified=True), build_admin()

    def give(_: int) -> str:
        try:
            enrollment_grant(
                user=learner, course=course, access_type="individual", student={}, notes="", reason="x", actor=staff
            )
        except DomainError as refusal:
            return refusal.code
        return "given"

    assert sorted(at_once(8, give)) == ["already_owned"] * 7 + ["given"]
    assert Enrollment.objects.count() == 1
    assert breaches() == []


# --- Beside settlements


def paid_not_settled(gateways: Any, learner: Any, product: Product, *, count: int = 1) -> list[Payment]:
    """Payments that the gateway has the money of, and that nobody has told us of."""
    gateways.control.pause_webhooks()
    payments = [start_checkout(learner, product) for _ in range(count)]
    for payment in payments:
        gateways.control.pay("paystack", payment.reference)
    return payments


def test_passes_that_settle_at_the_same_moment_follow_each_other_to_the_microsecond(gateways: Any) -> None:
    learner = build_user(verified=True)
    monthly, yearly = (course_pass_of(access_type).product for access_type in ("monthly", "yearly"))
    payments = paid_not_settled(gateways, learner, monthly, count=3) + paid_not_settled(gateways, learner, yearly)

    at_once(4, lambda number: payment_settle(reference=payments[number].reference))

    assert set(Payment.objects.values_list("status", flat=True)) == {"paid"}
    terms = list(Entitlement.objects.select_related("product").order_by("starts_at"))
    assert len(terms) == 4
    for term in terms:
        assert term.ends_at == term_end(term.starts_at, term.product.term_months or 0)
    assert [term.starts_at for term in terms[1:]] == [term.ends_at for term in terms[:-1]]
    assert breaches() == []


def test_without_the_lock_two_passes_would_run_at_once(gateways: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: both look for the end of the other before either is there."""
    together = Barrier(2)
    monkeypatch.setattr(entitlements, "terms_lock", lambda *_: together.wait(timeout=20))
    learner, product = build_user(verified=True), course_pass_of("monthly").product
    payments = paid_not_settled(gateways, learner, product, count=2)

    at_once(2, lambda number: payment_settle(reference=payments[number].reference))

    assert len(breaches()) == 1


def test_passes_that_settle_beside_revoked_ones_leave_no_gap(gateways: Any) -> None:
    """Whoever comes first: the one that was paid for begins with its payment, or in the moment of the revocation."""
    staff, monthly = build_admin(), course_pass_of("monthly").product
    learners = [build_user(verified=True) for _ in range(6)]
    payments = [paid_not_settled(gateways, learner, monthly)[0] for learner in learners]
    given = [give_pass(learner, "yearly", staff) for learner in learners]

    def act(number: int) -> None:
        if number % 2:
            payment_settle(reference=payments[number // 2].reference)
        else:
            enrollment_revoke(enrollment_id=given[number // 2].id, reason="a test", actor=staff)

    at_once(12, act)

    for learner, payment in zip(learners, payments, strict=True):
        payment.refresh_from_db()
        live, revoked = Entitlement.objects.filter(user=learner).order_by("product__term_months")
        assert live.starts_at in {payment.settled_at, revoked.revoked_at}
        assert live.ends_at == term_end(live.starts_at, 1)
    assert breaches() == []


def test_without_the_lock_a_pass_that_settles_meanwhile_would_wait_for_one_that_is_gone(
    gateways: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the settler has seen the term that is being revoked, the revoker not the one that settles."""
    together = Barrier(2)
    monkeypatch.setattr(entitlements, "terms_lock", lambda *_: None)
    staff, learner = build_admin(), build_user(verified=True)
    (payment,) = paid_not_settled(gateways, learner, course_pass_of("monthly").product)
    given = give_pass(learner, "yearly", staff)
    look_for_end, moved_up = entitlements._last_end, entitlements._move_up

    def look_then_wait(*args: Any, **kwargs: Any) -> Any:
        seen = look_for_end(*args, **kwargs)
        together.wait(timeout=20)
        together.wait(timeout=20)
        return seen

    def wait_then_move(*args: Any) -> Any:
        together.wait(timeout=20)
        moved = moved_up(*args)
        together.wait(timeout=20)
        return moved

    monkeypatch.setattr(entitlements, "_last_end", look_then_wait)
    monkeypatch.setattr(entitlements, "_move_up", wait_then_move)

    at_once(
        2,
        lambda number: (
            payment_settle(reference=payment.reference)
            if number
            else enrollment_revoke(enrollment_id=given.id, reason="a test", actor=staff)
        ),
    )

    assert Entitlement.objects.get(revoked_at__isnull=True).starts_at == given.expires_at


def give_pass(learner: Any, access_type: str, staff: Any) -> Enrollment:
    return enrollment_grant(
        user=learner, course=None, access_type=access_type, student={}, notes="", reason="x", actor=staff
    )


def test_settling_beside_revoking_what_staff_gave_ends_in_one_truth(gateways: Any) -> None:
    """Whoever comes first: the payment opens the course, or its money goes back; never both, never neither."""
    course, staff = build_course(), build_admin()
    learners = [build_user(verified=True) for _ in range(8)]
    payments = [paid_not_settled(gateways, learner, course.product)[0] for learner in learners]
    given = [give_course(learner, course, staff) for learner in learners]

    def act(number: int) -> None:
        if number % 2:
            payment_settle(reference=payments[number // 2].reference)
        else:
            enrollment_revoke(enrollment_id=given[number // 2].id, reason="a test", actor=staff)

    at_once(16, act)

    for learner, payment in zip(learners, payments, strict=True):
        payment.refresh_from_db()
        live = Entitlement.objects.filter(user=learner, revoked_at__isnull=True).count()
        assert (payment.status, live) in {("paid", 1), ("refunded", 0)}
    assert Enrollment.objects.filter(status="revoked").count() == 8
    assert breaches() == []


def give_course(learner: Any, course: Course, staff: Any) -> Enrollment:
    return enrollment_grant(
        user=learner, course=course, access_type="individual", student={}, notes="", reason="x", actor=staff
    )


def test_a_revocation_that_fails_at_the_last_moment_leaves_nothing_behind(
    committed_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrollment, staff = build_enrollment(build_course()), build_admin()

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("no mail today")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="no mail today"):
        patch.setattr(enrollments, "mail_queue", fail)
        enrollment_revoke(enrollment_id=enrollment.id, reason="x", actor=staff)

    assert Entitlement.objects.get().revoked_at is None
    assert Enrollment.objects.get().status == "pending"
    assert not AuditEntry.objects.filter(action__endswith=".revoked").exists()
    with transaction.atomic():
        assert breaches() == []
