"""What counting contends for: which counters are good, and, while they are not, the things that are counted by."""

from collections.abc import Iterable
from typing import Final

from django.db import connection

from learning247.kit.locks import bound_lock_wait
from learning247.kit.transactions import require_transaction

# Shared by every check until its transaction ends (selectors.py), alone for whoever puts rebuilt counters in force.
COUNTERS_LOCK: Final = 5_247_001


def counters_takeover_lock() -> None:
    """No check is under way, and none begins, until the transaction ends."""
    bound_lock_wait()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTERS_LOCK])


def counted_lock(keys: Iterable[str]) -> None:
    """One check at a time of the same card, address or person, until the transaction ends: without Redis nothing else
    tells two that run together which came first. In the order of the keys."""
    require_transaction("A lock outside a transaction protects nothing.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(key) FROM (SELECT DISTINCT hashtextextended(key, 0) AS key"
            " FROM unnest(%s::text[]) key ORDER BY 1 OFFSET 0) sorted",
            [sorted(keys)],
        )


def rule_lock(rule: str) -> None:
    """One change at a time of a rule's versions, until the transaction ends; there may be none yet whose row would be
    locked."""
    bound_lock_wait()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"risk rule {rule}"])
