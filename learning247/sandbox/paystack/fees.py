"""What Paystack keeps. All amounts in subunits; rates in basis points."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tariff:
    """``rate`` of the amount plus ``flat`` from ``flat_from`` on, never above ``cap`` (0: no cap)."""

    rate: int
    flat: int = 0
    flat_from: int = 0
    cap: int = 0

    def fee(self, amount: int) -> int:
        share = (amount * self.rate + 5_000) // 10_000
        total = share + (self.flat if amount >= self.flat_from else 0)
        return min(total, self.cap) if self.cap else total


# Nigeria: 1.5 % + NGN 100, the NGN 100 waived under NGN 2,500, at most NGN 2,000 in all.
# Foreign cards: 3.9 % + NGN 100, without a cap.
LOCAL_NAIRA = Tariff(rate=150, flat=100_00, flat_from=2_500_00, cap=2_000_00)
FOREIGN_NAIRA = Tariff(rate=390, flat=100_00)
TARIFFS = {
    "NGN": LOCAL_NAIRA,
    "USD": Tariff(rate=390),
    "GHS": Tariff(rate=195),
    "KES": Tariff(rate=290),
    "ZAR": Tariff(rate=290, flat=1_00),
}


def charge_fee(amount: int, currency: str, *, foreign_card: bool = False) -> int:
    if currency == "NGN" and foreign_card:
        return FOREIGN_NAIRA.fee(amount)
    return TARIFFS[currency].fee(amount)


def with_fee_on_top(amount: int, currency: str, *, foreign_card: bool = False) -> int:
    """The amount a customer pays who bears the fee: what is left after the fee is at least ``amount``."""
    gross = amount
    while gross - charge_fee(gross, currency, foreign_card=foreign_card) < amount:
        gross = amount + charge_fee(gross, currency, foreign_card=foreign_card)
    return gross


def transfer_fee(amount: int, currency: str) -> int:
    """NGN 10 up to 5,000, NGN 25 up to 50,000, NGN 50 above; other currencies are free here."""
    if currency != "NGN":
        return 0
    if amount <= 5_000_00:
        return 10_00
    return 25_00 if amount <= 50_000_00 else 50_00
