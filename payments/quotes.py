"""What something costs somebody now, with a coupon or without: what a quote shows and a checkout asks for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import F, Q

from accounts.models import User
from learning247.kit.clock import now
from learning247.kit.errors import DomainError
from learning247.kit.money import Money
from payments.access import owned
from payments.coupon_codes import code_read
from payments.discounts import Discounted, discount_of
from payments.enums import UNSETTLED_STATUSES, CouponBearer, RedemptionStatus
from payments.errors import (
    AlreadyOwned,
    CouponExpired,
    CouponMinimum,
    CouponNotApplicable,
    CouponUnknown,
    CouponUsedUp,
    CurrencyNotAvailable,
    ProductNotFound,
)
from payments.models import Coupon, CouponRedemption, Price, Product
from payments.selectors import charge_step, minimum_charge

# A payment made at the last moment is heard of a little later: its use is kept for that long.
HELD_AFTER_CHECKOUT: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Quote:
    """What the product costs; `coupon` is what was used, if any."""

    product: Product
    discounted: Discounted
    coupon: Coupon | None


def quote(*, user: User, product_kind: str, item_id: UUID, currency: str, coupon: str | None) -> Quote:
    """What buying this would ask of this person now; nothing is reserved.

    Raises what buying would: ProductNotFound, AlreadyOwned, CurrencyNotAvailable, CouponUnknown, CouponExpired,
    CouponNotApplicable, CouponMinimum, CouponUsedUp.
    """
    code = code_wanted(coupon)
    product = Product.objects.filter(kind=product_kind, item_id=item_id, active=True).first()
    if product is None:
        raise ProductNotFound
    if owned(user, product):
        raise AlreadyOwned
    price = Price.objects.filter(product=product, currency=currency).first()
    if price is None:
        raise CurrencyNotAvailable
    if not code:
        return Quote(product, Discounted(price.money), None)
    chosen = coupon_choose(code=code, product=product, price=price.money)
    refusal = use_refusal(coupon=chosen, user_id=user.pk)
    if refusal is not None:
        raise refusal
    return Quote(product, coupon_apply(coupon=chosen, product=product, price=price.money), chosen)


def code_wanted(text: str | None) -> str:
    """The code that a buyer typed, empty where none was. Raises CouponUnknown for what can be nobody's."""
    if text is None or not text.strip():
        return ""
    code = code_read(text)
    if not code:
        raise CouponUnknown(attr="coupon")
    return code


def coupon_choose(*, code: str, product: Product, price: Money) -> Coupon:
    """Which coupon of that code is meant: the seller's own before the platform's, the first that applies.

    Other sellers' codes are unknown here. Raises why the first does not apply: CouponUnknown, CouponExpired,
    CouponNotApplicable, CouponMinimum.
    """
    owners = Q(owner__isnull=True)
    if product.seller_id is not None:
        owners |= Q(owner=product.seller_id)
    refusals: list[DomainError] = []
    for coupon in Coupon.objects.filter(owners, code=code).order_by(F("owner").asc(nulls_last=True)):
        try:
            coupon_apply(coupon=coupon, product=product, price=price)
        except (CouponUnknown, CouponExpired, CouponNotApplicable, CouponMinimum) as refusal:
            refusals.append(refusal)
        else:
            return coupon
    raise refusals[0] if refusals else CouponUnknown(attr="coupon")


def coupon_apply(*, coupon: Coupon, product: Product, price: Money) -> Discounted:
    """What the price comes to. Whether a use is left is not asked here.

    Raises CouponUnknown (not begun), CouponExpired, CouponNotApplicable, and CouponMinimum where something is left to
    pay, but less than the gateway charges: neither side agreed to a free one.
    """
    moment = now()
    if coupon.starts_at > moment:
        raise CouponUnknown(attr="coupon")
    if not coupon.active or (coupon.ends_at is not None and coupon.ends_at <= moment):
        raise CouponExpired(attr="coupon")
    if not _is_for(coupon, product) or _pays_its_maker(coupon, product):
        raise CouponNotApplicable(attr="coupon")
    if price.minor == 0:
        raise CouponNotApplicable("This is free of charge. Leave the coupon out.", attr="coupon")
    discount = discount_of(
        price.minor,
        percent_bps=coupon.percent_bps,
        fixed_minor=_fixed(coupon, price.currency),
        step_minor=charge_step(price.currency).minor,
    )
    if discount == 0:
        raise CouponNotApplicable(
            f"This coupon takes nothing off {price.grouped}. Choose another currency, or leave it out.", attr="coupon"
        )
    borne = discount if coupon.bearer == CouponBearer.PLATFORM else 0
    discounted = Discounted(price, discount, borne)
    least = minimum_charge(price.currency)
    if 0 < discounted.total.minor < least.minor:
        raise CouponMinimum(
            f"With this coupon {discounted.total.grouped} is left to pay, and at least {least.grouped} is charged. "
            "Leave the coupon out, or use it for something else.",
            attr="coupon",
            extra={"minimum_amount": least.amount, "currency": least.currency},
        )
    return discounted


def use_refusal(*, coupon: Coupon, user_id: UUID, overdue_count: bool = False) -> CouponUsedUp | None:
    """Why this person may not use the coupon once more; None where they may.

    Uses that are reserved for checkouts which ended are free, unless they count: for whoever has the coupon locked and
    has released them, those that are left are being paid for.
    """
    moment = now()
    taken = CouponRedemption.objects.filter(
        coupon=coupon, status__in=(RedemptionStatus.RESERVED, RedemptionStatus.CONSUMED)
    )
    free = taken.filter(overdue_at(moment)) if not overdue_count else taken.none()
    most = coupon.max_uses
    if most is not None and coupon.taken >= most and coupon.taken - free.count() >= most:
        return CouponUsedUp(attr="coupon")
    if coupon.max_uses_per_user is None:
        return None
    mine = list(
        taken.filter(user_id=user_id).exclude(pk__in=free.values("pk")).select_related("payment").order_by("id")
    )
    if len(mine) < coupon.max_uses_per_user:
        return None
    reserved = next((one for one in mine if one.status == RedemptionStatus.RESERVED), None)
    if reserved is None:
        return CouponUsedUp("You have used this coupon already. Leave it out to pay the full price.", attr="coupon")
    until = reserved.payment.expires_at + HELD_AFTER_CHECKOUT
    return CouponUsedUp(
        f"Your checkout {reserved.payment.reference} holds this coupon until {until:%-d %B %Y, %H:%M} UTC. Pay there, "
        "or try again then.",
        attr="coupon",
        extra={"payment_reference": reserved.payment.reference, "until": until},
    )


def overdue_at(moment: datetime) -> Q:
    """Redemptions that are reserved for a checkout which nobody pays any more."""
    return Q(
        status=RedemptionStatus.RESERVED,
        payment__status__in=UNSETTLED_STATUSES,
        payment__expires_at__lte=moment - HELD_AFTER_CHECKOUT,
    )


def _is_for(coupon: Coupon, product: Product) -> bool:
    if coupon.owner_id is not None and coupon.owner_id != product.seller_id:
        return False
    if coupon.product_id is not None:
        return coupon.product_id == product.pk
    return coupon.seller_id is None or coupon.seller_id == product.seller_id


def _pays_its_maker(coupon: Coupon, product: Product) -> bool:
    """Staff may sell too: what they have the platform bear is for the items of others, as with all that they decide."""
    return coupon.bearer == CouponBearer.PLATFORM and coupon.created_by_id == product.seller_id


def _fixed(coupon: Coupon, currency: str) -> int:
    if coupon.percent_bps is not None:
        return 0
    amount = coupon.amounts.filter(currency=currency).values_list("amount_minor", flat=True).first()
    return amount or 0
