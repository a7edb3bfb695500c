"""The tables of payments: products and prices, coupons, payments, refunds and disputes, the rights that they open,
and what the gateways pay out to us."""

from payments.models.coupons import Coupon, CouponAmount, CouponRedemption
from payments.models.disputes import Dispute
from payments.models.entitlements import Entitlement
from payments.models.payments import Payment
from payments.models.payouts import Payout, PayoutRow
from payments.models.products import Price, Product
from payments.models.refunds import Refund
from payments.models.reviews import PaymentReview

__all__ = [
    "Coupon",
    "CouponAmount",
    "CouponRedemption",
    "Dispute",
    "Entitlement",
    "Payment",
    "PaymentReview",
    "Payout",
    "PayoutRow",
    "Price",
    "Product",
    "Refund",
]
