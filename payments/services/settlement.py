"""From "the gateway captured it" to access granted and the creator credited: once, exactly, in one transaction.

Webhook, `verify` and the sweeper all come through `payment_settle`: it asks the gateway outside of any transaction,
then records the answer under the payment's lock. Whoever comes second finds the work done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from learning247.kit.clock import now
from learning247.kit.money import EXPONENTS, Money
from learning247.kit.transactions import require_transaction
from learning247.records.services.inbox import events_hasten
from learning247.records.services.mail import mail_queue
from learning247.risk.enums import Outcome
from learning247.risk.models import Decision
from payments.access import owned
from payments.enums import UNSETTLED_STATUSES, EntitlementSource, GatewayName, PaymentStatus, ReviewReason
from payments.errors import CouponUsedUp, GatewayUnavailable, PaymentNotFound
from payments.gateways import (
    Gateway,
    GatewayDispute,
    GatewayPayment,
    GatewayPaymentStatus,
    GatewayRefund,
    GatewayRefundStatus,
    gateway_named,
)
from payments.kinds import notify_granted
from payments.locks import payment_lock
from payments.models import Entitlement, Payment
from payments.quotes import HELD_AFTER_CHECKOUT
from payments.services.disputes import dispute_refresh
from payments.services.entitlements import entitlement_grant
from payments.services.gateway_fees import gateway_fee_record
from payments.services.published import sale_publish
from payments.services.redemptions import redemption_consume, redemption_release
from payments.services.refunds import refund_by_platform, refunds_adopt
from payments.services.reviews import review_open
from payments.services.risk import settlement_check
from payments.split import shares_of_sale
from wallets.enums import GATEWAY_ACCOUNT_KINDS, AccountKind, EntryKind
from wallets.services.accounts import AccountRef, person_account, platform_account
from wallets.services.journal import Posting, entry_post

logger = structlog.get_logger(__name__)

# The sweeper leaves a fresh checkout to the buyer and asks about the others no more often than this.
ASK_AGAIN_AFTER = timedelta(minutes=5)
ASK_LATE_AGAIN_AFTER = timedelta(hours=1)
LATE_PAYMENTS_FOR = timedelta(days=3)  # as long as Paystack repeats its webhook (paystack.com/docs/payments/webhooks)
NEVER_PAID = "Nobody paid, and three days after the checkout had closed we stopped asking the gateway."


@dataclass(frozen=True, slots=True)
class _Gone:
    """What the gateway lists of a payment that went back there."""

    refunds: Sequence[GatewayRefund]
    disputes: Sequence[GatewayDispute]

    def explains(self, reported: GatewayPayment) -> bool:
        refunded = sum(one.amount_minor for one in self.refunds)
        return refunded + sum(one.withdrawn_minor for one in self.disputes) >= reported.captured_minor


def _gone(gateway: Gateway, payment: Payment, reported: GatewayPayment) -> _Gone:
    names = (payment.reference, reported.gateway_payment_id)
    refunds = gateway.list_refunds(
        payment_reference=payment.reference,
        gateway_payment_id=reported.gateway_payment_id,
        since=payment.created_at,
    )
    disputes = gateway.list_disputes(since=payment.created_at)
    return _Gone(
        [one for one in refunds if not one.of_dispute and one.status != GatewayRefundStatus.FAILED],
        [one for one in disputes if one.payment in names],
    )


def payment_settle(*, reference: str) -> Payment:
    """Ask the gateway about our payment and act on what it says. Safe any number of times, in parallel.

    Raises PaymentNotFound, GatewayUnavailable (the outcome stays unknown; nothing changed).
    """
    payment = Payment.objects.select_related("product", "buyer").filter(reference=reference).first()
    if payment is None:
        raise PaymentNotFound
    if payment.status not in UNSETTLED_STATUSES or not payment.gateway:
        return payment
    gateway = gateway_named(payment.gateway)
    reported = gateway.fetch(reference=payment.reference, gateway_reference=payment.gateway_reference)
    if reported.status != GatewayPaymentStatus.REVERSED:
        return _report_record(payment.pk, reported, decision=settlement_check(payment=payment, reported=reported))
    gone = _gone(gateway, payment, reported)
    settled = _report_record(payment.pk, reported, gone)
    for dispute in gone.disputes:
        dispute_refresh(payment=settled, gateway_dispute_id=dispute.gateway_dispute_id)
    return Payment.objects.select_related("product", "buyer").get(pk=payment.pk)


def gateway_reference_learn(*, gateway: GatewayName, reference: str, gateway_reference: str) -> None:
    """Keep what the gateway calls the checkout, where the answer that would have told us was lost."""
    unknown = Payment.objects.filter(reference=reference, gateway=gateway, gateway_reference="")
    unknown.update(gateway_reference=gateway_reference)


def unsettled_sweep(*, limit: int = 100) -> int:
    """Ask the gateways about payments that nobody tells us of: declined, abandoned, paid late, or a lost webhook.

    Pending ones every few minutes; failed and expired ones, which may still be paid, every hour until some days after
    their checkout ended. Then the gateway's answer is the last one that is asked for (`asking_ended_at`, with why in
    `failure_reason`); while it does not answer, asking goes on. Returns how many were asked about, those never asked
    about first. A gateway that is away is left alone for the rest of the run; a payment that cannot be settled keeps no
    other waiting.
    """
    longest_unasked = _due_for_asking(now()).order_by(F("checked_at").asc(nulls_first=True), "pk")
    asked, away = 0, set()
    rows = list(longest_unasked.values_list("pk", "reference", "gateway", "checked_at")[:limit])
    for payment_id, reference, gateway, seen in rows:
        if gateway in away:
            continue
        # A claim, before asking: a run beside this one skips it, and the next run begins with others.
        if not Payment.objects.filter(pk=payment_id, checked_at=seen).update(checked_at=now()):
            continue
        asked += 1
        try:
            payment_settle(reference=reference)
        except GatewayUnavailable:
            away.add(gateway)
            logger.warning("gateway_unavailable", gateway=gateway, reference=reference)
        except Exception:  # one payment's trouble must not become everybody's
            logger.exception("payment_not_settled", reference=reference)
    return asked


def _due_for_asking(moment: datetime) -> QuerySet[Payment]:
    def unasked_for(spacing: timedelta) -> Q:
        return Q(checked_at__isnull=True) | Q(checked_at__lt=moment - spacing)

    open_still = Q(status=PaymentStatus.PENDING, created_at__lt=moment - ASK_AGAIN_AFTER) & unasked_for(ASK_AGAIN_AFTER)
    maybe_late = Q(status__in=(PaymentStatus.FAILED, PaymentStatus.EXPIRED)) & unasked_for(ASK_LATE_AGAIN_AFTER)
    return Payment.objects.exclude(gateway="").filter(open_still | maybe_late, asking_ended_at__isnull=True)


@transaction.atomic(durable=True)
def _report_record(
    payment_id: UUID, reported: GatewayPayment, gone: _Gone | None = None, *, decision: Decision | None = None
) -> Payment:
    payment = payment_lock(payment_id)
    if payment.status not in UNSETTLED_STATUSES:
        return payment  # the webhook, `verify` or the sweeper was here first
    payment.checked_at = moment = now()
    if reported.status in (GatewayPaymentStatus.CAPTURED, GatewayPaymentStatus.REVERSED):
        payment.captured_minor = reported.captured_minor
        payment.captured_currency = reported.currency
        payment.gateway_payment_id = reported.gateway_payment_id
        payment.failure_reason, payment.asking_ended_at = "", None
        if gone is None:
            _captured(payment, reported, moment, decision)
        else:
            _reversed(payment, reported, gone, moment)
        gateway_fee_record(payment=payment, reported=reported, moment=moment)
        events_hasten(source=payment.gateway, about=(payment.reference, payment.gateway_payment_id))
    elif reported.status == GatewayPaymentStatus.FAILED:
        payment.status = PaymentStatus.FAILED
        payment.failure_reason = (reported.failure_reason or "The payment was declined.")[:200]
    elif reported.status == GatewayPaymentStatus.EXPIRED or payment.expires_at <= moment:
        payment.status = PaymentStatus.EXPIRED
    if payment.status in UNSETTLED_STATUSES and payment.expires_at + LATE_PAYMENTS_FOR <= moment:
        payment.asking_ended_at = moment
        payment.failure_reason = payment.failure_reason or NEVER_PAID
        logger.info("payment_never_paid", reference=payment.reference, status=payment.status)
    if _is_over(payment, reported, moment):
        redemption_release(payment=payment)
    payment.save()
    return payment


def _is_over(payment: Payment, reported: GatewayPayment, moment: datetime) -> bool:
    """Whether nobody is paying it at the moment: a declined one is tried again until its checkout ends."""
    if payment.status not in UNSETTLED_STATUSES:
        return False
    return reported.status == GatewayPaymentStatus.EXPIRED or payment.expires_at + HELD_AFTER_CHECKOUT <= moment


def _captured(
    payment: Payment,
    reported: GatewayPayment,
    moment: datetime,
    decision: Decision | None = None,
    *,
    gives_back: bool = True,
) -> None:
    disagreement = _disagreement(payment, reported)
    if disagreement is not None:
        payment_hold(payment=payment, reason=disagreement)
        return
    # What is owned already goes back by itself, whatever our checks say.
    suspicious = decision is not None and decision.outcome != Outcome.ALLOW
    if suspicious and not owned(payment.buyer, payment.product):
        payment_hold(payment=payment, reason=ReviewReason.RISK)
        return
    if not redemption_consume(payment=payment):
        _hold_for_review(payment, ReviewReason.COUPON_USED_UP)
        if gives_back:
            _give_back(payment)
        return
    entitlement = entitlement_grant(
        user=payment.buyer,
        product=payment.product,
        source=EntitlementSource.PURCHASE,
        payment=payment,
        starts_at=moment,
    )
    if entitlement is None:
        redemption_release(payment=payment)
        _hold_for_review(payment, ReviewReason.ALREADY_OWNED)
        if gives_back:
            _give_back(payment)
        return
    _settled(payment, entitlement, moment)


def _reversed(payment: Payment, reported: GatewayPayment, gone: _Gone, moment: datetime) -> None:
    """What was captured went back before we heard of it: it settles and is taken back at once, so that it ends as it
    would have if we had heard of each step. Where nothing explains that it went back, it opens nothing: for people."""
    if not gone.explains(reported):
        payment_hold(payment=payment, reason=ReviewReason.REVERSED)
        return
    _captured(payment, reported, moment, gives_back=False)
    payment.save()
    refunds_adopt(payment=payment, listed=gone.refunds)


def payment_hold(*, payment: Payment, reason: ReviewReason) -> None:
    """People decide over what was captured: in the caller's transaction, which has locked `payment` and saves it."""
    logger.error("payment_in_review", reference=payment.reference, reason=reason.value)
    _hold_for_review(payment, reason)
    review_open(payment=payment, reason=reason)


def payment_release(*, payment: Payment) -> bool:
    """Settle a payment in review after all: in the caller's transaction, which has locked `payment` and made sure that
    its price is in `unsettled`. False, and nothing is changed, where the buyer owns the product for good already.

    Raises CouponUsedUp where others have taken its coupon's last use.
    """
    require_transaction("A payment is released together with the decision to do so.")
    moment = now()
    if not redemption_consume(payment=payment):
        raise CouponUsedUp("The coupon's last use was taken by others.")
    entitlement = entitlement_grant(
        user=payment.buyer,
        product=payment.product,
        source=EntitlementSource.PURCHASE,
        payment=payment,
        starts_at=moment,
    )
    if entitlement is None:
        return False
    _settled(payment, entitlement, moment)
    payment.save(update_fields=["status", "settled_at", "platform_fee_minor", "sale_entry"])
    return True


def payment_settle_discounted(*, payment: Payment, entitlement: Entitlement, moment: datetime) -> None:
    """Settle a payment of which a coupon left nothing to pay, without a gateway: in the transaction that made it."""
    require_transaction("A payment without a gateway settles together with its row.")
    redemption_consume(payment=payment)
    _settled(payment, entitlement, moment)
    payment.save(update_fields=["status", "settled_at", "platform_fee_minor", "sale_entry"])


def _settled(payment: Payment, entitlement: Entitlement, moment: datetime) -> None:
    _book_sale(payment, moment)
    sale_publish(payment)
    notify_granted(entitlement, payment)
    _tell_about_sale(payment, entitlement)


def _disagreement(payment: Payment, reported: GatewayPayment) -> ReviewReason | None:
    """Where the gateway's answer is not what we asked for."""
    if reported.reference != payment.reference:
        return ReviewReason.REFERENCE_MISMATCH
    if reported.currency != payment.currency:
        return ReviewReason.CURRENCY_MISMATCH
    # More may be captured than was asked for (the buyer bears the gateway's fee), less never.
    if reported.requested_minor != payment.amount_minor or reported.captured_minor < payment.amount_minor:
        return ReviewReason.AMOUNT_MISMATCH
    return None


def _book_sale(payment: Payment, moment: datetime) -> None:
    gross = payment.gross.minor
    seller = payment.product.seller
    creators, platforms = shares_of_sale(gross, None if seller is None else payment.platform_fee_bps)
    payment.status, payment.settled_at, payment.platform_fee_minor = PaymentStatus.PAID, moment, platforms
    if gross == 0:
        return  # a coupon of the creator's own left nothing to share
    shares = [Posting(platform_account(AccountKind.SALES if seller is None else AccountKind.FEES), platforms)]
    if seller is not None:
        shares.append(Posting(person_account(seller.pk), creators))
    payment.sale_entry_id = entry_post(
        key=f"payment:{payment.pk}:sale",
        kind=EntryKind.SALE if payment.unsettled_entry_id is None else EntryKind.UNSETTLED_RELEASE,
        currency=payment.currency,
        postings=[*_sources(payment), *shares],
        source_kind="payment",
        source_id=str(payment.pk),
        reference=payment.reference,
        description=f"Sale of {payment.product.title}"[:200],
    )


def _sources(payment: Payment) -> list[Posting]:
    """Where the money of a sale comes from: the gateway, and the platform for a discount that it bears; after a review
    from `unsettled`, and what was captured beyond the price, because the buyer bore the gateway's fee, goes against
    that cost."""
    paid = payment.amount_minor
    promotion = Posting(platform_account(AccountKind.PROMOTIONS), -payment.promotion_minor)
    if paid == 0:
        return [promotion]
    if payment.unsettled_entry_id is None:
        return [Posting(_gateway_account(payment), -paid), promotion]
    captured = payment.captured_minor or 0
    costs = platform_account(AccountKind.GATEWAY_COSTS)
    unsettled = platform_account(AccountKind.UNSETTLED)
    return [Posting(unsettled, -captured), Posting(costs, captured - paid), promotion]


def _hold_for_review(payment: Payment, reason: ReviewReason) -> None:
    """The gateway holds money that we may not settle: it goes to `unsettled`, as captured, and people decide."""
    payment.status, payment.review_reason = PaymentStatus.IN_REVIEW, reason
    captured, currency = payment.captured_minor or 0, payment.captured_currency
    if captured == 0 or currency not in EXPONENTS:
        return  # nothing that the books could hold; the review shows what the gateway said
    payment.unsettled_entry_id = entry_post(
        key=f"payment:{payment.pk}:unsettled",
        kind=EntryKind.UNSETTLED_CAPTURE,
        currency=currency,
        postings=[
            Posting(_gateway_account(payment), -captured),
            Posting(platform_account(AccountKind.UNSETTLED), captured),
        ],
        source_kind="payment",
        source_id=str(payment.pk),
        reference=payment.reference,
        description=f"Captured, in review: {reason.label}"[:200],
    )


def _give_back(payment: Payment) -> None:
    """It was paid for once more, or too late for its discount: captured as it is, and all of it on its way back. Should
    the gateway refuse that, the payment is in review, for people."""
    payment.save()
    refund_by_platform(payment=payment, reason=f"{ReviewReason(payment.review_reason).label}.")


def _gateway_account(payment: Payment) -> AccountRef:
    return platform_account(GATEWAY_ACCOUNT_KINDS[payment.gateway])


def _tell_about_sale(payment: Payment, entitlement: Entitlement) -> None:
    context = {
        "payment": payment,
        "product": payment.product,
        "buyer": payment.buyer,
        "money": payment.money.grouped,
        "entitlement": entitlement,
        "url": f"{settings.FRONTEND_URL}/courses/my-enrollments",
        "support": settings.SUPPORT_EMAIL,
    }
    mail_queue(key=f"payment:{payment.pk}:receipt", to=payment.buyer.email, template="receipt", context=context)
    seller = payment.product.seller
    if seller is not None and payment.gross.minor:
        share = Money(payment.gross.minor - (payment.platform_fee_minor or 0), payment.currency)
        mail_queue(
            key=f"payment:{payment.pk}:sale_notice",
            to=seller.email,
            template="sale_notice",
            context={**context, "seller": seller, "share": share.grouped},
        )
