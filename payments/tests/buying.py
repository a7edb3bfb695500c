"""People who buy over HTTP, and staff who give money back."""

from dataclasses import replace
from typing import Any

import requests
from django.contrib.auth.models import Group, Permission

from accounts.models import User
from accounts.tests.builders import build_user
from learning247.kit.ids import new_id
from payments.gateways import gateway_named
from payments.models import Payment, PaymentReview, Product
from payments.services import settlement
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


def buy_into_review(gateways: Any, *, currency: str = "NGN", beyond_minor: int = 0, **fields: Any) -> PaymentReview:
    """Paid as agreed, but what the gateway says names another payment: for people, who may approve it. `beyond_minor`
    is the gateway's fee that the buyer bore."""
    product = fields.pop("product", None) or build_product(seller=fields.pop("seller", None) or build_user())
    payment = start_checkout(fields.pop("buyer", None) or build_user(), product, currency, **fields)
    gateway = GATEWAYS[currency]
    gateways.control.pay(gateway, payment.reference if gateway == "paystack" else payment.gateway_reference)
    reported = gateway_named(gateway).fetch(reference=payment.reference, gateway_reference=payment.gateway_reference)
    captured = reported.captured_minor + beyond_minor
    settlement._report_record(payment.pk, replace(reported, reference="L247-another", captured_minor=captured))
    return PaymentReview.objects.select_related("payment__product__seller", "payment__buyer").get(payment=payment)


def build_reviewer() -> User:
    """Somebody of the group that decides over payments."""
    user: User = build_user(is_staff=True)
    user.groups.add(Group.objects.get(name="reviewer"))
    return user


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
