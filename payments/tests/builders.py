"""Products, payments and what a gateway says, for tests."""

from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from learning247.records.services.audit import audit_record
from payments.enums import CouponBearer, GatewayName, ProductKind, ReviewReason
from payments.models import Coupon, CouponAmount, Payment, PaymentReview, Product
from payments.references import new_reference
from payments.services.checkout import checkout_start
from payments.services.products import product_create
from payments.services.settlement import payment_hold


def build_product(*, seller: User | None = None, prices: tuple[Money, ...] = (), title: str = "Algebra") -> Product:
    """An active video (a kind that no content app claims in these tests), by default NGN 25,000.00 and USD 30.00."""
    return product_create(
        kind=ProductKind.VIDEO,
        item_id=new_id(),
        title=title,
        seller=seller,
        prices=prices or (Money(2_500_000, "NGN"), Money(3_000, "USD")),
        active=True,
    )


def build_coupon(
    code: str = "SPRING-25", *, owner: User | None = None, amounts: tuple[Money, ...] = (), **fields: Any
) -> Coupon:
    """By default a quarter off: of all that `owner` sells, or without one of everything, which the platform bears."""
    values: dict[str, Any] = {
        "owner": owner,
        "bearer": CouponBearer.CREATOR if owner else CouponBearer.PLATFORM,
        "percent_bps": None if amounts else 2_500,
        "seller": owner if "product" not in fields else None,
        "created_by": owner or build_user(),
    }
    coupon = Coupon.objects.create(code=code, **(values | fields))
    CouponAmount.objects.bulk_create(
        CouponAmount(coupon=coupon, currency=amount.currency, amount_minor=amount.minor) for amount in amounts
    )
    if coupon.owner_id is None:
        with transaction.atomic():
            audit_record(
                actor=coupon.created_by,
                action="coupon.created",
                subject_kind="coupon",
                subject_id=coupon.pk,
                reason="A campaign",
            )
    return coupon


def build_review(product: Product, *, buyer: User) -> PaymentReview:
    """A payment of NGN 100.00 that was captured as agreed, and that people are asked about."""
    payment = Payment.objects.create(
        reference=new_reference(),
        buyer=buyer,
        product=product,
        gateway=GatewayName.PAYSTACK,
        currency="NGN",
        amount_minor=10_000,
        platform_fee_bps=2_000,
        captured_minor=10_000,
        captured_currency="NGN",
        operation="test",
        idempotency_key=new_id().hex,
        expires_at=now(),
    )
    with transaction.atomic():
        payment_hold(payment=payment, reason=ReviewReason.REFERENCE_MISMATCH)
        payment.save()
    return PaymentReview.objects.get(payment=payment)


def start_checkout(buyer: User, product: Product, currency: str = "NGN", **fields: Any) -> Payment:
    """A payment with an open checkout at the sandbox."""
    values: dict[str, Any] = {
        "buyer": buyer,
        "product_kind": product.kind,
        "item_id": product.item_id,
        "currency": currency,
        "details": {},
        "operation": "test",
        "idempotency_key": new_id().hex,
    }
    return checkout_start(**(values | fields))
