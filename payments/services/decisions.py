"""What people decide over payments in review: settle them after all, or give the money back. Once, for good."""

from uuid import UUID

from django.db import transaction

from accounts.models import User
from learning247.kit.clock import now
from learning247.kit.jobs import enqueue_on_commit
from learning247.records.services.audit import audit_record
from learning247.risk.enums import ReviewStatus
from payments.enums import PaymentStatus, RefundSource
from payments.errors import (
    AlreadyDecided,
    AlreadyOwned,
    ApprovalImpossible,
    CouponUsedUp,
    OwnPayment,
    RejectionImpossible,
)
from payments.locks import review_lock
from payments.models import PaymentReview
from payments.selectors import approval_obstacle
from payments.services.refunds import refund_book
from payments.services.settlement import payment_release


@transaction.atomic(durable=True)
def payment_approve(*, review_id: UUID, actor: User, reason: str = "") -> PaymentReview:
    """Settle the payment: the sale's lines from `unsettled`, the entitlement, the mails; audited. One that was approved
    already stays as it is, quietly.

    Raises AlreadyDecided, OwnPayment, and ApprovalImpossible where the money is not the price, or the buyer has the
    product by now.
    """
    review = review_lock(review_id)
    if review.status == ReviewStatus.APPROVED:
        return review
    _refuse_decision(review, actor)
    obstacle = approval_obstacle(review)
    if obstacle is not None:
        raise ApprovalImpossible(obstacle)
    try:
        released = payment_release(payment=review.payment)
    except CouponUsedUp as error:
        raise ApprovalImpossible(f"{error.detail} Reject it, and the money goes back.") from None
    if not released:
        raise ApprovalImpossible(f"{AlreadyOwned.detail} Reject it, and the money goes back.")
    _decide(review, ReviewStatus.APPROVED, actor, reason)
    return review


@transaction.atomic(durable=True)
def payment_reject(*, review_id: UUID, actor: User, reason: str) -> PaymentReview:
    """All of the payment goes back, carried on by a job after the commit, and by the sweeper where that was lost;
    audited. One that was rejected already stays as it is, quietly.

    Raises AlreadyDecided, OwnPayment, RejectionImpossible.
    """
    review = review_lock(review_id)
    if review.status == ReviewStatus.REJECTED:
        return review
    _refuse_decision(review, actor)
    left = review.payment.refundable
    if left is None or left.minor <= 0:
        raise RejectionImpossible
    # First, so that the refund finds no open case to close.
    _decide(review, ReviewStatus.REJECTED, actor, reason)
    refund = refund_book(
        payment=review.payment,
        amount=left,
        source=RefundSource.PLATFORM,
        requested_by=actor,
        reason=reason,
        ends_access=True,
    )
    enqueue_on_commit("payments.carry_on_refund", refund.pk, queue="money")
    return review


def _refuse_decision(review: PaymentReview, actor: User) -> None:
    payment = review.payment
    if actor.pk in (payment.buyer_id, payment.product.seller_id):
        raise OwnPayment
    undecided = (PaymentStatus.IN_REVIEW, PaymentStatus.PARTIALLY_REFUNDED)
    if review.status != ReviewStatus.OPEN or payment.status not in undecided or payment.settled_at is not None:
        raise AlreadyDecided


def _decide(review: PaymentReview, status: ReviewStatus, actor: User, reason: str) -> None:
    review.status, review.decided_by, review.decided_at, review.decision_reason = status, actor, now(), reason[:200]
    review.save(update_fields=["status", "decided_by", "decided_at", "decision_reason"])
    audit_record(
        actor=actor,
        action=f"payment.{status.value}",
        subject_kind="payment",
        subject_id=review.payment_id,
        reason=reason or review.get_reason_display(),
        before={"status": PaymentStatus.IN_REVIEW, "review": review.pk, "review_reason": review.reason},
        after={"review": review.pk, "decision": status},
    )
