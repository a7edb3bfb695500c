"""The one question that every door asks: may this person use this product, and why."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.models import User
from learning247.kit.clock import now
from payments.enums import AccessReason
from payments.models import Entitlement, Product


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
    """Granted by what and until when, or refused because. `user` None is somebody who has not signed in."""
    if user is None or not user.is_authenticated:
        return Access(False, AccessReason.PURCHASE_REQUIRED)
    if product.seller_id == user.pk:
        return Access(True, AccessReason.OWNER)
    moment = at or now()
    entitlements = Entitlement.objects.filter(user=user, product=product).select_related("payment").order_by("-id")
    live = entitlements.filter(live_at(moment)).first()
    if live:
        return Access(True, AccessReason.ENTITLED, _grant_of(live))
    last = entitlements.first()
    if last is None:
        return Access(False, AccessReason.PURCHASE_REQUIRED)
    if last.revoked_at:
        return Access(False, AccessReason.REVOKED)
    return Access(False, AccessReason.NOT_STARTED if last.starts_at > moment else AccessReason.EXPIRED)


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
