"""The hinge to the content apps: what has to happen in an app when one of its products is granted.

An app registers its kind in `AppConfig.ready()`; payments itself knows no content app.
"""

from collections.abc import Callable

from payments.models import Entitlement, Payment

# Runs inside the settling transaction: everything it writes commits with the payment, or not at all.
OnGranted = Callable[[Entitlement, Payment], None]

_on_granted: dict[str, OnGranted] = {}


def register_product_kind(kind: str, *, on_granted: OnGranted) -> None:
    """`on_granted(entitlement, payment)` is called once for every entitlement to a product of `kind`."""
    _on_granted[kind] = on_granted


def registered_kinds() -> tuple[str, ...]:
    return tuple(_on_granted)


def granted(entitlement: Entitlement, payment: Payment) -> None:
    """Tell the app that owns the product."""
    _on_granted[payment.product.kind](entitlement, payment)
