"""Withdrawals that people decide over: how a case begins, is worked on, and ends. A decision is final.

A large one needs two different people: the first approval is kept, the second one releases it. Nobody decides over
their own money.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import User
from learning247.kit.clock import now
from learning247.kit.transactions import require_transaction
from learning247.records.services.audit import audit_record
from learning247.records.services.mail import mail_queue
from learning247.risk.enums import ReviewPriority, ReviewStatus
from wallets.enums import WithdrawalReason, WithdrawalStatus
from wallets.errors import OwnWithdrawal, SecondPersonNeeded, WithdrawalDecided
from wallets.locks import withdrawal_review_lock
from wallets.models import Withdrawal, WithdrawalApproval, WithdrawalReview
from wallets.services.payout_limits import suspension_check
from wallets.services.withdrawal_checks import Doubt
from wallets.services.withdrawal_releases import withdrawal_release
from wallets.services.withdrawal_states import withdrawal_move


def withdrawal_review_open(*, withdrawal: Withdrawal, doubt: Doubt) -> None:
    """Ask people, in the confirming transaction."""
    require_transaction("A withdrawal is in review together with its case.")
    WithdrawalReview.objects.create(
        withdrawal=withdrawal,
        reason=doubt.reason,
        told=list(doubt.told),
        approvals_needed=doubt.approvals_needed,
        due_at=now() + timedelta(hours=settings.REVIEW_DUE_HOURS),
    )


def withdrawal_review_close(*, withdrawal: Withdrawal, reason: str) -> None:
    """Nothing is left to decide: in the caller's transaction, which has locked `withdrawal`. Quiet where none is
    open."""
    require_transaction("A case is closed together with what settled it.")
    WithdrawalReview.objects.filter(withdrawal=withdrawal, status=ReviewStatus.OPEN).update(
        status=ReviewStatus.CLOSED, decided_at=now(), decision_reason=reason
    )


@transaction.atomic(durable=True)
def withdrawal_approve(*, review_id: UUID, actor: User, reason: str = "") -> WithdrawalReview:
    """One person's yes; with as many as it needs, the withdrawal goes on its way. Audited. One that was approved
    already stays as it is, quietly. Raises WithdrawalDecided, OwnWithdrawal, SecondPersonNeeded,
    WithdrawalsSuspended."""
    review = withdrawal_review_lock(review_id)
    if review.status == ReviewStatus.APPROVED:
        return review
    _refuse_decision(review, actor)
    suspension_check(owner_id=review.withdrawal.owner_id)
    approval = WithdrawalApproval(review=review, person=actor, reason=reason[:200])
    if review.approvals.filter(person=actor).exists():
        raise SecondPersonNeeded
    approval.save()
    # Who approved first and is disabled since no longer counts.
    if review.approvals.filter(person__is_active=True).count() < review.approvals_needed:
        _record(review, actor, "withdrawal.approved_once", reason)
        return review
    _decide(review, ReviewStatus.APPROVED, actor, reason)
    withdrawal_release(review.withdrawal, actor=actor)
    return review


@transaction.atomic(durable=True)
def withdrawal_reject(*, review_id: UUID, actor: User, reason: str) -> WithdrawalReview:
    """The money is available to its owner again, who reads `reason`. Audited. One that was rejected already stays as it
    is, quietly. Raises WithdrawalDecided, OwnWithdrawal."""
    review = withdrawal_review_lock(review_id)
    if review.status == ReviewStatus.REJECTED:
        return review
    _refuse_decision(review, actor)
    _decide(review, ReviewStatus.REJECTED, actor, reason)
    withdrawal_move(
        review.withdrawal, WithdrawalStatus.REJECTED, reason=WithdrawalReason.REJECTED, actor=actor, note=reason
    )
    return review


@transaction.atomic(durable=True)
def withdrawal_review_edit(
    *,
    review_id: UUID,
    actor: User,
    notes: str | None = None,
    priority: ReviewPriority | None = None,
    assigned_to: User | None = None,
    unassign: bool = False,
) -> WithdrawalReview:
    """Who looks at an open case, how urgent it is, what staff noted; None leaves as it is. On record.

    Raises WithdrawalDecided.
    """
    review = withdrawal_review_lock(review_id)
    if review.status != ReviewStatus.OPEN:
        raise WithdrawalDecided
    before = _worked(review)
    if notes is not None:
        review.notes = notes
    if priority is not None:
        review.priority = priority
    if assigned_to is not None or unassign:
        review.assigned_to = assigned_to
    after = _worked(review)
    if after == before:
        return review
    review.save(update_fields=["notes", "priority", "assigned_to"])
    audit_record(
        actor=actor,
        action="withdrawal_review.edited",
        subject_kind="withdrawal",
        subject_id=review.withdrawal_id,
        before=before,
        after=after,
    )
    return review


def withdrawal_reviews_escalate(*, limit: int = 100) -> int:
    """Make the cases urgent that nobody decided in time, and tell who looks after the queue, once each; how many."""
    overdue = WithdrawalReview.objects.filter(status=ReviewStatus.OPEN, escalated_at__isnull=True, due_at__lte=now())
    ids = list(overdue.order_by("due_at", "id").values_list("pk", flat=True)[:limit])
    return sum(_escalate(review_id) for review_id in ids)


@transaction.atomic(durable=True)
def _escalate(review_id: UUID) -> bool:
    review = withdrawal_review_lock(review_id)
    if review.status != ReviewStatus.OPEN or review.escalated_at is not None:
        return False  # decided, or escalated by another run
    review.priority, review.escalated_at = ReviewPriority.URGENT, now()
    review.save(update_fields=["priority", "escalated_at"])
    mail_queue(
        key=f"withdrawal_review:{review.pk}:overdue",
        to=settings.REVIEW_ESCALATION_EMAIL,
        template="withdrawal_review_overdue",
        context={"review": review, "withdrawal": review.withdrawal, "hours": settings.REVIEW_DUE_HOURS},
    )
    return True


def _refuse_decision(review: WithdrawalReview, actor: User) -> None:
    if actor.pk == review.withdrawal.owner_id:
        raise OwnWithdrawal
    if review.status != ReviewStatus.OPEN or review.withdrawal.status != WithdrawalStatus.IN_REVIEW:
        raise WithdrawalDecided


def _decide(review: WithdrawalReview, status: ReviewStatus, actor: User, reason: str) -> None:
    review.status, review.decided_by, review.decided_at, review.decision_reason = status, actor, now(), reason[:200]
    review.save(update_fields=["status", "decided_by", "decided_at", "decision_reason"])
    _record(review, actor, f"withdrawal_review.{status.value}", reason)


def _record(review: WithdrawalReview, actor: User, action: str, reason: str) -> None:
    audit_record(
        actor=actor,
        action=action,
        subject_kind="withdrawal",
        subject_id=review.withdrawal_id,
        reason=reason or review.get_reason_display(),
        before={"review": review.pk, "status": ReviewStatus.OPEN},
        after={"review": review.pk, "status": review.status, "approvals_needed": review.approvals_needed},
    )


def _worked(review: WithdrawalReview) -> dict[str, object]:
    return {"notes": review.notes, "priority": review.priority, "assigned_to": review.assigned_to_id}
