"""The passes to every platform course that there are: how long each lasts, and what it is and costs at first."""

from typing import Final

from courses.enums import AccessType
from learning247.kit.money import Money

TERM_MONTHS: Final = {AccessType.MONTHLY: 1, AccessType.YEARLY: 12}
# What a pass costs until staff say otherwise; GBP and EUR are theirs to add.
FIRST_PRICES: Final = {
    AccessType.MONTHLY: (Money(3_500_000, "NGN"), Money(4_200, "USD")),
    AccessType.YEARLY: (Money(28_000_000, "NGN"), Money(33_600, "USD")),
}
TITLES: Final = {
    AccessType.MONTHLY: "Monthly pass to every platform course",
    AccessType.YEARLY: "Yearly pass to every platform course",
}
