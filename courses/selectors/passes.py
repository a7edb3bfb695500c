"""Passes to every platform course, and what they cost."""

from dataclasses import dataclass

from courses.models import CoursePass
from learning247.kit.money import Money


@dataclass(frozen=True, slots=True)
class PassOffer:
    """A pass on sale; no price in a currency: not on sale in it."""

    access_type: str
    title: str
    term_months: int
    prices: tuple[Money, ...]


def course_pass_of(access_type: str) -> CoursePass:
    """The pass of this type (monthly, yearly), with its product."""
    return CoursePass.objects.select_related("product").get(access_type=access_type)


def pass_offers() -> list[PassOffer]:
    """Both passes, the shortest first."""
    passes = CoursePass.objects.select_related("product").prefetch_related("product__prices")
    return [
        PassOffer(
            row.access_type,
            row.product.title,
            row.product.term_months or 0,
            tuple(price.money for price in row.product.prices.all()),
        )
        for row in passes.order_by("product__term_months")
    ]
