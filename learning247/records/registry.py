"""Two registries that the apps above fill in `apps.ready()`: who handles an inbound event, and what `prove` checks.

Records stands below every app, so it cannot import them; they tell it what they have.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from learning247.records.checks import Breach, Scope
from learning247.records.models import InboundEvent

# Handles one event and says in a few words what it did ("settled", "nothing to do: already paid"). It runs outside
# of any transaction, may run again after a crash, and raises EventNotReady while our own row is not there yet.
EventHandler = Callable[[InboundEvent], str]
Check = Callable[[Scope], Iterator[Breach]]


class AlreadyRegistered(RuntimeError):
    """Two apps claim the same events, or two checks the same name: a mistake in the code, seen at start-up."""


@dataclass(frozen=True, slots=True)
class RegisteredCheck:
    code: str
    title: str
    check: Check


_event_handlers: dict[tuple[str, str], EventHandler] = {}
_checks: dict[tuple[str, str], RegisteredCheck] = {}


def register_event_handler(source: str, event_type_prefix: str, handler: EventHandler) -> None:
    """Let `handler` have every event of `source` whose type starts with the prefix; the longest prefix wins.

    Registering the same function again is quiet (`ready()` may run twice in tests). Raises AlreadyRegistered.
    """
    known = _event_handlers.setdefault((source, event_type_prefix), handler)
    if known is not handler:
        raise AlreadyRegistered(f"{source} {event_type_prefix}* already goes to {known.__module__}.")


def event_handler_for(source: str, event_type: str) -> EventHandler | None:
    """The handler with the longest matching prefix; None when nobody wants such events."""
    matching = (
        prefix for handled_source, prefix in _event_handlers
        if handled_source == source and event_type.startswith(prefix)
    )  # fmt: skip
    longest = max(matching, key=len, default=None)
    return None if longest is None else _event_handlers[source, longest]


def register_check(code: str, title: str, check: Check) -> None:
    """Add a check to `manage.py prove`. Several apps may each add one under the same code, with titles of their own.

    Raises AlreadyRegistered when code and title are taken by another function.
    """
    known = _checks.setdefault((code, title), RegisteredCheck(code, title, check))
    if known.check is not check:
        raise AlreadyRegistered(f"The check {code} {title!r} exists already in {known.check.__module__}.")


def registered_checks() -> list[RegisteredCheck]:
    """Every check, I2 before I10."""
    return sorted(_checks.values(), key=lambda registered: (_natural(registered.code), registered.title))


def _natural(code: str) -> tuple[str, int]:
    letters = code.rstrip("0123456789")
    digits = code.removeprefix(letters)
    return letters, int(digits) if digits else 0
