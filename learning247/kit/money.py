"""Money: integers of a currency's minor unit, exponents from one table (ISO 4217), rates in basis points.

`Decimal` appears at the edge only (`from_decimal_string`, `Money.amount`, `Money.grouped`); a float never does.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

# ISO 4217: how many decimal places the minor unit has.
EXPONENTS: Final[dict[str, int]] = {
    "USD": 2,
    "NGN": 2,
    "GBP": 2,
    "EUR": 2,
    "GHS": 2,
    "KES": 2,
    "ZAR": 2,
    "JPY": 0,
    "KWD": 3,
}
CURRENCIES: Final[tuple[str, ...]] = tuple(EXPONENTS)

BASIS_POINTS: Final = 10_000
# PostgreSQL's bigint; an amount that could overflow it is refused at the edge, far below it.
MAX_MINOR: Final = 10**15
# No amount needs more characters, and Python refuses to read thousands of digits.
LONGEST_TEXT: Final = 40

_DECIMAL_STRING = re.compile(r"(?P<whole>0|[1-9][0-9]*)(?:\.(?P<places>[0-9]+))?", re.ASCII)


class InvalidAmount(ValueError):
    """The text is no amount of this currency; the message is fit to show to a user."""


class UnknownCurrency(ValueError):
    """The currency is not in the table."""


def exponent(currency: str) -> int:
    """How many decimal places `currency` has: 0, 2 or 3. Raises UnknownCurrency."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrency(f"{currency!r} is not a currency that this platform knows.") from None


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in the minor unit of `currency`: Money(2500000, "NGN") is NGN 25,000.00."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        exponent(self.currency)
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise TypeError(f"Money counts whole minor units; got {self.minor!r}.")

    @classmethod
    def from_decimal_string(cls, text: str, currency: str) -> "Money":
        """`"25000.00"`, `"25000"` or `"25000.5"` of NGN; refuses signs, exponents, spaces and too many places.

        Raises InvalidAmount, UnknownCurrency.
        """
        places = exponent(currency)
        if len(text) > LONGEST_TEXT:
            raise InvalidAmount(f"Write the amount in at most {LONGEST_TEXT} characters.")
        match = _DECIMAL_STRING.fullmatch(text)
        if match is None:
            raise InvalidAmount('Write the amount as digits with a dot, such as "25000.00".')
        fraction = match["places"] or ""
        if len(fraction) > places:
            raise InvalidAmount(f"{currency} has {places} decimal places; this amount has {len(fraction)}.")
        minor = int(match["whole"] + fraction.ljust(places, "0"))
        if minor > MAX_MINOR:
            raise InvalidAmount("This amount is larger than the platform handles.")
        return cls(minor, currency)

    @property
    def amount(self) -> str:
        """The decimal string with the currency's own number of places: `"25000.00"`, JPY `"1200"`."""
        places = exponent(self.currency)
        sign = "-" if self.minor < 0 else ""
        digits = str(abs(self.minor)).rjust(places + 1, "0")
        return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"

    @property
    def grouped(self) -> str:
        """For people to read: `"NGN 25,000.00"`, as checkouts write it."""
        return f"{self.currency} {Decimal(self.amount):,}"

    def __str__(self) -> str:
        return f"{self.currency} {self.amount}"


def portion_of(total: int, part: int, whole: int) -> int:
    """`total * part / whole`, rounded half up; 0 <= part <= whole, whole > 0. All of the whole is all of `total`."""
    if total < 0 or whole <= 0 or not 0 <= part <= whole:
        raise ValueError("A portion needs total >= 0 and 0 <= part <= whole.")
    return (2 * total * part + whole) // (2 * whole)


def share_of(minor: int, basis_points: int) -> int:
    """`basis_points` of `minor`, rounded half up to the minor unit; both non-negative integers.

    Whoever gets the rest gets `minor - share_of(…)`, so that a split always adds up.
    """
    if minor < 0 or not 0 <= basis_points <= BASIS_POINTS:
        raise ValueError(f"A share needs minor >= 0 and 0..{BASIS_POINTS} basis points.")
    return (minor * basis_points + BASIS_POINTS // 2) // BASIS_POINTS
