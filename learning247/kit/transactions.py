"""Work that stands or falls with its caller's transaction says so."""

from django.db import connection


def require_transaction(reason: str) -> None:
    """Raises RuntimeError, with `reason` for the programmer, where no transaction is open."""
    if not connection.in_atomic_block:
        raise RuntimeError(reason)
