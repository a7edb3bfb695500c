"""The gateways behind one port. `gateway_for_currency` routes, `gateway_named` finds the one a payment began with."""

from django.conf import settings

from payments.enums import GatewayName
from payments.errors import CurrencyNotAvailable
from payments.gateways.paystack import PaystackGateway
from payments.gateways.port import (
    Checkout,
    CheckoutRequest,
    DisputeEvidence,
    Gateway,
    GatewayDispute,
    GatewayDisputeStatus,
    GatewayPayment,
    GatewayPaymentStatus,
    GatewayPayout,
    GatewayPayoutRow,
    GatewayPayoutStatus,
    GatewayRefund,
    GatewayRefundStatus,
    RefundRequest,
)
from payments.gateways.stripe import StripeGateway

__all__ = [
    "Checkout",
    "CheckoutRequest",
    "DisputeEvidence",
    "Gateway",
    "GatewayDispute",
    "GatewayDisputeStatus",
    "GatewayPayment",
    "GatewayPaymentStatus",
    "GatewayPayout",
    "GatewayPayoutRow",
    "GatewayPayoutStatus",
    "GatewayRefund",
    "GatewayRefundStatus",
    "RefundRequest",
    "gateway_for_currency",
    "gateway_named",
]

_ADAPTERS: dict[str, type[PaystackGateway] | type[StripeGateway]] = {
    GatewayName.PAYSTACK: PaystackGateway,
    GatewayName.STRIPE: StripeGateway,
}


def gateway_for_currency(currency: str) -> GatewayName:
    """Which gateway charges `currency`, by PAYMENT_GATEWAY_BY_CURRENCY. Raises CurrencyNotAvailable."""
    name = settings.PAYMENT_GATEWAY_BY_CURRENCY.get(currency)
    if name is None:
        raise CurrencyNotAvailable(f"Payments in {currency} are not taken here.")
    return GatewayName(name)


def gateway_named(name: str) -> Gateway:
    """The adapter, with the keys and addresses of the settings. Raises GatewayUnavailable when it has no key."""
    return _ADAPTERS[name].from_settings()
