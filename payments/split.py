"""How what goes back of a sale is shared between its creator and the platform."""

from typing import NamedTuple

from learning247.kit.money import portion_of, share_of


def shares_of_sale(gross_minor: int, platform_fee_bps: int | None) -> tuple[int, int]:
    """(to the creator, to the platform) of a sale; `platform_fee_bps` None: it is the platform's own.

    The fee is rounded once; the creator gets the remainder, so the parts always add up (I7).
    """
    fee = gross_minor if platform_fee_bps is None else share_of(gross_minor, platform_fee_bps)
    return gross_minor - fee, fee


def parts_of_refund(
    amount_minor: int, gross_minor: int, fee_minor: int, from_creator_minor: int, from_platform_minor: int
) -> tuple[int, int]:
    """(from the creator, from the platform) of `amount_minor` of a sale of which so much was taken from each before.

    Whatever the parts and their order, and whichever of them failed in between: together they never take more from
    either than the sale gave, and all of the sale takes exactly that. All in minor units.
    """
    creators_rest = gross_minor - fee_minor - from_creator_minor
    platforms_rest = fee_minor - from_platform_minor
    # The fee on all that will have gone back, rounded once, less what the earlier ones took of it.
    refunded = from_creator_minor + from_platform_minor + amount_minor
    platform = portion_of(fee_minor, refunded, gross_minor) - from_platform_minor
    platform = min(max(platform, amount_minor - creators_rest, 0), platforms_rest, amount_minor)
    return amount_minor - platform, platform


class Shares(NamedTuple):
    """Of what went back to a buyer: what came from the creator and from the platform's share, in minor units.

    `promotion` is what returned to the platform of the discount that it bore: the other two were paid from that as
    well, so the buyer got `from_creator + from_platform - promotion`.
    """

    from_creator: int
    from_platform: int
    promotion: int

    @property
    def to_buyer(self) -> int:
        return self.from_creator + self.from_platform - self.promotion


def shares_of_refund(amount_minor: int, paid_minor: int, promotion_minor: int, fee_minor: int, taken: Shares) -> Shares:
    """Who bears `amount_minor` of a sale for which the buyer paid `paid_minor` and the platform `promotion_minor` on
    top, of which `taken` went back before. All in minor units; `amount_minor` is at most what is left to the buyer.

    Whatever the parts, their order, and whichever of them failed in between: all of `paid_minor` takes back exactly
    what the sale gave, the promotion included.
    """
    if amount_minor == 0:
        return Shares(0, 0, 0)
    returned = portion_of(promotion_minor, taken.to_buyer + amount_minor, paid_minor) - taken.promotion
    promotion = min(max(returned, 0), promotion_minor - taken.promotion)
    creator, platform = parts_of_refund(
        amount_minor + promotion, paid_minor + promotion_minor, fee_minor, taken.from_creator, taken.from_platform
    )
    return Shares(creator, platform, promotion)
