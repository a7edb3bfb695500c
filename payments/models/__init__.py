"""The tables of payments: products and prices, payments, the rights that they open."""

from payments.models.entitlements import Entitlement
from payments.models.payments import Payment
from payments.models.products import Price, Product

__all__ = ["Entitlement", "Payment", "Price", "Product"]
