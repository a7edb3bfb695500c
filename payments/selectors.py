"""Reads of payments. Scoping to a person happens here."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from accounts.models import User
from learning247.kit.money import EXPONENTS
from payments.access import Access, explain
from payments.errors import PaymentNotFound, ProductNotFound
from payments.models import Payment, Product

# What a gateway charges at least, in minor units (gateways' own pages); below it a checkout would be refused there.
MINIMUM_CHARGE_MINOR = {"NGN": 5_000, "USD": 50, "GBP": 30, "EUR": 50}


def payment_list(*, user: User) -> QuerySet[Payment]:
    """The person's own payments, newest first, with what was bought."""
    return Payment.objects.filter(buyer=user).select_related("product").order_by("-id")


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
        "item": item_detail(payment.product),
        "checkout_url": payment.checkout_url or None,
        "expires_at": payment.expires_at,
        "created_at": payment.created_at,
        "settled_at": payment.settled_at,
        "reason": payment.failure_reason or payment.review_reason or None,
    }


def item_detail(product: Product) -> dict[str, Any]:
    return {"type": product.kind, "id": product.item_id, "title": product.title}


def access_to(*, user: User, item_type: str, item_id: UUID) -> Access:
    """Why the person may or may not use an item. Raises ProductNotFound."""
    product = Product.objects.filter(kind=item_type, item_id=item_id).first()
    if product is None:
        raise ProductNotFound
    return explain(user, product)


def charged_currencies() -> list[dict[str, Any]]:
    """The currencies in which something can be bought, with the gateway and the least that it charges."""
    routes = settings.PAYMENT_GATEWAY_BY_CURRENCY
    return [
        {"currency": code, "gateway": routes[code], "minimum_minor": MINIMUM_CHARGE_MINOR.get(code, 1)}
        for code in EXPONENTS
        if code in routes
    ]
