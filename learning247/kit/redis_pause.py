"""Redis is left alone for a while after it failed: its timeout must not be added to every answer."""

import time
from typing import Final

import structlog
from redis.exceptions import RedisError

SECONDS: Final = 5.0

_log = structlog.get_logger(__name__)
_until = 0.0


def redis_is_paused() -> bool:
    """Whether this process saw Redis fail a moment ago. Ask before a call without which the request can go on."""
    return time.monotonic() < _until


def redis_pause(error: RedisError) -> None:
    """Leave Redis alone for SECONDS, because of `error`."""
    # Per process; a thread that reads the old value only tries once more.
    global _until  # noqa: PLW0603
    _until = time.monotonic() + SECONDS
    _log.warning("redis_paused", error=type(error).__name__, seconds=SECONDS)


def redis_resume() -> None:
    """As in a process that has just begun."""
    global _until  # noqa: PLW0603
    _until = 0.0
