"""What a coupon takes off a price."""

from dataclasses import dataclass

from learning247.kit.money import BASIS_POINTS, Money, share_of


@dataclass(frozen=True, slots=True)
class Discounted:
    """A price and what it comes to. `promotion` is the part of the discount that the platform bears; minor units."""

    price: Money
    discount_minor: int = 0
    promotion_minor: int = 0

    @property
    def discount(self) -> Money:
        return Money(self.discount_minor, self.price.currency)

    @property
    def total(self) -> Money:
        return Money(self.price.minor - self.discount_minor, self.price.currency)


def discount_of(price_minor: int, *, percent_bps: int | None, fixed_minor: int, step_minor: int) -> int:
    """What comes off: a percentage, rounded half up, or the fixed amount; never more than the price.

    What is left to pay is a whole number of `step_minor`, the smallest step that the gateway charges in, and so the
    discount is a little smaller where it must be.
    """
    wanted = fixed_minor if percent_bps is None else share_of(price_minor, percent_bps)
    total = max(price_minor - wanted, 0)
    total += -total % step_minor
    if percent_bps is not None and percent_bps < BASIS_POINTS:
        total = max(total, step_minor)  # nobody agreed to a free one: 99.99 % of little is not all of it
    return max(price_minor - total, 0)
