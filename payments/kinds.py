"""The hinge to the content apps: what has to happen in an app when one of its products is granted.

An app registers its kind in `AppConfig.ready()`; payments itself knows no content app.
"""

from collections.abc import Callable

from payments.models import Entitlement, Payment

# Runs inside the settling transaction: everything it writes commits with the payment, or not at all.
OnGranted = Callable[[Entitlement, Payment], None]

_on_granted: dict[str, OnGranted] = {}


def register_product_kind(kind: str, *, on_granted: OnGranted) -> None:
    """`on_granted(entitlement, payment)` is called once for every entitlement to a product of `kind`.

    Registering the same function again is quiet (`ready()` may run twice in tests). Raises RuntimeError when another
    app has the kind.
    """
    if _on_granted.setdefault(kind, on_granted) is not on_granted:
        raise RuntimeError(f"Products of kind {kind} belong to {_on_granted[kind].__module__} already.")


def require_registered(kind: str) -> None:
    """A product that nobody would be told of could be paid for and never opened."""
    if kind not in _on_granted:
        raise RuntimeError(f"No app has registered products of kind {kind}.")


def notify_granted(entitlement: Entitlement, payment: Payment) -> None:
    """Tell the app that owns the product."""
    _on_granted[payment.product.kind](entitlement, payment)
