"""Stripe's minor units, which are not always ISO 4217's (docs.stripe.com/currencies).

* UGX and ISK have no decimals, yet Stripe takes them times 100.
* Three-decimal currencies (KWD …) are charged in steps of ten: the last digit must be 0.
"""

from typing import Final

# No decimals by ISO 4217, two on Stripe's wire.
TIMES_100: Final = frozenset({"UGX", "ISK"})
THREE_DECIMALS: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})


class AmountNotChargeable(ValueError):
    """Stripe cannot charge this amount of this currency; the message is fit to show to a user."""


def to_stripe_amount(minor: int, currency: str) -> int:
    """Our minor units as Stripe's: UGX 500 -> 50000, KWD 1.250 (1250) -> 1250. Raises AmountNotChargeable."""
    if minor < 0:
        raise AmountNotChargeable("An amount to charge is not negative.")
    code = currency.upper()
    if code in THREE_DECIMALS and minor % 10:
        raise AmountNotChargeable(f"{code} is charged in steps of 0.010.")
    return minor * 100 if code in TIMES_100 else minor


def from_stripe_amount(amount: int, currency: str) -> int:
    """Stripe's minor units as ours. Raises AmountNotChargeable where they are a fraction of ours."""
    if currency.upper() not in TIMES_100:
        return amount
    if amount % 100:
        raise AmountNotChargeable(f"{currency.upper()} has no decimals.")
    return amount // 100
