"""How the demo speaks: numbered steps, aligned facts, and a comparison that stops it when a fact is wrong."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from learning247.demo.http import NotAsExpected

LABEL_WIDTH: Final = 33


class Teller:
    """Writes the story line by line."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._step = 0

    def title(self, text: str) -> None:
        self._write(f"\n{text}\n{'=' * len(text)}\n")

    def step(self, text: str) -> None:
        self._step += 1
        self._write(f"\n{self._step:>2}. {text}\n")

    def note(self, text: str) -> None:
        self._write(f"      {text}\n")

    def fact(self, label: str, value: str) -> None:
        self._write(f"      {label:<{LABEL_WIDTH}} {value}\n")

    def amount(self, label: str, currency: str, amount: str, remark: str = "") -> None:
        self._write(f"      {label:<{LABEL_WIDTH}} {shown(currency, amount):>16}  {remark}".rstrip() + "\n")

    def text(self, text: str) -> None:
        self._write(text)

    def same(self, what: str, found: Any, expected: Any) -> None:
        """Raises NotAsExpected, in a sentence, unless the two are equal."""
        if found != expected:
            raise NotAsExpected(f"{what} should be {_said(expected)} and is {_said(found)}.")


def shown(currency: str, amount: str) -> str:
    """`NGN 25,000.00` from the API's `"25000.00"`."""
    return f"{currency} {Decimal(amount):,}"


def _said(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value)) or "nothing"
    return "nothing" if value in (None, "") else str(value)
