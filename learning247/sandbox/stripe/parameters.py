"""Form-encoded parameters with brackets, and the checks every endpoint makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from learning247.sandbox.stripe.errors import missing, refusal, unknown, wrong
from learning247.sandbox.wire import Call, Json

SEGMENT = re.compile(r"\[([^\]]*)\]")


def decode(pairs: Iterable[tuple[str, str]]) -> Json:
    """``a[b][0][c]=1`` as nested objects; lists come from numbers or from empty brackets."""
    tree: Json = {}
    for key, value in pairs:
        head, _, _ = key.partition("[")
        _plant(tree, [head, *SEGMENT.findall(key)], value)
    return {name: _lists(branch) for name, branch in tree.items()}


def _plant(tree: Json, path: list[str], value: str) -> None:
    for segment in path[:-1]:
        branch = tree.setdefault(segment if segment else str(len(tree)), {})
        if not isinstance(branch, dict):
            raise refusal(f"Invalid parameter structure at {segment}", param=segment)
        tree = branch
    tree[path[-1] if path[-1] else str(len(tree))] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdecimal() for name in value):
        return [_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _lists(item) for name, item in value.items()}


def pairs_of(call: Call) -> list[tuple[str, str]]:
    """The parameters as sent: in the body of a POST, in the query of a GET."""
    if call.method == "POST":
        return parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)
    return list(call.query)


class Parameters:
    """The parameters of one call. Each is taken out once; what is left at the end was unknown."""

    def __init__(self, call: Call) -> None:
        self._left = decode(pairs_of(call))
        self.expand: list[str] = self._expansions()

    def text(self, name: str) -> str:
        value = self.optional_text(name)
        if not value:
            raise missing(name)
        return value

    def optional_text(self, name: str, longest: int = 5000) -> str:
        value = self._left.pop(name, "")
        if not isinstance(value, str):
            raise wrong(name, f"Invalid string: {name}")
        if len(value) > longest:
            raise wrong(name, f"Invalid string: {name} must be at most {longest} characters")
        return value

    def whole(self, name: str, *, lowest: int = 1) -> int:
        value = self.optional_whole(name, lowest=lowest)
        if value is None:
            raise missing(name)
        return value

    def optional_whole(self, name: str, *, lowest: int = 1) -> int | None:
        return None if name not in self._left else whole(self._left.pop(name), name, lowest=lowest)

    def currency(self) -> str:
        """A lower-case three-letter code."""
        return currency(self.text("currency"), "currency")

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.optional_text(name) or default
        if value not in allowed:
            raise wrong(name, f"Invalid {name}: must be one of {', '.join(allowed)}")
        return value

    def mapping(self, name: str) -> Json:
        value = self._left.pop(name, {})
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise wrong(name, f"Invalid object: {name}")
        return value

    def metadata(self) -> Json:
        return metadata(self.mapping("metadata"), "metadata")

    def items(self, name: str) -> list[Any]:
        value = self._left.pop(name, [])
        if not isinstance(value, list):
            raise wrong(name, f"Invalid array: {name}")
        return value

    def ignore(self, *names: str) -> None:
        """Accept parameters that change nothing here."""
        for name in names:
            self._left.pop(name, None)

    def finish(self) -> None:
        """Refuse whatever nobody asked for, as Stripe does."""
        for name in self._left:
            raise unknown(name)

    def _expansions(self) -> list[str]:
        value = self._left.pop("expand", [])
        if not isinstance(value, list) or not all(isinstance(path, str) for path in value):
            raise wrong("expand", "Invalid array: expand")
        return value


def whole(value: object, name: str, *, lowest: int = 1) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,12}", value):
        raise refusal(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name)
    if int(value) < lowest:
        raise refusal(
            f"This value must be greater than or equal to {lowest}.",
            code="parameter_invalid_integer",
            param=name,
        )
    return int(value)


def currency(value: object, name: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z]{3}", value):
        raise wrong(name, f"Invalid currency: {value}")
    return value.lower()


def metadata(values: Json, name: str) -> Json:
    """At most 50 texts of 500 characters under names of 40."""
    for key, value in values.items():
        if not isinstance(value, str) or len(key) > 40 or len(value) > 500:
            raise wrong(f"{name}[{key}]", "Metadata values are texts of at most 500 characters")
    if len(values) > 50:
        raise wrong(name, "Metadata holds at most 50 keys")
    return dict(values)
