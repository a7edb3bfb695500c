"""What became of a right once it was given: the app that owns the product tells, payments itself knows no content app.

For evidence in a dispute: that the buyer got what was paid for, and used it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from payments.models import Entitlement


class Used(NamedTuple):
    """One thing that happened, in a line of plain text."""

    at: datetime
    what: str


OnUsage = Callable[[Entitlement], list[Used]]

_usage: dict[str, OnUsage] = {}


def register_usage(kind: str, usage: OnUsage) -> None:
    """`usage(entitlement)` tells what was done with a right to a product of `kind`. Called from `apps.ready()`."""
    _usage[kind] = usage


def usage_of(entitlement: Entitlement) -> list[Used]:
    """By time; nothing where the app that owns the product keeps no record."""
    usage = _usage.get(entitlement.product.kind)
    return sorted(usage(entitlement)) if usage else []
