"""Giving money back: decided and booked in one transaction, then carried out at the gateway.

`refund_start` books the reversal, ends the access and writes the row; only then does the gateway hear of it. What the
gateway says comes back through `refund_carry_on`: at once, by webhook, or by the sweeper, which asks before it sends
anything again. A refund that fails restores both sides.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from accounts.models import User
from accounts.selectors import staff_may
from learning247.kit.clock import now
from learning247.kit.jobs import enqueue_on_commit
from learning247.kit.money import Money
from learning247.records.services.audit import audit_record
from learning247.records.services.leases import retry_delay
from learning247.records.services.mail import mail_queue
from payments.enums import (
    DISPUTE_FORBIDS_REFUND,
    REFUND_UNDER_WAY,
    DisputeStatus,
    RefundSource,
    RefundStatus,
    ReviewReason,
)
from payments.errors import (
    GatewayRejected,
    GatewayUnavailable,
    NothingToRefund,
    OwnSale,
    PaymentDisputed,
    PaymentInReview,
    PaymentNotFound,
    RefundKeyReused,
    RefundTooLarge,
    RefundWholeOnly,
    RefundWindowClosed,
)
from payments.gateways import Gateway, GatewayRefund, GatewayRefundStatus, RefundRequest, gateway_named
from payments.locks import payment_lock, refund_lock
from payments.models import Entitlement, Payment, Refund
from payments.references import new_refund_reference
from payments.selectors import REFUND_PERMISSION
from payments.services.disputes import debt_of, disputes_rebook, platform_share_kind, refunded_shares
from payments.services.entitlements import entitlement_restore, entitlement_revoke
from payments.services.published import refund_publish
from payments.services.redemptions import redemption_release
from payments.split import Shares, shares_of_refund
from wallets.enums import GATEWAY_ACCOUNT_KINDS, AccountKind, EntryKind
from wallets.services.accounts import platform_account
from wallets.services.journal import Posting, entry_post, entry_restore, postings_from_earnings

logger = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
FIRST_DELAY = timedelta(seconds=30)
# A gateway that was told and did not answer is only asked for so long, before it is told once more: a refund that was
# made shows in its list by then.
SEND_AGAIN_AFTER = timedelta(minutes=10)
ASK_PENDING_AFTER = timedelta(hours=1)
ASK_STUCK_AFTER = timedelta(hours=6)
REFUNDED = "The payment was refunded."
# What the buyer is told of what goes back by itself, by why it may not settle.
_RETURNED = {
    ReviewReason.ALREADY_OWNED.value: "second_payment_returned",
    ReviewReason.COUPON_USED_UP.value: "late_payment_returned",
}


def refund_start(
    *,
    reference: str,
    requested_by: User,
    amount_minor: int | None,
    reason: str,
    ends_access: bool | None,
    operation: str,
    idempotency_key: str,
) -> Refund:
    """Give back `amount_minor` of the payment (minor units of what was captured; None: all that is left).

    The buyer may ask for all of it within REFUND_WINDOW_DAYS of paying, staff with the permission `payments.add_refund`
    for any part at any time, but not of their own sales, and of their own purchases as any buyer. `ends_access` None is
    the policy: all of it ends the access, a part does not; only staff may say otherwise.
    The same (person, operation, key) finds the same refund again. A gateway that does not answer leaves it `requested`,
    and the sweeper carries on. Raises PaymentNotFound, PaymentDisputed, NothingToRefund, RefundTooLarge,
    RefundWholeOnly, RefundWindowClosed, PaymentInReview, RefundKeyReused, OwnSale, SecondFactorSetupRequired.
    """
    payment = Payment.objects.filter(reference=reference).select_related("product").first()
    if payment is None:
        raise PaymentNotFound
    refund = _refund_claim(payment, requested_by, amount_minor, reason, ends_access, operation, idempotency_key)
    return refund_carry_on(refund_id=refund.pk) or Refund.objects.select_related("payment__product").get(pk=refund.pk)


@transaction.atomic(durable=True)
def _refund_claim(
    payment: Payment,
    requested_by: User,
    amount_minor: int | None,
    reason: str,
    ends_access: bool | None,
    operation: str,
    idempotency_key: str,
) -> Refund:
    """The row of this attempt with its entry, committed before any gateway hears of it."""
    source = _source_of(payment, requested_by)
    payment = payment_lock(payment.pk)
    mine = Refund.objects.filter(requested_by=requested_by, operation=operation, idempotency_key=idempotency_key)
    if earlier := mine.select_related("payment").first():
        if earlier.payment_id != payment.pk or amount_minor not in (None, earlier.amount_minor):
            raise RefundKeyReused
        return earlier
    if payment.disputes.filter(status__in=DISPUTE_FORBIDS_REFUND).exists():
        raise PaymentDisputed
    left = payment.refundable
    if left is None or left.minor <= 0:
        raise NothingToRefund
    amount = left if amount_minor is None else Money(amount_minor, left.currency)
    if source == RefundSource.BUYER:
        _refuse_late_or_partial(payment, amount, left)
    if amount.minor > left.minor:
        raise RefundTooLarge(
            f"This is more than is left of the payment: {left.grouped}.",
            extra={"refundable": left.amount, "currency": left.currency},
        )
    if payment.settled_at is None and amount != left:
        raise RefundWholeOnly("A payment in review goes back as a whole. Leave `amount` out.")
    return refund_book(
        payment=payment,
        amount=amount,
        source=source,
        requested_by=requested_by,
        reason=reason,
        ends_access=amount == left if ends_access is None or source == RefundSource.BUYER else ends_access,
        operation=operation,
        idempotency_key=idempotency_key,
    )


def _source_of(payment: Payment, person: User) -> RefundSource:
    """In which capacity the person asks: nobody is staff in their own affairs. Raises OwnSale,
    SecondFactorSetupRequired, PaymentNotFound for other people's payments."""
    if payment.buyer_id == person.pk:
        return RefundSource.BUYER
    if not staff_may(person, REFUND_PERMISSION):
        raise PaymentNotFound
    if payment.product.seller_id == person.pk:
        raise OwnSale
    return RefundSource.STAFF


def _refuse_late_or_partial(payment: Payment, amount: Money, left: Money) -> None:
    window = timedelta(days=settings.REFUND_WINDOW_DAYS)
    if payment.settled_at is None:
        raise PaymentInReview
    if payment.settled_at + window < now():
        raise RefundWindowClosed
    if amount != left:
        raise RefundWholeOnly


def refund_book(
    *,
    payment: Payment,
    amount: Money,
    source: RefundSource,
    requested_by: User | None,
    reason: str,
    ends_access: bool,
    operation: str = "",
    idempotency_key: str = "",
    gateway_refund_id: str = "",
) -> Refund:
    """The refund's row, the reversal in the books, the end of access: in the caller's transaction, which has locked
    `payment` and made sure that `amount` is left. The gateway hears of it after the commit."""
    if payment.settled_at is None:
        redemption_release(payment=payment)
    shares = _shares_of(payment, amount.minor)
    refund = Refund(
        reference=new_refund_reference(),
        payment=payment,
        source=source,
        requested_by=requested_by,
        reason=reason[:200],
        currency=amount.currency,
        amount_minor=amount.minor,
        seller_minor=shares.from_creator,
        platform_minor=shares.from_platform,
        promotion_minor=shares.promotion,
        operation=operation,
        idempotency_key=idempotency_key,
        gateway_refund_id=gateway_refund_id,
        due_at=now() + FIRST_DELAY,
    )
    entitlement = Entitlement.objects.filter(payment=payment, revoked_at__isnull=True).first() if ends_access else None
    refund.ends_access = entitlement is not None
    if entitlement is not None:
        entitlement_revoke(entitlement_id=entitlement.pk, reason=_revoked_for(refund), actor=requested_by)
    refund.entry_id = entry_post(
        key=f"refund:{refund.pk}",
        kind=EntryKind.REFUND,
        currency=amount.currency,
        postings=[
            Posting(platform_account(GATEWAY_ACCOUNT_KINDS[payment.gateway]), amount.minor),
            *_taken_back(payment, amount.currency, shares),
        ],
        source_kind="refund",
        source_id=str(refund.pk),
        reference=payment.reference,
        description=f"Refund of {payment.product.title}"[:200],
    )
    refund.save(force_insert=True)
    before = {"refunded_minor": payment.refunded_minor}
    payment.refunded_minor += amount.minor
    disputes_rebook(payment=payment)
    _audit(refund, "refund.requested", before, actor=requested_by)
    refund_publish(refund, "started")
    by_itself = _RETURNED.get(payment.review_reason) if source == RefundSource.PLATFORM else None
    _tell(refund, by_itself or "refund_started", "sale_refunded")
    return refund


def refund_by_platform(*, payment: Payment, reason: str) -> Refund:
    """All that is left of the payment goes back, by nobody's wish but the platform's rules: in the caller's
    transaction, which has locked and saved `payment` and made sure that something is left. A job carries it on after
    the commit, and the sweeper where that was lost."""
    left = payment.refundable
    assert left is not None
    refund = refund_book(
        payment=payment,
        amount=left,
        source=RefundSource.PLATFORM,
        requested_by=None,
        reason=reason,
        ends_access=True,
    )
    enqueue_on_commit("payments.carry_on_refund", refund.pk, queue="money")
    return refund


def _shares_of(payment: Payment, amount_minor: int) -> Shares:
    """Who bears a refund; what was never a sale is the platform's."""
    if payment.settled_at is None:
        return Shares(0, amount_minor, 0)
    fee = payment.platform_fee_minor or 0
    return shares_of_refund(amount_minor, payment.amount_minor, payment.promotion_minor, fee, refunded_shares(payment))


def _taken_back(payment: Payment, currency: str, shares: Shares) -> list[Posting]:
    seller = payment.product.seller
    postings = [
        Posting(platform_account(platform_share_kind(payment)), -shares.from_platform),
        Posting(platform_account(AccountKind.PROMOTIONS), shares.promotion),
    ]
    if seller is not None and shares.from_creator:
        postings += postings_from_earnings(owner_id=seller.pk, currency=currency, amount_minor=shares.from_creator)
    return postings


def refund_carry_on(*, refund_id: UUID) -> Refund | None:
    """Take the refund one step further at its gateway: make it, look for it, or ask how it stands.

    Not in a transaction. Safe any number of times, in parallel: one at a time has it, the others return None, as for
    one that is over. A gateway that does not answer changes nothing but when it is asked next.
    """
    refund = _take(refund_id)
    if refund is None:
        return None
    payment = refund.payment
    log = logger.bind(refund=refund.reference, payment=payment.reference, gateway=payment.gateway)
    try:
        reported = _asked(gateway_named(payment.gateway), refund)
    except GatewayUnavailable as error:
        log.warning("refund_outcome_unknown", reason=error.detail, attempts=refund.attempts)
        return _put_off(refund)
    except GatewayRejected as error:
        return _refused(refund_id, error.detail)
    return _reported(refund_id, reported)


@transaction.atomic(durable=True)
def _take(refund_id: UUID) -> Refund | None:
    moment = now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=moment)
    taken = Refund.objects.filter(free, pk=refund_id, status__in=REFUND_UNDER_WAY).update(
        lease_until=moment + LEASE, attempts=F("attempts") + 1
    )
    return Refund.objects.select_related("payment").get(pk=refund_id) if taken else None


def _asked(gateway: Gateway, refund: Refund) -> GatewayRefund:
    if refund.gateway_refund_id:
        return gateway.fetch_refund(refund.gateway_refund_id)
    payment, key = refund.payment, refund.reference
    if refund.sent_at is not None:
        for made in _listed(gateway, payment, since=refund.created_at):
            if made.reference == refund.reference:
                return made
        if refund.sent_at + SEND_AGAIN_AFTER > now():
            raise GatewayUnavailable("The gateway does not show it yet.")
        key = f"{refund.reference}.{refund.attempts}"
    # Written down first: whoever comes after a crash looks before he sends. And only while it is still ours: listing
    # may have taken longer than the lease, and whoever has it now has perhaps sent it.
    mine = Refund.objects.filter(pk=refund.pk, lease_until=refund.lease_until, attempts=refund.attempts)
    if not mine.update(sent_at=now()):
        raise GatewayUnavailable("Another worker has it by now.")
    return gateway.create_refund(
        RefundRequest(
            reference=refund.reference,
            idempotency_key=key,
            payment_reference=payment.reference,
            gateway_payment_id=payment.gateway_payment_id,
            amount_minor=refund.amount_minor,
            currency=refund.currency,
        )
    )


def _listed(gateway: Gateway, payment: Payment, *, since: datetime) -> Iterator[GatewayRefund]:
    return gateway.list_refunds(
        payment_reference=payment.reference, gateway_payment_id=payment.gateway_payment_id, since=since
    )


@transaction.atomic(durable=True)
def _put_off(taken: Refund) -> Refund:
    refund = refund_lock(taken.pk)
    if refund.attempts != taken.attempts:
        return refund  # the lease ran out, and is somebody else's
    refund.lease_until = None
    refund.due_at = now() + retry_delay(refund.attempts, first=FIRST_DELAY)
    refund.save(update_fields=["lease_until", "due_at"])
    return refund


@transaction.atomic(durable=True)
def _refused(refund_id: UUID, reason: str) -> Refund:
    """A conclusive no to the first try means that nothing happened. To a later one it may mean that an earlier one did,
    unseen: people look."""
    refund = refund_lock(refund_id)
    if refund.status == RefundStatus.REQUESTED and refund.attempts == 1:
        _fail(refund, reason)
    elif refund.status != RefundStatus.FAILED:
        _needs_attention(refund, reason, moment=now())
    _release(refund)
    return refund


@transaction.atomic(durable=True)
def _reported(refund_id: UUID, reported: GatewayRefund) -> Refund:
    refund = refund_lock(refund_id)
    moment = now()
    if refund.status == RefundStatus.FAILED:
        return refund
    refund.gateway_refund_id = reported.gateway_refund_id
    if (reported.amount_minor, reported.currency) != (refund.amount_minor, refund.currency):
        _needs_attention(refund, "The gateway gave back another amount or currency.", moment=moment)
    elif reported.status == GatewayRefundStatus.FAILED:
        _fail(refund, reported.reason or "The gateway could not pay it out.")
    elif reported.status == GatewayRefundStatus.NEEDS_ATTENTION:
        _needs_attention(refund, reported.reason or "The gateway needs the buyer's bank details.", moment=moment)
    elif reported.status == GatewayRefundStatus.DONE:
        if refund.status != RefundStatus.DONE:
            before = {"status": str(refund.status)}
            refund.status, refund.done_at, refund.failure_reason = RefundStatus.DONE, moment, ""
            _audit(refund, "refund.done", before, actor=None)
            refund_publish(refund, "done")
    elif refund.status != RefundStatus.DONE:
        refund.status, refund.failure_reason = RefundStatus.PENDING, ""
        refund.due_at = moment + ASK_PENDING_AFTER
    _release(refund)
    return refund


def _needs_attention(refund: Refund, reason: str, *, moment: datetime) -> None:
    before = {"status": str(refund.status)}
    refund.status, refund.failure_reason = RefundStatus.NEEDS_ATTENTION, reason[:200]
    if before["status"] != refund.status:
        logger.error("refund_needs_attention", refund=refund.reference, reason=reason)
        _audit(refund, "refund.needs_attention", before, actor=None, reason=reason)
    refund.due_at = moment + ASK_STUCK_AFTER


def _fail(refund: Refund, reason: str) -> None:
    """Both sides are as before: the parts back where they came from, the access back with the buyer."""
    payment = refund.payment
    before = {"status": str(refund.status)}
    refund.status, refund.failure_reason, refund.done_at = RefundStatus.FAILED, reason[:200], None
    payment.refunded_minor -= refund.amount_minor
    entitlement = Entitlement.objects.filter(payment=payment).first() if refund.ends_access else None
    if entitlement is not None and not payment.disputes.filter(status=DisputeStatus.LOST).exists():
        entitlement_restore(
            entitlement_id=entitlement.pk, revoked_for=_revoked_for(refund), reason="The refund did not go through."
        )
    refund.restoring_entry_id = entry_restore(
        entry_id=refund.entry_id,
        key=f"refund:{refund.pk}:restored",
        kind=EntryKind.REFUND_RESTORED,
        description=f"Refund of {payment.product.title} failed"[:200],
    )
    refund.save(update_fields=["status", "failure_reason", "done_at", "restoring_entry"])
    disputes_rebook(payment=payment)
    logger.error("refund_failed", refund=refund.reference, payment=payment.reference, reason=reason)
    _audit(refund, "refund.failed", before, actor=None, reason=reason)
    refund_publish(refund, "failed")
    _tell(refund, "refund_failed", "sale_refund_failed")


def _release(refund: Refund) -> None:
    refund.lease_until = None
    refund.save(
        update_fields=[
            "status", "failure_reason", "done_at", "due_at", "lease_until", "gateway_refund_id", "restoring_entry",
        ]
    )  # fmt: skip


def _revoked_for(refund: Refund) -> str:
    return f"{REFUNDED} ({refund.reference})"


def payment_refunds_refresh(*, payment: Payment, announced_id: str) -> list[Refund]:
    """Ask the gateway about the payment's refunds, also those that are done: they may come back for weeks
    (docs.stripe.com/refunds#failed-refunds). Not in a transaction. Raises GatewayUnavailable.

    `announced_id` is what the gateway calls the one that it announced, "" where its event does not say. Unless that is
    one of ours, all that it has of this payment is looked through: what somebody made there by hand is taken over and
    booked like any other. Amounts tell nothing, as a second one by hand may well be of the same.
    """
    gateway = gateway_named(payment.gateway)
    done = payment.refunds.filter(status=RefundStatus.DONE).exclude(gateway_refund_id="")
    for refund_id, gateway_refund_id in done.values_list("pk", "gateway_refund_id"):
        _reported(refund_id, gateway.fetch_refund(gateway_refund_id))
    for refund_id in payment.refunds.filter(status__in=REFUND_UNDER_WAY).values_list("pk", flat=True):
        refund_carry_on(refund_id=refund_id)
    if not announced_id or not payment.refunds.filter(gateway_refund_id=announced_id).exists():
        _take_over(payment, list(_listed(gateway, payment, since=payment.created_at)))
    return list(payment.refunds.order_by("-id"))


def _take_over(payment: Payment, listed: Sequence[GatewayRefund]) -> None:
    """Book what the gateway gave back without us, as far as it is still given back."""
    for made in reversed(listed):
        if not made.reference and not made.of_dispute and made.status != GatewayRefundStatus.FAILED:
            adopted = _adopt(payment.pk, made)
            if adopted is not None:
                _reported(adopted, made)


def refunds_adopt(*, payment: Payment, listed: Sequence[GatewayRefund]) -> None:
    """Book what the gateway gave back, and did not fail, of a payment of which we only now hear: in the caller's
    transaction, which has locked and saved `payment`. A job asks how they stand after the commit, and the
    sweeper where that was lost."""
    for made in reversed(listed):
        adopted = _book_made(payment, made)
        if adopted is not None:
            enqueue_on_commit("payments.carry_on_refund", adopted, queue="money")


@transaction.atomic(durable=True)
def _adopt(payment_id: UUID, made: GatewayRefund) -> UUID | None:
    return _book_made(payment_lock(payment_id), made)


def _book_made(payment: Payment, made: GatewayRefund) -> UUID | None:
    """The refund that somebody made at the gateway; None where we know it, or know of less than it gave back."""
    if payment.refunds.filter(gateway_refund_id=made.gateway_refund_id).exists():
        return None
    left = payment.refundable
    amount = Money(made.amount_minor, made.currency)
    if left is None or left.currency != amount.currency or left.minor < amount.minor:
        # More than we know to be left: for reconciliation, and for people.
        logger.error("refund_exceeds_payment", payment=payment.reference, gateway_refund_id=made.gateway_refund_id)
        return None
    refund = refund_book(
        payment=payment,
        amount=amount,
        source=RefundSource.GATEWAY,
        requested_by=None,
        reason="Made at the gateway by hand.",
        ends_access=amount == left,
        gateway_refund_id=made.gateway_refund_id,
    )
    return refund.pk


def refunds_sweep(*, limit: int = 100) -> int:
    """Carry on with the refunds that are due, the longest waiting first; how many."""
    moment = now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=moment)
    due = Refund.objects.filter(free, status__in=REFUND_UNDER_WAY, due_at__lte=moment).order_by("due_at")
    ids = list(due.values_list("pk", flat=True)[:limit])
    for refund_id in ids:
        refund_carry_on(refund_id=refund_id)
    return len(ids)


def _audit(refund: Refund, action: str, before: Mapping[str, object], *, actor: User | None, reason: str = "") -> None:
    audit_record(
        actor=actor,
        action=action,
        subject_kind="refund",
        subject_id=refund.pk,
        reason=reason or refund.reason,
        before=before,
        after={
            "payment": refund.payment.reference,
            "amount_minor": refund.amount_minor,
            "currency": refund.currency,
            "source": refund.source,
            "status": refund.status,
            "refunded_minor": refund.payment.refunded_minor,
        },
    )


def _tell(refund: Refund, to_buyer: str, to_seller: str) -> None:
    payment = refund.payment
    product, buyer = payment.product, payment.buyer
    context: dict[str, Any] = {
        "refund": refund,
        "payment": payment,
        "product": product,
        "buyer": buyer,
        "money": refund.money.grouped,
        "support": settings.SUPPORT_EMAIL,
    }
    mail_queue(key=f"refund:{refund.pk}:{to_buyer}", to=buyer.email, template=to_buyer, context=context)
    seller = product.seller
    if seller is not None and refund.seller_minor:
        mail_queue(
            key=f"refund:{refund.pk}:{to_seller}",
            to=seller.email,
            template=to_seller,
            context={
                **context,
                "seller": seller,
                "share": Money(refund.seller_minor, refund.currency).grouped,
                "debt": debt_of(seller, refund.currency),
            },
        )
