"""What passes to every platform course cost."""

from dataclasses import dataclass

from courses.models import CoursePass
from courses.passes import FIRST_PRICES, TERM_MONTHS, TITLES
from learning247.kit.money import Money


@dataclass(frozen=True, slots=True)
class PassOffer:
    """A pass on sale; no price in a currency: not on sale in it."""

    access_type: str
    title: str
    term_months: int
    prices: tuple[Money, ...]


def pass_offers() -> list[PassOffer]:
    """Every pass, the shortest first. One that nobody has asked for yet stands in no table: its first prices hold."""
    passes = CoursePass.objects.select_related("product").prefetch_related("product__prices")
    stored = {row.access_type: row.product for row in passes}
    offers = []
    for access_type, months in TERM_MONTHS.items():
        product = stored.get(access_type)
        prices = tuple(price.money for price in product.prices.all()) if product else FIRST_PRICES[access_type]
        offers.append(PassOffer(access_type, product.title if product else TITLES[access_type], months, prices))
    return offers
