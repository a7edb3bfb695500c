"""JSON out, by orjson: several times faster than the standard library's, UTF-8, UUIDs and UTC times included."""

from typing import Any

import orjson
from django.utils.functional import Promise

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def to_json(data: Any) -> bytes:
    """`data` as UTF-8 JSON; times end in `Z`. Refuses anything that is not plain data, so nothing leaks by accident."""
    return orjson.dumps(data, default=_default, option=_OPTIONS)


def _default(value: Any) -> Any:
    if isinstance(value, Promise):  # lazily translated texts in validation errors
        return str(value)
    if isinstance(value, str):  # DRF's ErrorDetail and other subclasses
        return str(value)
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no place in an answer.")
