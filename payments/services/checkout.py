"""Starting a purchase: our row first, then the gateway's checkout under our row's reference."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.devices import UNKNOWN, Device
from accounts.locks import user_hold
from accounts.models import User
from learning247.kit.clock import now
from learning247.risk.enums import Outcome
from payments.access import owned
from payments.discounts import Discounted
from payments.enums import EntitlementSource, PaymentStatus
from payments.errors import (
    AlreadyOwned,
    CheckoutLost,
    CheckoutOutdated,
    CurrencyNotAvailable,
    GatewayRejected,
    ProductNotFound,
    PurchaseKeyReused,
    PurchaseRefused,
)
from payments.gateways import Checkout, CheckoutRequest, gateway_for_currency, gateway_named
from payments.kinds import notify_granted
from payments.locks import coupon_lock, payment_lock, product_hold
from payments.models import Payment, Price, Product
from payments.quotes import code_wanted, coupon_apply, coupon_choose
from payments.references import new_reference
from payments.services.entitlements import entitlement_grant
from payments.services.redemptions import redemption_release, redemption_reserve, redemption_room_make
from payments.services.risk import checkout_check
from payments.services.settlement import payment_settle_discounted
from payments.terms import RENEWAL_WINDOW

# What stands with a payment that our checks for fraud refused.
REFUSED: Final = "It was refused."
_RENEW_LATER = f"You have this already. It can be bought again in the last {RENEWAL_WINDOW.days} days of its time."


def checkout_start(
    *,
    buyer: User,
    product_kind: str,
    item_id: UUID,
    currency: str,
    details: dict[str, Any],
    operation: str,
    idempotency_key: str,
    device: Device = UNKNOWN,
    coupon: str | None = None,
) -> Payment:
    """A payment with an open checkout; or, where nothing is to pay, a paid one without.

    `coupon` is a code as the buyer typed it. Its use is reserved until the checkout ends.

    `details` goes to the app that owns the product when it is granted. The same (buyer, operation, key) finds the same
    payment again, so a run after a crash carries on where the first one stopped, under the same reference.
    Raises ProductNotFound, AlreadyOwned, CurrencyNotAvailable, PurchaseKeyReused, CheckoutOutdated, PurchaseRefused,
    GatewayRejected, CheckoutLost, GatewayUnavailable, CouponUnknown, CouponExpired, CouponUsedUp, CouponNotApplicable,
    CouponMinimum; TokenNotValid when the buyer's account is being closed.
    """
    code = code_wanted(coupon)
    payment = _payment_claim(buyer, product_kind, item_id, currency, details, operation, idempotency_key, code, device)
    if payment.failure_reason == REFUSED:
        raise PurchaseRefused
    if payment.status != PaymentStatus.PENDING or payment.checkout_url:
        return payment
    if checkout_check(payment=payment, device=device).outcome == Outcome.BLOCK:
        _payment_fail(payment.pk, reason=REFUSED)
        raise PurchaseRefused
    try:
        checkout = gateway_named(payment.gateway).open_checkout(_request_for(payment))
    except (GatewayRejected, CheckoutLost) as error:
        payment = _payment_fail(payment.pk, reason=error.detail)
        if payment.checkout_url:
            return payment  # a run that was taken for dead had opened it after all
        raise
    return _checkout_record(payment.pk, checkout)


@transaction.atomic(durable=True)
def _payment_claim(
    buyer: User,
    product_kind: str,
    item_id: UUID,
    currency: str,
    details: dict[str, Any],
    operation: str,
    idempotency_key: str,
    code: str,
    device: Device,
) -> Payment:
    """The row of this attempt, committed before any gateway hears of it."""
    user_hold(buyer.pk)
    mine = Payment.objects.filter(buyer=buyer, operation=operation, idempotency_key=idempotency_key)
    earlier = mine.select_related("product", "buyer").first()
    if earlier:
        return _same_purchase(earlier, product_kind, item_id, currency, details, code)
    product = _product_on_sale(product_kind, item_id)
    _refuse_owner(buyer, product)
    price = Price.objects.filter(product=product, currency=currency).first()
    if price is None:
        raise CurrencyNotAvailable
    discounted, coupon = Discounted(price.money), None
    if code:
        coupon = coupon_lock(coupon_choose(code=code, product=product, price=price.money).pk)
        if twin := mine.select_related("product", "buyer").first():
            return _same_purchase(twin, product_kind, item_id, currency, details, code)
        discounted = coupon_apply(coupon=coupon, product=product, price=price.money)
        redemption_room_make(coupon=coupon, user_id=buyer.pk)
    free, moment = discounted.total.minor == 0, now()
    payment = Payment(
        reference=new_reference(),
        buyer=buyer,
        product=product,
        gateway="" if free else gateway_for_currency(currency),
        currency=currency,
        amount_minor=discounted.total.minor,
        discount_minor=discounted.discount_minor,
        promotion_minor=discounted.promotion_minor,
        coupon_code=code,
        platform_fee_bps=_platform_fee_bps(product),
        details=details,
        operation=operation,
        idempotency_key=idempotency_key,
        expires_at=moment + timedelta(minutes=settings.CHECKOUT_LIFETIME_MINUTES),
    )
    if free and coupon is None:
        payment.status, payment.settled_at, payment.platform_fee_minor = PaymentStatus.PAID, payment.created_at, 0
    Payment.objects.bulk_create([payment], ignore_conflicts=True)
    kept = mine.select_related("product", "buyer").get()
    if kept.pk != payment.pk:
        # A twin under the same key was quicker.
        return _same_purchase(kept, product_kind, item_id, currency, details, code)
    if coupon is not None:
        redemption_reserve(coupon=coupon, payment=payment)
    if free and _gift_refused(payment, device):
        payment.status, payment.failure_reason = PaymentStatus.FAILED, REFUSED
        payment.save(update_fields=["status", "failure_reason"])
        redemption_release(payment=payment)
    elif free:
        _grant_free(payment, moment)
    return payment


def _same_purchase(
    earlier: Payment, product_kind: str, item_id: UUID, currency: str, details: dict[str, Any], code: str
) -> Payment:
    """The payment that this key began, if it is for the same purchase and can still be carried on.

    The stored answer of a key is dropped after a 503, so the row itself has to tell another request under the same key.
    Without a checkout it goes on only as a new purchase could: on sale, at this price, not owned meanwhile.
    Raises PurchaseKeyReused, ProductNotFound, AlreadyOwned, CheckoutOutdated.
    """
    product = earlier.product
    same = (product.kind, product.item_id, earlier.currency, earlier.coupon_code) == (
        product_kind, item_id, currency, code,
    )  # fmt: skip
    if not same or earlier.details != details:
        raise PurchaseKeyReused
    if earlier.status != PaymentStatus.PENDING or earlier.checkout_url:
        return earlier
    _product_on_sale(product_kind, item_id)
    _refuse_owner(earlier.buyer, product)
    price = Price.objects.filter(product=product, currency=currency, amount_minor=earlier.price.minor)
    if earlier.expires_at <= now() or not price.exists():
        raise CheckoutOutdated
    return earlier


def _product_on_sale(kind: str, item_id: UUID) -> Product:
    on_sale = Product.objects.filter(kind=kind, item_id=item_id, active=True).select_related("seller")
    found = on_sale.first()
    if found is None:
        raise ProductNotFound
    product_hold(found.pk)
    held = on_sale.first()  # again, now that it can no longer be erased
    if held is None:
        raise ProductNotFound
    return held


def _refuse_owner(buyer: User, product: Product) -> None:
    if product.seller_id == buyer.pk:
        raise AlreadyOwned("This is your own item.")
    if owned(buyer, product):
        raise AlreadyOwned(_RENEW_LATER if product.term_months else None)


def _platform_fee_bps(product: Product) -> int:
    if product.seller is None or product.seller.platform_fee_bps is None:
        return int(settings.PLATFORM_FEE_BPS)
    return product.seller.platform_fee_bps


def _gift_refused(payment: Payment, device: Device) -> bool:
    """Whether the platform would pay a creator all of the price, and our checks for fraud do not allow it.

    Nothing is captured that people could look at before it settles or give back afterwards: so `review` refuses too.
    """
    if payment.promotion_minor == 0 or payment.product.seller_id is None:
        return False
    return checkout_check(payment=payment, device=device).outcome != Outcome.ALLOW


def _grant_free(payment: Payment, moment: datetime) -> None:
    entitlement = entitlement_grant(
        user=payment.buyer,
        product=payment.product,
        source=EntitlementSource.FREE,
        payment=payment,
        starts_at=moment,
    )
    if entitlement is None:
        raise AlreadyOwned  # a twin request was quicker; this payment is rolled back
    if payment.coupon_code:
        payment_settle_discounted(payment=payment, entitlement=entitlement, moment=moment)
    else:
        notify_granted(entitlement, payment)


def _request_for(payment: Payment) -> CheckoutRequest:
    return_url = f"{settings.FRONTEND_URL}/payments/{payment.reference}"
    return CheckoutRequest(
        reference=payment.reference,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        title=payment.product.title,
        email=payment.buyer.email,
        return_url=return_url,
        cancel_url=f"{return_url}?cancelled=1",
        expires_at=payment.expires_at,
    )


@transaction.atomic(durable=True)
def _checkout_record(payment_id: UUID, checkout: Checkout) -> Payment:
    """Keep where the checkout is, unless the payment has moved on meanwhile."""
    payment = payment_lock(payment_id)
    if payment.status == PaymentStatus.PENDING and not payment.checkout_url:
        payment.checkout_url, payment.gateway_reference = checkout.url, checkout.gateway_reference
        payment.save(update_fields=["checkout_url", "gateway_reference"])
    return payment


@transaction.atomic(durable=True)
def _payment_fail(payment_id: UUID, *, reason: str) -> Payment:
    """Failed, unless another run has opened the checkout or the payment has moved on meanwhile."""
    payment = payment_lock(payment_id)
    if payment.status == PaymentStatus.PENDING and not payment.checkout_url:
        payment.status, payment.failure_reason = PaymentStatus.FAILED, reason[:200]
        payment.save(update_fields=["status", "failure_reason"])
        redemption_release(payment=payment)
    return payment
