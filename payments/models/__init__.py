"""The tables of payments: products and prices, payments, their refunds and disputes, the rights that they open."""

from payments.models.disputes import Dispute
from payments.models.entitlements import Entitlement
from payments.models.payments import Payment
from payments.models.products import Price, Product
from payments.models.refunds import Refund
from payments.models.reviews import PaymentReview

__all__ = ["Dispute", "Entitlement", "Payment", "PaymentReview", "Price", "Product", "Refund"]
