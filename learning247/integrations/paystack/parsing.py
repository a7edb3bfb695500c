"""Strict reading of Paystack's JSON: the right type comes out, or MalformedAnswer names the field.

The traps are those of the official samples: metadata that is 0, "", null, an object or JSON text; amounts that are
text; `fees` that is null; timestamps in two spellings.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from learning247.integrations.paystack.errors import MalformedAnswer

# Ids are unsigned 64-bit; no amount comes near that.
LARGEST = 2**64 - 1
LONGEST_HINT = 100


def mapping_in(data: Mapping[str, Any], field: str) -> dict[str, Any]:
    """The object at `field`."""
    value = data.get(field)
    if not isinstance(value, dict):
        raise MalformedAnswer(f"{field} is no object: {_shown(value)}")
    return value


def rows_in(data: Mapping[str, Any], field: str) -> list[dict[str, Any]]:
    """The list of objects at `field`."""
    value = data.get(field)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise MalformedAnswer(f"{field} is no list of objects: {_shown(value)}")
    return value


def text_in(data: Mapping[str, Any], field: str) -> str:
    """The text at `field`, not empty."""
    value = data.get(field)
    if not isinstance(value, str) or not value:
        raise MalformedAnswer(f"{field} is no text: {_shown(value)}")
    return value


def optional_text_in(data: Mapping[str, Any], field: str) -> str:
    """The text at `field`; "" where there is none."""
    value = data.get(field)
    if value is not None and not isinstance(value, str):
        raise MalformedAnswer(f"{field} is no text: {_shown(value)}")
    return value or ""


def count_in(data: Mapping[str, Any], field: str) -> int:
    """The non-negative integer at `field`, also where it came as text ("5000"); never a float or a bool."""
    value = data.get(field)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST:
        raise MalformedAnswer(f"{field} is no whole number: {_shown(value)}")
    return value


def optional_count_in(data: Mapping[str, Any], field: str) -> int | None:
    """As `count_in`; None where there is none."""
    return None if data.get(field) is None else count_in(data, field)


def currency_in(data: Mapping[str, Any], field: str = "currency") -> str:
    """Three capital letters."""
    value = data.get(field)
    if not isinstance(value, str) or len(value) != 3 or not value.isascii() or not value.isalpha():
        raise MalformedAnswer(f"{field} is no currency: {_shown(value)}")
    return value.upper()


def time_in(data: Mapping[str, Any], *fields: str) -> datetime | None:
    """The first of `fields` that has a time (`paid_at`, `paidAt`), with its zone; None where none has."""
    for field in fields:
        value = data.get(field)
        if value in (None, ""):
            continue
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            raise MalformedAnswer(f"{field} is no time: {_shown(value)}") from None
        if moment.tzinfo is None:
            raise MalformedAnswer(f"{field} has no time zone: {_shown(value)}")
        return moment
    return None


def metadata_in(data: Mapping[str, Any], field: str = "metadata") -> dict[str, Any]:
    """Our metadata; {} for every way in which Paystack says that there is none (0, "", null, [])."""
    value = data.get(field)
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def hint_in(data: Mapping[str, Any], *path: str) -> str:
    """The text at `path`, "" where there is anything else: it helps to notice fraud, and no payment waits for it."""
    found: Any = data
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found[:LONGEST_HINT] if isinstance(found, str) and "\x00" not in found else ""


def _shown(value: object) -> str:
    return repr(value)[:60]
