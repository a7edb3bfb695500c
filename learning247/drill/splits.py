"""Sales and what goes back of them, generated: every split adds up, all parts together take back what the sale gave.

In currencies without, with two and with three places, with any platform's and gateway's fee, with and without a
discount that the platform bears, from one minor unit up. Of the parts that go back some fail, at once or when others
have followed, and are asked for again.
"""

import random
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from learning247.drill.findings import Finding, found, measured
from learning247.kit.money import BASIS_POINTS, CURRENCIES, Money, exponent, share_of
from payments.split import Shares, shares_of_refund

CASES, CASES_QUICK = 200_000, 5_000
SEED = 200_000
LARGEST: Final = 10**12
MOST_PARTS = 8
SHOWN = 3
# Where roundings and edges are; any other rate comes between them.
RATES: Final = (0, 1, 250, 1_999, 2_000, 3_333, 5_000, 9_999, BASIS_POINTS)
BY_EXPONENT: Final = {
    places: [currency for currency in CURRENCIES if exponent(currency) == places] for places in (0, 2, 3)
}


class NotExact(Exception):
    """A case that does not add up; the message says where."""


@dataclass(frozen=True, slots=True)
class Sale:
    """A sale in minor units, and the parts of it that go back: how much, and whether it fails never, now or later.

    `promotion` is what the platform paid of the price `gross`, in the buyer's place.
    """

    currency: str
    gross: int
    promotion: int
    rate: int
    gateway_fee: int
    parts: tuple[tuple[int, str], ...]


def run(*, full: bool) -> list[Finding]:
    return split(CASES if full else CASES_QUICK, seed=SEED)


def split(number: int, *, seed: int) -> list[Finding]:
    """So many cases, a third of them of each exponent; the same for the same seed."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    exact: Counter[int] = Counter()
    parts, discounted, wrong = 0, 0, []
    for turn in range(number):
        places = (0, 2, 3)[turn % 3]
        sale = generated(dice, dice.choice(BY_EXPONENT[places]))
        parts += len(sale.parts)
        discounted += sale.promotion > 0
        try:
            played(sale)
        except NotExact as problem:
            wrong.append(f"{problem}: {sale}")
        else:
            exact[places] += 1
    return [
        found("cases that are exact", wanted=number, seen=exact.total()),
        *(measured(f"of them with {places} places", f"{exact[places]:,}") for places in BY_EXPONENT),
        measured("of them with a discount that the platform bears", f"{discounted:,}"),
        measured("parts that went back", f"{parts:,}"),
        *(Finding("not exact", "", problem, False) for problem in wrong[:SHOWN]),
    ]


def generated(dice: random.Random, currency: str) -> Sale:
    # As many small amounts as large ones.
    gross = dice.randint(1, 10 ** dice.randint(0, len(str(LARGEST)) - 1))
    promotion = dice.choice((0, dice.randint(0, gross - 1)))
    paid = gross - promotion
    cuts = {dice.randint(1, paid) for _ in range(dice.randint(0, MOST_PARTS - 1))}
    return Sale(
        currency,
        gross,
        promotion,
        dice.choice((*RATES, dice.randint(0, BASIS_POINTS))),
        dice.randint(0, paid),
        tuple(
            (end - start, dice.choice(("never", "never", "now", "later")))
            for start, end in pairwise([0, *sorted(cuts | {paid})])
        ),
    )


def played(sale: Sale) -> None:
    """Book it, with all that goes back, and look at what is left. Raises NotExact."""
    if Money.from_decimal_string(Money(sale.gross, sale.currency).amount, sale.currency).minor != sale.gross:
        raise NotExact("the amount as it is written")
    fee = share_of(sale.gross, sale.rate)
    if abs(fee * BASIS_POINTS - sale.gross * sale.rate) * 2 > BASIS_POINTS:
        raise NotExact("the platform's fee, to the nearest minor unit")
    books = dict.fromkeys(("gateway", "promotions", "creator", "fees", "costs"), 0)
    paid = sale.gross - sale.promotion
    _book(books, gateway=-paid, promotions=-sale.promotion, creator=sale.gross - fee, fees=fee)
    _book(books, gateway=sale.gateway_fee, costs=-sale.gateway_fee)
    later: list[Shares] = []
    again: list[int] = []
    for minor, fails in sale.parts:
        shares = _taken(books, sale, fee, minor)
        if fails == "later":
            later.append(shares)
        elif fails == "now":
            _give(books, shares)
            again.append(minor)
        elif not again:
            _to_the_nearest(books, sale, fee)
    for shares in later:
        _give(books, shares)
        again.append(shares.to_buyer)
    for minor in again:
        _taken(books, sale, fee, minor)
    left = {account: minor for account, minor in books.items() if minor}
    if left != ({"gateway": sale.gateway_fee, "costs": -sale.gateway_fee} if sale.gateway_fee else {}):
        raise NotExact(f"what is left when all of it went back ({left})")


def _taken(books: dict[str, int], sale: Sale, fee: int, minor: int) -> Shares:
    """What a part takes from creator and platform, who never give what they have not."""
    before = Shares(sale.gross - fee - books["creator"], fee - books["fees"], sale.promotion + books["promotions"])
    shares = shares_of_refund(minor, sale.gross - sale.promotion, sale.promotion, fee, before)
    if min(shares) < 0:
        raise NotExact("a part that gives instead of taking")
    _book(
        books,
        gateway=minor,
        promotions=shares.promotion,
        creator=-shares.from_creator,
        fees=-shares.from_platform,
    )
    if min(books["creator"], books["fees"], -books["promotions"]) < 0:
        raise NotExact("a part that takes what is not there")
    return shares


def _give(books: dict[str, int], shares: Shares) -> None:
    """A part that failed: all have theirs again."""
    _book(
        books,
        gateway=-shares.to_buyer,
        promotions=-shares.promotion,
        creator=shares.from_creator,
        fees=shares.from_platform,
    )


def _to_the_nearest(books: dict[str, int], sale: Sale, fee: int) -> None:
    """While nothing has failed the platform has given back its share of all that went, and has back its part of the
    discount, each to the nearest minor unit."""
    went = sale.gross - books["creator"] - books["fees"]
    if abs((fee - books["fees"]) * sale.gross - fee * went) * 2 > sale.gross:
        raise NotExact("the platform's part, to the nearest minor unit")
    returned = sale.promotion + books["promotions"]
    paid = sale.gross - sale.promotion
    if abs(returned * paid - sale.promotion * (went - returned)) * 2 > paid:
        raise NotExact("the discount's part, to the nearest minor unit")


def _book(books: dict[str, int], **lines: int) -> None:
    if sum(lines.values()):
        raise NotExact("an entry that does not add up")
    for account, minor in lines.items():
        books[account] += minor
