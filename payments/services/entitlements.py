"""Rights to products: who may use what, granted once."""

from datetime import datetime

from accounts.models import User
from payments.enums import EntitlementSource
from payments.models import Entitlement, Payment, Product


def entitlement_grant(
    *, user: User, product: Product, source: EntitlementSource, payment: Payment, starts_at: datetime
) -> Entitlement | None:
    """The new entitlement, in the caller's transaction; None when the person owns the product for good already.

    The unique constraint decides, so two payments that settle at the same moment cannot both have it.
    """
    entitlement = Entitlement(user=user, product=product, source=source, payment=payment, starts_at=starts_at)
    Entitlement.objects.bulk_create([entitlement], ignore_conflicts=True)
    return entitlement if Entitlement.objects.filter(pk=entitlement.pk).exists() else None
