"""Naming Stripe's webhook events: they carry an id of their own."""

from collections.abc import Mapping
from typing import Any


class UnreadableEvent(ValueError):
    """The payload is no event of Stripe's."""


def event_key(payload: Mapping[str, Any]) -> str:
    """`evt_…`: the same for every delivery of the event. Raises UnreadableEvent."""
    return _text(payload, "id")


def event_type(payload: Mapping[str, Any]) -> str:
    """`checkout.session.completed`. Raises UnreadableEvent."""
    return _text(payload, "type")


def _text(payload: Mapping[str, Any], field: str) -> str:
    value = payload.get(field)
    if not isinstance(value, str) or not value:
        raise UnreadableEvent(f"An event has its {field}.")
    return value
