"""Strict reading of Stripe's JSON: the right type comes out, or MalformedAnswer names the field."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from learning247.integrations.stripe.amounts import AmountNotChargeable, from_stripe_amount
from learning247.integrations.stripe.errors import MalformedAnswer

LONGEST_HINT = 100


def text_in(data: Mapping[str, Any], field: str) -> str:
    """The text at `field`, not empty."""
    value = data.get(field)
    if not isinstance(value, str) or not value:
        raise MalformedAnswer(f"{field} is no text: {_shown(value)}")
    return value


def optional_text_in(data: Mapping[str, Any], field: str) -> str:
    """The text at `field`; "" where there is none."""
    return "" if data.get(field) is None else text_in(data, field)


def one_of_in(data: Mapping[str, Any], field: str, known: tuple[str, ...]) -> str:
    """The text at `field`, which is one of `known`."""
    value = text_in(data, field)
    if value not in known:
        raise MalformedAnswer(f"{field} is none of {', '.join(known)}: {_shown(value)}")
    return value


def count_in(data: Mapping[str, Any], field: str) -> int:
    """The non-negative integer at `field`; never a bool."""
    value = data.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise MalformedAnswer(f"{field} is no whole number: {_shown(value)}")
    return value


def amount_in(data: Mapping[str, Any], field: str, currency: str) -> int:
    """The non-negative amount at `field`, in our minor units of `currency`."""
    try:
        return from_stripe_amount(count_in(data, field), currency)
    except AmountNotChargeable as error:
        raise MalformedAnswer(f"{field}: {error}") from None


def time_in(data: Mapping[str, Any], field: str) -> datetime | None:
    """The Unix seconds at `field` as a time in UTC; None where there are none."""
    if data.get(field) is None:
        return None
    try:
        return datetime.fromtimestamp(count_in(data, field), tz=UTC)
    except (OverflowError, OSError, ValueError):
        raise MalformedAnswer(f"{field} is no time: {_shown(data.get(field))}") from None


def expanded_in(data: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """The object at `field`; {"id": …} where Stripe sent its id alone, {} where there is none."""
    value = data.get(field)
    if value is None:
        return {}
    if isinstance(value, str):
        return {"id": value}
    if not isinstance(value, Mapping):
        raise MalformedAnswer(f"{field} is neither an object nor an id: {_shown(value)}")
    return value


def metadata_in(data: Mapping[str, Any]) -> dict[str, str]:
    """Our metadata; {} where there is none."""
    value = data.get("metadata")
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, Mapping) else {}


def hint_in(data: Mapping[str, Any], *path: str) -> str:
    """The text at `path`, "" where there is anything else: it helps to notice fraud, and no payment waits for it."""
    found: Any = data
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found[:LONGEST_HINT] if isinstance(found, str) and "\x00" not in found else ""


def _shown(value: object) -> str:
    return repr(value)[:60]
