"""The rows that payments contends for, in the order in which they are locked: product, payment, coupon, the buyer's
terms, entitlement (those that begin later after the one that is taken back), the app's own rows that hang on them, then
ledger accounts (which the posting function locks by id)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from accounts.models import User
from learning247.kit.locks import bound_lock_wait
from payments.errors import CouponNotFound, CouponUnknown
from payments.models import Coupon, Entitlement, Payment, PaymentReview, Payout, Product, Refund

# In this order: a condition without a row of its own is looked at first. The product, because a seller's account is
# closed under the lock for which the sale's foreign key would wait, but only at commit: the account would be closed
# with the sale's money in it.
_LOCK_PAYMENT: Final = """
WITH product AS (
    SELECT FROM payments_product WHERE id = (SELECT product_id FROM payments_payment WHERE id = %s) FOR KEY SHARE
)
SELECT FROM payments_payment WHERE id = %s AND EXISTS (SELECT FROM product) FOR NO KEY UPDATE
"""


def product_hold(product_id: UUID) -> None:
    """Keep the product from being erased until the transaction ends; its buyers do not wait for each other.

    The foreign key would ask for the same lock, but only at commit, when the answer would be an IntegrityError.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM payments_product WHERE id = %s FOR KEY SHARE", [product_id])


def payment_lock(payment_id: UUID) -> Payment:
    """The payment, locked until the transaction ends; its product, held as by `product_hold`, and buyer come along.

    NO KEY UPDATE, so that rows which refer to it can still be written. Read only when both are locked: rows that a lock
    brings along are as they were before its wait, and whoever was forgotten meanwhile would be named again.
    """
    bound_lock_wait()
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_PAYMENT, [payment_id, payment_id])
    return Payment.objects.select_related("product__seller", "buyer").get(pk=payment_id)


def payments_lock_of(buyer_id: UUID) -> list[Payment]:
    """All payments of that buyer, locked by id until the transaction ends."""
    bound_lock_wait()
    return list(Payment.objects.select_for_update(of=("self",), no_key=True).filter(buyer_id=buyer_id).order_by("id"))


def products_lock_of(seller_id: UUID) -> list[Product]:
    """All that somebody sells, locked by id as for erasure: nobody begins to buy or is granted any of it meanwhile."""
    bound_lock_wait()
    return list(Product.objects.select_for_update(of=("self",)).filter(seller_id=seller_id).order_by("id"))


def coupon_lock(coupon_id: UUID) -> Coupon:
    """The coupon, locked until the transaction ends: one at a time takes a use of it or gives one back.

    Raises CouponUnknown for one that was deleted meanwhile.
    """
    bound_lock_wait()
    coupon = Coupon.objects.select_for_update(of=("self",), no_key=True).filter(pk=coupon_id).first()
    if coupon is None:
        raise CouponUnknown(attr="coupon")
    return coupon


def coupon_lock_of(coupon_id: UUID, owner: User | None, *, of_anybody: bool = False) -> Coupon:
    """That owner's coupon (None: the platform's), locked until the transaction ends. Raises CouponNotFound."""
    bound_lock_wait()
    mine = Coupon.objects.all() if of_anybody else Coupon.objects.filter(owner=owner)
    coupon = mine.select_for_update(of=("self",), no_key=True).filter(pk=coupon_id).first()
    if coupon is None:
        raise CouponNotFound
    return coupon


def terms_lock(user_id: UUID, kind: str) -> None:
    """One grant or revocation at a time of a person's rights to products of `kind` that last for a term.

    There may be no row yet whose lock would say so, hence the advisory lock; it ends with the transaction.
    """
    bound_lock_wait()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"payments terms {kind} {user_id}"])


def entitlement_lock(entitlement_id: UUID) -> Entitlement:
    """The entitlement, locked until the transaction ends; its product and user come along unlocked."""
    bound_lock_wait()
    return (
        Entitlement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("product", "user")
        .get(pk=entitlement_id)
    )


def terms_after_lock(entitlement: Entitlement, moment: datetime) -> list[Entitlement]:
    """The person's other terms of the same kind that are not revoked and not over, by their start, locked until the
    transaction ends. The caller holds `terms_lock`, without which none of them is locked by two."""
    bound_lock_wait()
    return list(
        Entitlement.objects.select_for_update(of=("self",), no_key=True)
        .select_related("product", "user")
        .filter(
            user_id=entitlement.user_id,
            product__kind=entitlement.product.kind,
            product__term_months__isnull=False,
            revoked_at__isnull=True,
            ends_at__gt=moment,
        )
        .exclude(pk=entitlement.pk)
        .order_by("starts_at", "id")
    )


def refund_lock(refund_id: UUID) -> Refund:
    """The refund and before it its payment (`refund.payment`), both locked until the transaction ends."""
    payment = payment_lock(Refund.objects.values_list("payment_id", flat=True).get(pk=refund_id))
    refund = Refund.objects.select_for_update(of=("self",), no_key=True).get(pk=refund_id)
    refund.payment = payment
    return refund


def payout_lock(payout_id: UUID) -> Payout:
    """The payout, locked until the transaction ends; nothing else is locked before it."""
    bound_lock_wait()
    return Payout.objects.select_for_update(of=("self",), no_key=True).get(pk=payout_id)


def review_lock(review_id: UUID) -> PaymentReview:
    """The case and before it its payment (`review.payment`), both locked until the transaction ends."""
    payment = payment_lock(PaymentReview.objects.values_list("payment_id", flat=True).get(pk=review_id))
    review = PaymentReview.objects.select_for_update(of=("self",), no_key=True).get(pk=review_id)
    review.payment = payment
    return review
