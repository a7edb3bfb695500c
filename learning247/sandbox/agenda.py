"""Things to do later: due times in the sandbox's clock, kept in the store, run by one task."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

from learning247.sandbox.clock import Clock
from learning247.sandbox.state import Store
from learning247.sandbox.wire import Json

Job = Callable[[Json], None]

# The clock can be advanced between two looks, so the wait is bounded even with nothing due.
LONGEST_WAIT = 0.5


class Agenda:
    """Jobs are plain names with JSON arguments, so that a restart finds them again."""

    def __init__(self, clock: Clock, store: Store, time_scale: int) -> None:
        self._clock = clock
        self._rows = store.table("agenda")
        self._store = store
        self._time_scale = time_scale
        self._jobs: dict[str, Job] = {}
        self._heap: list[tuple[float, int]] = []
        self._changed = asyncio.Event()

    def register(self, kind: str, job: Job) -> None:
        self._jobs[kind] = job

    def schedule(self, kind: str, arguments: Json, *, delay: float) -> None:
        """Run a job in ``delay`` seconds, divided by the time scale."""
        number = self._store.count("agenda")
        due = self._clock.now() + delay / self._time_scale
        self._rows[str(number)] = {"kind": kind, "arguments": arguments, "due": due}
        heapq.heappush(self._heap, (due, number))
        self._changed.set()

    def arguments(self, kind: str) -> list[Json]:
        """Of all jobs of a kind that are still to come."""
        return [row["arguments"] for row in self._rows.values() if row["kind"] == kind]

    def resume(self) -> None:
        """Take up what the store holds, after a restart or a reset."""
        self._heap = [(row["due"], int(number)) for number, row in self._rows.items()]
        heapq.heapify(self._heap)
        self._changed.set()

    def run_due(self) -> None:
        while self._heap and self._heap[0][0] <= self._clock.now():
            _, number = heapq.heappop(self._heap)
            row = self._rows.pop(str(number), None)
            if row is not None:
                self._store.touch()
                self._jobs[row["kind"]](row["arguments"])

    async def run(self) -> None:
        while True:
            self._changed.clear()
            self.run_due()
            wait = LONGEST_WAIT
            if self._heap:
                wait = min(LONGEST_WAIT, max(0.0, self._heap[0][0] - self._clock.now()))
            try:
                await asyncio.wait_for(self._changed.wait(), timeout=wait)
            except TimeoutError:
                continue
