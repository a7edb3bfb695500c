"""For tests of what happens at once: to know that somebody waits, without guessing how long it takes."""

import time
from collections.abc import Callable

from django.db import connection


def poll(has_happened: Callable[[], object], *, seconds: float = 30) -> bool:
    """Returns True as soon as it has; False if it has not within `seconds`."""
    end = time.monotonic() + seconds
    while not has_happened():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def until_somebody_waits(*, count: int = 1) -> None:
    """Returns as soon as that many connections of this database wait for a lock."""
    for _ in range(2_000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # or a transaction sees the same activity all along
            cursor.execute(
                "SELECT count(*), pg_sleep(0.005) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0] >= count:
                return
    raise AssertionError("nobody waits")
