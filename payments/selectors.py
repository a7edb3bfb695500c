"""Reads of payments. Scoping to a person happens here."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from accounts.selectors import staff_may
from learning247.kit.clock import now
from learning247.kit.money import EXPONENTS, Money
from learning247.risk.enums import Purpose
from learning247.risk.models import Decision
from learning247.risk.selectors import decision_of
from payments.access import Access, explain
from payments.enums import AccessReason, CouponState, RedemptionStatus, ReviewReason
from payments.errors import CouponNotFound, PaymentNotFound, ProductNotFound, ReviewNotFound
from payments.models import Coupon, CouponRedemption, Entitlement, Payment, PaymentReview, Product, Refund

REFUND_PERMISSION = "payments.add_refund"
# Stripe charges currencies of three decimals in tens of the minor unit (docs.stripe.com/currencies).
CHARGE_STEP_MINOR = {"KWD": 10}


def payment_list(*, user: User) -> QuerySet[Payment]:
    """The person's own payments, newest first, with what was bought."""
    return Payment.objects.filter(buyer=user).select_related("product", "entitlement").order_by("-id")


def payment_of(*, user: User, reference: str) -> Payment:
    """One of the person's own payments. Raises PaymentNotFound for anybody else's."""
    payment = payment_list(user=user).filter(reference=reference).first()
    if payment is None:
        raise PaymentNotFound
    return payment


def payment_detail(payment: Payment) -> dict[str, Any]:
    """The API's `payment` shape (see PaymentSerializer)."""
    return {
        "reference": payment.reference,
        "status": payment.status,
        "gateway": payment.gateway or None,
        "amount": payment.money.amount,
        "currency": payment.currency,
        "price": payment.price.amount,
        "discount": payment.discount.amount,
        "coupon": payment.coupon_code or None,
        "refunded_amount": Money(payment.refunded_minor, payment.currency).amount,
        "item": item_detail(payment.product),
        "checkout_url": payment.checkout_url or None,
        "expires_at": payment.expires_at,
        "created_at": payment.created_at,
        "settled_at": payment.settled_at,
        "reason": payment.failure_reason or payment.review_reason or None,
        "term": _term_of(payment),
    }


def coupon_list(*, owner: User) -> QuerySet[Coupon]:
    """A creator's coupons, newest first, each with how often it was used (`uses`)."""
    return with_uses(Coupon.objects.filter(owner=owner)).order_by("-id")


def with_uses(coupons: QuerySet[Coupon]) -> QuerySet[Coupon]:
    """With all that is shown of a coupon, in two statements however many there are."""
    consumed = CouponRedemption.objects.filter(coupon=OuterRef("pk"), status=RedemptionStatus.CONSUMED)
    counted = consumed.order_by().values("coupon").annotate(count=Count("pk")).values("count")
    return (
        coupons.annotate(uses=Coalesce(Subquery(counted), 0))
        .select_related("product", "owner", "seller")
        .prefetch_related("amounts")
    )


def coupon_of(*, owner: User, coupon_id: UUID) -> Coupon:
    """One of the creator's own coupons. Raises CouponNotFound for anybody else's."""
    coupon = coupon_list(owner=owner).filter(pk=coupon_id).first()
    if coupon is None:
        raise CouponNotFound
    return coupon


def coupon_detail(coupon: Coupon) -> dict[str, Any]:
    """The API's `coupon` shape (see CouponSerializer) of one that `with_uses` found."""
    uses: int = coupon.uses  # type: ignore[attr-defined]
    return {
        "id": coupon.pk,
        "code": coupon.code,
        "state": coupon_state(coupon),
        "percent_bps": coupon.percent_bps,
        "amounts": [{"currency": row.currency, "amount": row.money.amount} for row in coupon.amounts.all()],
        "item": item_detail(coupon.product) if coupon.product else None,
        "active": coupon.active,
        "starts_at": coupon.starts_at,
        "ends_at": coupon.ends_at,
        "max_uses": coupon.max_uses,
        "max_uses_per_user": coupon.max_uses_per_user,
        "uses": uses,
        "reserved": coupon.taken - uses,
        "created_at": coupon.created_at,
    }


def coupon_state(coupon: Coupon) -> CouponState:
    """What it is now; open checkouts may still give a use back to one that is used up."""
    moment = now()
    if coupon.ends_at is not None and coupon.ends_at <= moment:
        return CouponState.ENDED
    if not coupon.active:
        return CouponState.PAUSED
    if coupon.starts_at > moment:
        return CouponState.SCHEDULED
    if coupon.max_uses is not None and coupon.taken >= coupon.max_uses:
        return CouponState.USED_UP
    return CouponState.ACTIVE


def refundable_payment(*, user: User, reference: str) -> Payment:
    """A payment of which this person may see and ask for refunds: their own; for staff who make them, anybody's.
    Raises PaymentNotFound, SecondFactorSetupRequired."""
    payment = Payment.objects.filter(reference=reference).first()
    if payment is None or not (payment.buyer_id == user.pk or staff_may(user, REFUND_PERMISSION)):
        raise PaymentNotFound
    return payment


def refund_list(*, payment: Payment) -> QuerySet[Refund]:
    """The payment's refunds, newest first."""
    return payment.refunds.select_related("payment").order_by("-id")


def refund_detail(refund: Refund) -> dict[str, Any]:
    """The API's `refund` shape (see RefundSerializer)."""
    return {
        "id": refund.pk,
        "reference": refund.reference,
        "payment_reference": refund.payment.reference,
        "status": refund.status,
        "amount": refund.money.amount,
        "currency": refund.currency,
        "reason": refund.reason,
        "ends_access": refund.ends_access,
        "failure_reason": refund.failure_reason or None,
        "created_at": refund.created_at,
        "done_at": refund.done_at,
    }


def review_list(*, status: str | None = None, assigned_to: User | None = None) -> QuerySet[PaymentReview]:
    """Cases of payments, the oldest due first; None: any."""
    reviews = PaymentReview.objects.select_related("payment__buyer", "payment__product", "assigned_to", "decided_by")
    if status is not None:
        reviews = reviews.filter(status=status)
    if assigned_to is not None:
        reviews = reviews.filter(assigned_to=assigned_to)
    return reviews.order_by("due_at", "id")


def review_decision(review: PaymentReview, purpose: Purpose) -> Decision | None:
    """What the checks for fraud said about its payment at that point."""
    return decision_of(purpose=purpose, subject_kind="payment", subject_id=review.payment_id)


def review_get(review_id: UUID) -> PaymentReview:
    """Raises ReviewNotFound."""
    review = review_list().filter(pk=review_id).first()
    if review is None:
        raise ReviewNotFound
    return review


def approval_obstacle(review: PaymentReview) -> str | None:
    """Why the payment of an open case cannot be settled, with the next step; None where it can, as far as its own row
    tells: whether the buyer has the product by now is seen when it is granted."""
    payment = review.payment
    captured = payment.captured_minor or 0
    # More than was asked for is the gateway's fee that the buyer bears, but for an amount that was never agreed.
    exactly = payment.review_reason == ReviewReason.AMOUNT_MISMATCH
    if payment.captured_currency != payment.currency:
        why = f"The price is in {payment.currency}, and {payment.captured_currency or 'no currency'} was captured."
    elif captured < payment.amount_minor or (exactly and captured != payment.amount_minor):
        why = f"{Money(captured, payment.currency)} was captured, and the price is {payment.money}."
    elif payment.refunded_minor:
        why = "A part of it went back already."
    elif payment.review_reason == ReviewReason.ALREADY_OWNED:
        why = "The buyer owns this already."
    elif payment.review_reason == ReviewReason.REVERSED:
        return "The gateway says that all of it went back. Look there why; a refund or dispute closes this case."
    else:
        return None
    return f"{why} Reject it, and the money goes back."


def _term_of(payment: Payment) -> dict[str, Any] | None:
    entitlement: Entitlement | None = getattr(payment, "entitlement", None)
    if entitlement is None or entitlement.ends_at is None:
        return None
    return {"starts_at": entitlement.starts_at, "ends_at": entitlement.ends_at}


def item_detail(product: Product) -> dict[str, Any]:
    return {"type": product.kind, "id": product.item_id, "title": product.title}


def access_to(*, user: User, item_type: str, item_id: UUID) -> Access:
    """Why the person may or may not use an item. Raises ProductNotFound, also for one that is not on sale and that the
    person has never had anything to do with: whether there is a draft is its seller's business."""
    product = Product.objects.filter(kind=item_type, item_id=item_id).first()
    if product is None:
        raise ProductNotFound
    access = explain(user, product)
    if access.reason == AccessReason.PURCHASE_REQUIRED and not product.active:
        raise ProductNotFound
    return access


def charged_currencies() -> list[dict[str, Any]]:
    """The currencies in which something can be bought, with the gateway and the least that it charges."""
    routes = settings.PAYMENT_GATEWAY_BY_CURRENCY
    return [
        {"currency": code, "gateway": routes[code], "minimum_minor": minimum_charge(code).minor}
        for code in EXPONENTS
        if code in routes
    ]


def minimum_charge(currency: str) -> Money:
    """The least that the gateway charges in `currency`, by PAYMENT_MINIMUMS; below it a checkout is refused there."""
    return Money(settings.PAYMENT_MINIMUMS.get(currency, charge_step(currency).minor), currency)


def charge_step(currency: str) -> Money:
    """The smallest step in which the gateway charges `currency`."""
    return Money(CHARGE_STEP_MINOR.get(currency, 1), currency)


def charge_refusal(price: Money) -> str | None:
    """Why a price could never be charged, for its seller to read; None when it can, or when it is free of charge."""
    if price.minor == 0:
        return None
    least, step = minimum_charge(price.currency), charge_step(price.currency)
    if price.minor < least.minor:
        return f"The smallest price in {price.currency} is {least.amount}, or 0 for free of charge."
    if price.minor % step.minor:
        return f"Prices in {price.currency} go in steps of {step.amount}."
    return None
