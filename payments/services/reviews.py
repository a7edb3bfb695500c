"""The queue of payments that people decide over: how a case comes into it, is worked on, and leaves it undecided.

What approving and rejecting do stands in `decisions`.
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
from payments.enums import ReviewReason
from payments.errors import AlreadyDecided
from payments.locks import review_lock
from payments.models import Payment, PaymentReview

# Money that we could not give back waits longest already.
_PRIORITIES = {ReviewReason.REFUND_FAILED: ReviewPriority.HIGH}


def review_open(*, payment: Payment, reason: ReviewReason) -> None:
    """Ask people about `payment`, which the caller has locked; quiet where they are asked already."""
    require_transaction("A payment is in review together with its case.")
    PaymentReview.objects.bulk_create(
        [
            PaymentReview(
                payment=payment,
                reason=reason,
                priority=_PRIORITIES.get(reason, ReviewPriority.NORMAL),
                due_at=now() + timedelta(hours=settings.REVIEW_DUE_HOURS),
            )
        ],
        ignore_conflicts=True,
    )


def review_close(*, payment: Payment, reason: str) -> None:
    """Nothing is left to decide: in the caller's transaction, which has locked `payment`. Quiet where no case is
    open."""
    require_transaction("A case is closed together with what settled it.")
    PaymentReview.objects.filter(payment=payment, status=ReviewStatus.OPEN).update(
        status=ReviewStatus.CLOSED, decided_at=now(), decision_reason=reason
    )


@transaction.atomic(durable=True)
def review_edit(
    *,
    review_id: UUID,
    actor: User,
    notes: str | None = None,
    priority: ReviewPriority | None = None,
    assigned_to: User | None = None,
    unassign: bool = False,
) -> PaymentReview:
    """Who looks at an open case, how urgent it is, what staff noted; None leaves as it is. On record.

    Raises AlreadyDecided.
    """
    review = review_lock(review_id)
    if review.status != ReviewStatus.OPEN:
        raise AlreadyDecided
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
        action="payment_review.edited",
        subject_kind="payment",
        subject_id=review.payment_id,
        before=before,
        after=after,
    )
    return review


def _worked(review: PaymentReview) -> dict[str, object]:
    return {"notes": review.notes, "priority": review.priority, "assigned_to": review.assigned_to_id}


def reviews_escalate(*, limit: int = 100) -> int:
    """Make the cases urgent that nobody decided in time, and tell who looks after the queue, once each; how many."""
    overdue = PaymentReview.objects.filter(status=ReviewStatus.OPEN, escalated_at__isnull=True, due_at__lte=now())
    ids = list(overdue.order_by("due_at", "id").values_list("pk", flat=True)[:limit])
    return sum(_escalate(review_id) for review_id in ids)


@transaction.atomic(durable=True)
def _escalate(review_id: UUID) -> bool:
    review = review_lock(review_id)
    if review.status != ReviewStatus.OPEN or review.escalated_at is not None:
        return False  # decided, or escalated by another run
    review.priority, review.escalated_at = ReviewPriority.URGENT, now()
    review.save(update_fields=["priority", "escalated_at"])
    mail_queue(
        key=f"payment_review:{review.pk}:overdue",
        to=settings.REVIEW_ESCALATION_EMAIL,
        template="review_overdue",
        context={"review": review, "payment": review.payment, "hours": settings.REVIEW_DUE_HOURS},
    )
    return True
