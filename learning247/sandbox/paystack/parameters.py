"""Reading what a merchant sent: JSON or form bodies, numbers that may come as text."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from learning247.sandbox.clock import unix_seconds
from learning247.sandbox.paystack.errors import invalid
from learning247.sandbox.wire import Call, Json

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def body_of(call: Call) -> Json:
    """The request's fields; Paystack takes JSON and form-encoded bodies alike."""
    if call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        fields: Any = json.loads(call.body or b"{}")
    except ValueError as error:
        raise invalid("Invalid JSON in the request body") from error
    if not isinstance(fields, dict):
        raise invalid("The request body must be a JSON object")
    return fields


def whole(value: object, message: str) -> int:
    """A positive number of subunits, given as an integer or as digits."""
    if isinstance(value, bool) or not isinstance(value, int | str) or not re.fullmatch(r"\d{1,15}", str(value)):
        raise invalid(message)
    if int(value) == 0:
        raise invalid(message)
    return int(value)


def moment(value: str, fallback: float) -> float:
    """A date or time of a query as Unix seconds; an empty one is the fallback."""
    try:
        return unix_seconds(value) if value else fallback
    except ValueError as error:
        raise invalid(f"Invalid date: {value}") from error


def text(fields: Json, name: str, message: str = "") -> str:
    """A required text field."""
    value = fields.get(name)
    if not isinstance(value, str) or not value.strip():
        raise invalid(message or f"{name} is required")
    return value.strip()


def optional_text(fields: Json, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def email(fields: Json) -> str:
    address = text(fields, "email", "Invalid Email Address Passed")
    if not EMAIL.fullmatch(address):
        raise invalid("Invalid Email Address Passed")
    return address


def metadata(fields: Json) -> Any:
    """An object, or the object in a JSON string; other text stays text. Empty becomes the empty string."""
    value = fields.get("metadata", "")
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value if value is not None else ""


def page_of(call: Call, rows: list[Json], size_name: str = "perPage") -> tuple[list[Json], Json]:
    """One page of rows, newest first, with Paystack's ``meta``."""
    size = min(100, whole(call.question(size_name) or call.question("perPage") or 50, "Invalid perPage"))
    page = whole(call.question("page") or 1, "Invalid page")
    start = (page - 1) * size
    pages = max(1, -(-len(rows) // size))
    return rows[start : start + size], {
        "total": len(rows),
        "skipped": start,
        "perPage": size,
        "page": page,
        "pageCount": pages,
    }
