"""Whoever pays out, behind one port: `payout_gateway_named` finds the adapter, `method_for` routes a currency."""

from django.conf import settings

from wallets.enums import PayoutMethod
from wallets.errors import PayoutCurrencyNotAvailable
from wallets.payouts.paystack import PaystackPayouts
from wallets.payouts.port import PayoutGateway, TransferReport, TransferRequest, TransferStatus
from wallets.payouts.stripe import StripePayouts

__all__ = [
    "PayoutGateway",
    "PaystackPayouts",
    "StripePayouts",
    "TransferReport",
    "TransferRequest",
    "TransferStatus",
    "method_for",
    "payout_gateway_named",
]

_ADAPTERS: dict[PayoutMethod, type[PaystackPayouts] | type[StripePayouts]] = {
    PayoutMethod.PAYSTACK: PaystackPayouts,
    PayoutMethod.STRIPE: StripePayouts,
}


def method_for(currency: str) -> PayoutMethod:
    """How money leaves in `currency`, by PAYOUT_METHOD_BY_CURRENCY. Raises PayoutCurrencyNotAvailable."""
    name = settings.PAYOUT_METHOD_BY_CURRENCY.get(currency)
    if name is None:
        raise PayoutCurrencyNotAvailable(f"{currency} cannot be withdrawn here. Write to support.")
    return PayoutMethod(name)


def payout_gateway_named(method: str) -> PayoutGateway:
    """The adapter, with the keys and addresses of the settings. Raises PayoutGatewayUnavailable when it has no key."""
    return _ADAPTERS[PayoutMethod(method)].from_settings()
