"""The one question that every door asks: may this person use this product, and why.

`explain` answers it for one product, `opened` for the rows of a list. Both know the same three ways in: a right to the
product itself, a right to something that opens it (`payments.kinds`: a pass), and being its seller.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Exists, OuterRef, Q, Value, When

from accounts.models import User
from learning247.kit.clock import now
from payments.enums import AccessReason
from payments.kinds import kinds_opening
from payments.models import Entitlement, Product
from payments.terms import RENEWAL_WINDOW


@dataclass(frozen=True, slots=True)
class Grant:
    """By what access is given, and until when (None: for good)."""

    source: str
    payment_reference: str | None
    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Access:
    granted: bool
    reason: AccessReason
    grant: Grant | None = None


def explain(user: User | None, product: Product, *, at: datetime | None = None) -> Access:
    """Granted by what and until when, or refused because. `user` None is somebody who has not signed in.

    Of several rights the one to the product itself is named before one that opens it among others.
    """
    if user is None or not user.is_authenticated:
        return Access(False, AccessReason.PURCHASE_REQUIRED)
    if product.seller_id == user.pk:
        return Access(True, AccessReason.OWNER)
    moment = at or now()
    opening = Q(product=product)
    if product.seller_id is None and product.active:
        opening |= Q(product__kind__in=kinds_opening(product.kind))
    its_own = Case(When(product=product, then=Value(0)), default=Value(1))
    entitlements = Entitlement.objects.filter(opening, user=user).select_related("payment")
    live = entitlements.filter(live_at(moment)).order_by(its_own, "-id").first()
    if live:
        return Access(True, AccessReason.ENTITLED, _grant_of(live))
    last = entitlements.order_by("-id").first()
    if last is None:
        return Access(False, AccessReason.PURCHASE_REQUIRED)
    if last.revoked_at:
        return Access(False, AccessReason.REVOKED)
    return Access(False, AccessReason.NOT_STARTED if last.starts_at > moment else AccessReason.EXPIRED)


def opened(user: User, kind: str, *, product: str = "product", at: datetime | None = None) -> Q:
    """`explain(…).granted` for any number of rows in one statement: those whose `product` (the path from the row, of
    kind `kind`) this person may use."""
    live = Entitlement.objects.filter(live_at(at or now()), user=user)
    right = Q(Exists(live.filter(product=OuterRef(f"{product}_id")))) | Q(**{f"{product}__seller": user})
    openers = kinds_opening(kind)
    if openers:
        by_another = Q(Exists(live.filter(product__kind__in=openers)))
        right |= by_another & Q(**{f"{product}__seller__isnull": True, f"{product}__active": True})
    return right


def owned(user: User, product: Product, *, at: datetime | None = None) -> bool:
    """Whether this person has no need to buy it: it is theirs to sell, or they have a right to the product itself for
    good or for more than the renewal window. What opens it among others does not count."""
    if product.seller_id == user.pk:
        return True
    lasting = Q(ends_at__isnull=True) | Q(ends_at__gt=(at or now()) + RENEWAL_WINDOW)
    return Entitlement.objects.filter(lasting, user=user, product=product, revoked_at__isnull=True).exists()


def live_at(moment: datetime) -> Q:
    """Entitlements that open the door at `moment`."""
    return Q(revoked_at__isnull=True, starts_at__lte=moment) & (Q(ends_at__isnull=True) | Q(ends_at__gt=moment))


def _grant_of(entitlement: Entitlement) -> Grant:
    return Grant(
        source=entitlement.source,
        payment_reference=entitlement.payment.reference if entitlement.payment else None,
        starts_at=entitlement.starts_at,
        ends_at=entitlement.ends_at,
    )
