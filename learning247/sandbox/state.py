"""Everything a sandbox remembers: named tables of JSON records, saved as one file when a path is given."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from learning247.sandbox.wire import Json

FORMAT = 1


class StateError(ValueError):
    """The state file is there but is not one of ours."""


class Store:
    """Tables of records by key, in order of insertion, and counters. One thread only: the event loop's."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, Json]] = {}
        self._counters: dict[str, int] = {}
        self.changes = 0

    def table(self, name: str) -> dict[str, Json]:
        return self._tables.setdefault(name, {})

    def count(self, name: str) -> int:
        """The next number of a counter, beginning with 1."""
        self._counters[name] = self._counters.get(name, 0) + 1
        return self._counters[name]

    def touch(self) -> None:
        """Say that something may have changed, so that it gets saved."""
        self.changes += 1

    def newest(self, name: str) -> Iterator[Json]:
        return reversed(list(self.table(name).values()))

    def clear(self) -> None:
        """Forget the records. Counters go on, so that no identifier is ever handed out twice."""
        for table in self._tables.values():
            table.clear()

    def sizes(self) -> dict[str, int]:
        return {name: len(rows) for name, rows in sorted(self._tables.items()) if rows}

    def dump(self) -> Json:
        return {"format": FORMAT, "counters": self._counters, "tables": self._tables}

    def load(self, snapshot: Json) -> None:
        """Take over a snapshot in place, so that tables already handed out stay the living ones."""
        self.clear()
        for name, rows in snapshot["tables"].items():
            self.table(name).update(rows)
        self._counters.update(snapshot["counters"])


class StateFile:
    """A store on disk. Written beside its place and renamed, so that a crash leaves the older whole file."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def read(self) -> Json | None:
        if not self._path.exists():
            return None
        try:
            snapshot: Any = json.loads(self._path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise StateError(f"{self._path} is not JSON: {error}") from error
        if not isinstance(snapshot, dict) or snapshot.get("format") != FORMAT:
            raise StateError(f"{self._path} was not written by this sandbox")
        return snapshot

    def write(self, text: str) -> None:
        """Save a serialised snapshot in the place of the one before."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(self._path.name + ".part")
        with beside.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(self._path)
