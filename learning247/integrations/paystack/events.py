"""Naming Paystack's webhook events. They carry no event id, so the key is built from what the event is about."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

# Of these an object has one each in its life, so its name is the event's name. Best name first.
_ONCE = ("charge.success", "charge.dispute.create", "charge.dispute.resolve", "transfer.")
_NAMES = ("id", "reference", "transfer_code")
# Refund events come with a refund_reference, an id, or (pending, processing) with neither: two refunds of the same
# payment must not be taken for one.
_REFUND_NAMES = ("refund_reference", "id")
LONGEST = 150


class UnreadableEvent(ValueError):
    """The payload is no event of Paystack's."""


def event_type(payload: Mapping[str, Any]) -> str:
    """`charge.success`. Raises UnreadableEvent."""
    name = payload.get("event")
    if not isinstance(name, str) or not name:
        raise UnreadableEvent("An event has its type at `event`.")
    return name


def event_key(payload: Mapping[str, Any]) -> str:
    """The same for every delivery of an event, different for every other event: `charge.success:302961`.

    Where nothing in the event names it once and for all (a second reminder of the same dispute), its content does:
    taking two events for one would lose the second, taking one for two costs a handler that finds nothing to do.
    Raises UnreadableEvent.
    """
    kind = event_type(payload)
    data = payload.get("data")
    name = ""
    if isinstance(data, dict) and kind.startswith("refund."):
        name = _first_of(data, _REFUND_NAMES)
    elif isinstance(data, dict) and kind.startswith(_ONCE):
        name = _first_of(data, _NAMES)
    return f"{kind[:LONGEST]}:{name or _digest(data)}"


def _first_of(data: Mapping[str, Any], fields: tuple[str, ...]) -> str:
    for field in fields:
        value = data.get(field)
        if isinstance(value, str | int) and not isinstance(value, bool) and 1 <= len(str(value)) <= LONGEST:
            return str(value)
    return ""


def _digest(data: object) -> str:
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return "sha256=" + hashlib.sha256(canonical.encode()).hexdigest()
