"""The hinge to the content apps: what has to happen in an app when one of its products is granted or taken back, and
which kinds of products open others.

An app registers its kinds in `AppConfig.ready()`; payments itself knows no content app.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from accounts.models import User
from payments.models import Entitlement, Payment

# Runs inside the granting transaction: everything it writes commits with the entitlement, or not at all. No payment:
# granted by staff.
OnGranted = Callable[[Entitlement, Payment | None], None]
# The same for a revocation: the entitlement, those of the person that begin sooner because of it, why, and who did it
# (None: the platform). Together, so that the app can lock its rows of all of them in its own order.
OnRevoked = Callable[[Entitlement, Sequence[Entitlement], str, User | None], None]

# And where the revocation did not hold (a refund that failed): the entitlement, its dates perhaps later, and why.
OnRestored = Callable[[Entitlement, str], None]


@dataclass(frozen=True, slots=True)
class _Kind:
    on_granted: OnGranted
    on_revoked: OnRevoked
    on_restored: OnRestored
    opened_by: tuple[str, ...]


_kinds: dict[str, _Kind] = {}


def register_product_kind(
    kind: str,
    *,
    on_granted: OnGranted,
    on_revoked: OnRevoked,
    on_restored: OnRestored,
    opened_by: tuple[str, ...] = (),
) -> None:
    """`on_granted(entitlement, payment)` is called once for every entitlement to a product of `kind`,
    `on_revoked(entitlement, moved, reason, actor)` once when it is taken back, and `on_restored(entitlement, reason)`
    when that did not hold.

    A right to any product of a kind in `opened_by` opens the platform's own products of `kind` that are on sale.
    Registering the same again is quiet (`ready()` may run twice in tests). Raises RuntimeError when another app has
    the kind.
    """
    wanted = _Kind(on_granted, on_revoked, on_restored, opened_by)
    if _kinds.setdefault(kind, wanted) != wanted:
        raise RuntimeError(f"Products of kind {kind} belong to {_kinds[kind].on_granted.__module__} already.")


def require_registered(kind: str) -> None:
    """A product that nobody would be told of could be paid for and never opened."""
    if kind not in _kinds:
        raise RuntimeError(f"No app has registered products of kind {kind}.")


def kinds_opening(kind: str) -> tuple[str, ...]:
    """The kinds whose products open the platform's products of `kind`."""
    return _kinds[kind].opened_by if kind in _kinds else ()


def notify_granted(entitlement: Entitlement, payment: Payment | None) -> None:
    """Tell the app that owns the product."""
    _kinds[entitlement.product.kind].on_granted(entitlement, payment)


def notify_revoked(entitlement: Entitlement, moved: Sequence[Entitlement], reason: str, actor: User | None) -> None:
    """Tell the app that owns the product."""
    _kinds[entitlement.product.kind].on_revoked(entitlement, moved, reason, actor)


def notify_restored(entitlement: Entitlement, reason: str) -> None:
    """Tell the app that owns the product."""
    _kinds[entitlement.product.kind].on_restored(entitlement, reason)
