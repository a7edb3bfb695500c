"""Row locks with a bounded wait. Which rows, and in which order, is each app's `locks.py` to say."""

from django.db import connection

from learning247.kit.transactions import require_transaction


def bound_lock_wait(milliseconds: int = 5_000) -> None:
    """Let lock waits of the current transaction fail after `milliseconds` (-> 503 busy) instead of piling up.

    `SET LOCAL`, so nothing outlives the transaction, also behind PgBouncer.
    """
    require_transaction("A lock outside a transaction protects nothing.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(milliseconds)])
