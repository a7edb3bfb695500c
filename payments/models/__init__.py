"""The tables of payments: products and prices, payments, their refunds and disputes, the rights that they open."""

from payments.models.disputes import Dispute
from payments.models.entitlements import Entitlement
from payments.models.payments import Payment
from payments.models.products import Price, Product
from payments.models.refunds import Refund

__all__ = ["Dispute", "Entitlement", "Payment", "Price", "Product", "Refund"]
