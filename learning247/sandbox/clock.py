"""The sandbox's own time: the machine's, moved forward on demand so that nobody has to wait for it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Unix seconds in UTC. ``advance`` never goes back, as time does not."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def now(self) -> float:
        return time.time() + self.offset

    def seconds(self) -> int:
        return int(self.now())

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("time only goes forward")
        self.offset += seconds

    def iso(self) -> str:
        """``2026-11-22T10:15:00.123Z``, the form of Paystack's timestamps."""
        return iso_text(self.now())


def iso_text(moment: float) -> str:
    """A Unix time as ISO 8601 with milliseconds and ``Z``."""
    text = datetime.fromtimestamp(moment, tz=UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def unix_seconds(text: str) -> float:
    """The reverse of :func:`iso_text`; also takes a plain date or an offset."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
