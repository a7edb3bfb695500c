"""Transactions that stay open in a thread, and database sessions that can disable a guard as only its owner could."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from django.db import connection, connections, transaction

from learning247.records.services.prove import checks_run

# What the ledger proves of itself. Sales without a payment, as these tests post them, are for I11 no sales at all.
LEDGER = ("I1", "I2", "I3", "I4", "I5", "I12", "I13")
PATIENCE = 20.0  # seconds; a race that takes longer has hung


@contextmanager
def held_open(work: Callable[[], Any]) -> Iterator[None]:
    """Run `work` in a transaction of another thread and keep that open for the block; it commits after it."""
    done, release, problems = Event(), Event(), []

    def run() -> None:
        try:
            with transaction.atomic():
                work()
                done.set()
                assert release.wait(PATIENCE)
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            problems.append(error)
            done.set()
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    try:
        assert done.wait(PATIENCE), "the transaction never came to its end"
        assert problems == []
        yield
    finally:
        release.set()
        thread.join(PATIENCE)
    assert problems == [] and not thread.is_alive()


@contextmanager
def guards_off(*tables: str) -> Iterator[None]:
    """The owner's right, that no app has in production: the tables' triggers are off for the block."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        try:
            yield
        finally:
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
                cursor.execute(
                    "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table]
                )
                for (name,) in cursor.fetchall():
                    cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def poll(look: Callable[[], Any], *, seconds: float = PATIENCE) -> Any:
    """Look again and again until there is something, and return it; the last look's answer when time is up."""
    deadline = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def execute(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """The statement's rows; none where it has none."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def breaches(*codes: str) -> list[tuple[str, str]]:
    """(code, named row) of every breach that `prove` finds in `codes`, or in all that the ledger proves of itself."""
    results = list(checks_run(only=frozenset(codes or LEDGER)))
    assert [result.failure for result in results if result.failure] == []
    return [(result.code, row) for result in results for row in result.named]
