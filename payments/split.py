"""How what goes back of a sale is shared between its creator and the platform."""

from learning247.kit.money import portion_of


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
