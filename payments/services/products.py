"""Products and prices: what an app puts up for sale."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import User
from learning247.kit.money import Money
from payments.enums import ProductKind
from payments.kinds import require_registered
from payments.models import Price, Product


@transaction.atomic
def product_create(
    *,
    kind: ProductKind,
    item_id: UUID,
    title: str,
    seller: User | None,
    prices: Sequence[Money],
    active: bool,
    term_months: int | None = None,
) -> Product:
    """A product for one item of an app, with at most one price per currency.

    `term_months` is how many calendar months one purchase lasts; None: for good.
    """
    require_registered(kind)
    product = Product.objects.create(
        kind=kind, item_id=item_id, title=title, seller=seller, active=active, term_months=term_months
    )
    prices_set(product=product, prices=prices)
    return product


@transaction.atomic
def product_update(
    product: Product, *, title: str | None = None, prices: Sequence[Money] | None = None, active: bool | None = None
) -> Product:
    """Change what is given, and nothing else: the caller's copy of the row may be older than the row.

    Open checkouts keep the price they began with.
    """
    changes: dict[str, Any] = {"title": title, "active": active}
    given = {name: value for name, value in changes.items() if value is not None}
    if given:
        Product.objects.filter(pk=product.pk).update(**given)
        for name, value in given.items():
            setattr(product, name, value)
    if prices is not None:
        prices_set(product=product, prices=prices)
    return product


@transaction.atomic
def prices_set(*, product: Product, prices: Sequence[Money]) -> None:
    """Exactly these prices, no others. Raises ValueError for two prices in one currency."""
    by_currency = {price.currency: price.minor for price in prices}
    if len(by_currency) != len(prices):
        raise ValueError("A product has one price per currency.")
    product.prices.exclude(currency__in=by_currency).delete()
    Price.objects.bulk_create(
        [Price(product=product, currency=code, amount_minor=minor) for code, minor in by_currency.items()],
        update_conflicts=True,
        unique_fields=["product", "currency"],
        update_fields=["amount_minor"],
    )
