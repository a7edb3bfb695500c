"""Fixtures of the tests of records."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from learning247.kit.clock import now
from learning247.records import registry
from learning247.records.services import idempotency, inbox, leases, mail


@pytest.fixture
def own_registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty registries for this test alone."""
    monkeypatch.setattr(registry, "_event_handlers", {})
    monkeypatch.setattr(registry, "_checks", {})


class Clock:
    """Time stands still and is moved on by hand."""

    def __init__(self) -> None:
        self.moment = now()

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **duration: float) -> None:
        self.moment += timedelta(**duration)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    for module in (inbox, leases, mail, idempotency):
        monkeypatch.setattr(module, "now", clock)
    yield clock


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[str, ...], str]]:
    """What was enqueued, instead of a broker: (task, arguments, queue), whether or not a transaction commits."""
    enqueued: list[tuple[str, tuple[str, ...], str]] = []

    def enqueue(name: str, *args: object, queue: str = "default") -> None:
        enqueued.append((name, tuple(str(arg) for arg in args), queue))

    for module in (inbox, mail):
        monkeypatch.setattr(module, "enqueue_on_commit", enqueue)
    return enqueued


Jobs = list[tuple[str, tuple[str, ...], str]]
Race = Callable[[int, Callable[[int], object]], list[object]]
