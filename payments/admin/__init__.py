"""Payments in the staff console. Money states change by services, never by a form's save."""

from payments.admin.coupons import CouponAdmin, CouponRedemptionAdmin
from payments.admin.disputes import DisputeAdmin
from payments.admin.entitlements import EntitlementAdmin
from payments.admin.payments import PaymentAdmin
from payments.admin.payouts import PayoutAdmin
from payments.admin.products import ProductAdmin
from payments.admin.refunds import RefundAdmin
from payments.admin.reviews import PaymentReviewAdmin

__all__ = [
    "CouponAdmin",
    "CouponRedemptionAdmin",
    "DisputeAdmin",
    "EntitlementAdmin",
    "PaymentAdmin",
    "PaymentReviewAdmin",
    "PayoutAdmin",
    "ProductAdmin",
    "RefundAdmin",
]
