"""For tests of locks: to know that somebody waits, without guessing how long it takes."""

from django.db import connection


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
