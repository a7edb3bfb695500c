"""People who buy over HTTP, and staff who give money back."""

from typing import Any

import requests
from django.contrib.auth.models import Permission

from accounts.models import User
from accounts.tests.builders import build_user
from learning247.kit.ids import new_id
from payments.models import Payment, Product
from payments.tests.builders import build_product, start_checkout
from payments.tests.wire import TIMEOUT, signed_in, verify

GATEWAYS = {"NGN": "paystack", "USD": "stripe"}
GROSS = {"NGN": 2_500_000, "USD": 3_000}
GATEWAY_FEES = {"NGN": 47_500, "USD": 117}  # 1.5 % + NGN 100.00; 2.9 % + USD 0.30


def buy(
    gateways: Any,
    *,
    currency: str = "NGN",
    seller: User | None = None,
    buyer: User | None = None,
    product: Product | None = None,
) -> Payment:
    """A settled payment, by default for a creator's video."""
    product = product or build_product(seller=seller or build_user())
    payment = start_checkout(buyer or build_user(), product, currency)
    gateway = GATEWAYS[currency]
    gateways.control.pay(gateway, payment.reference if gateway == "paystack" else payment.gateway_reference)
    assert verify(gateways.url, payment.reference).json()["status"] == "paid"
    return Payment.objects.select_related("product__seller", "buyer").get(pk=payment.pk)


def build_finance() -> User:
    """Somebody who may make refunds."""
    user: User = build_user(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="add_refund"))
    return user


def ask_for_refund(url: str, payment: Payment, user: User, *, key: str | None = None, **body: Any) -> requests.Response:
    """POST …/refunds as `user`."""
    return requests.post(
        f"{url}/api/payments/{payment.reference}/refunds",
        json={"reason": "The class was cancelled.", **body},
        headers=signed_in(user) | {"Idempotency-Key": key or new_id().hex},
        timeout=TIMEOUT,
    )
