"""Sealing: ranges of entries become links of a hash chain, and platform balances get checkpoints.

Nothing waits for a seal. It covers only entries that no running transaction can still precede: a run seals up to the
horizon that an earlier run placed, provided that every transaction of that time has ended, then places the next.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from wallets.models import Seal, SealHorizon

ENTRIES_PER_SEAL: Final = 5_000
FIRST_PREVIOUS_DIGEST: Final = bytes(32)
_SEAL_LOCK: Final = 2_470_001  # pg_advisory_xact_lock: one sealer at a time

# One JSON array per line of the range, in order; jsonb's text form is canonical and cannot be forged by a separator
# inside a text. Times are microseconds since 1970.
_DIGEST: Final = """
SELECT count(DISTINCT e.id), min(e.id), max(e.id), sha256(%(previous)s::bytea || convert_to(coalesce(string_agg(
    jsonb_build_array(e.id, e.uuid, e.key, e.kind, e.currency, e.source_kind, e.source_id, e.reference, e.description,
                      (extract(epoch FROM e.posted_at) * 1000000)::bigint,
                      l.id, l.account_id, l.amount_minor, l.currency, l.balance_after_minor)::text,
    E'\\n' ORDER BY e.id, l.id), ''), 'UTF8'))
FROM wallets_journalentry e LEFT JOIN wallets_journalline l ON l.entry_id = e.id
WHERE e.id BETWEEN %(first)s AND %(last)s
"""

_LAST_OF_RANGE: Final = """
SELECT max(id) FROM (
    SELECT id FROM wallets_journalentry WHERE id > %s AND id <= %s ORDER BY id LIMIT %s
) AS range
"""


@dataclass(frozen=True, slots=True)
class SealRun:
    """What one run did: seals written, entries covered."""

    seals: int
    entries: int


def ledger_seal() -> SealRun:
    """Seal up to the last horizon if it has matured, then place a new one. Safe to run twice and in two processes."""
    run = _seal_to_horizon()
    if run is None:
        return SealRun(0, 0)
    _place_horizon()
    return run


@transaction.atomic(durable=True)
def _seal_to_horizon() -> SealRun | None:
    """Seal what the horizon allows; None while a transaction of its time still runs."""
    _execute("SELECT pg_advisory_xact_lock(%s)", [_SEAL_LOCK])
    horizon = SealHorizon.objects.filter(pk=1).first()
    if horizon is None:
        return SealRun(0, 0)
    if not _matured(horizon):
        return None
    run = _seal_up_to(horizon.entry_id)
    _move_checkpoints(horizon.line_id)
    return run


def range_digest(*, first: int, last: int, previous: bytes) -> tuple[int, bytes]:
    """(number of entries, SHA-256) over entries `first`..`last`, chained to `previous`. Computed by PostgreSQL."""
    count, _, _, digest = _row(_DIGEST, {"first": first, "last": last, "previous": previous})
    return count, bytes(digest)


@transaction.atomic(durable=True)
def _place_horizon() -> None:
    # The numbers first, our own transaction id second: whoever holds a number up to these has a lower id than ours.
    # Hence a transaction of its own: the one that seals has its id long before this, and a sale that began in between
    # would count as ended while it still runs.
    _execute("SELECT pg_advisory_xact_lock(%s)", [_SEAL_LOCK])
    entry_id, line_id = _row(
        "SELECT (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM ledger_entry_number),"
        "       (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM ledger_line_number)"
    )
    _execute(
        "INSERT INTO wallets_sealhorizon (id, entry_id, line_id, transaction_id, placed_at)"
        " VALUES (1, %s, %s, pg_current_xact_id()::text::bigint, statement_timestamp())"
        " ON CONFLICT (id) DO UPDATE SET (entry_id, line_id, transaction_id, placed_at)"
        " = (EXCLUDED.entry_id, EXCLUDED.line_id, EXCLUDED.transaction_id, EXCLUDED.placed_at)",
        [entry_id, line_id],
    )


def _matured(horizon: SealHorizon) -> bool:
    # An id beyond our own can only come from another cluster: the database was restored from a dump, and nothing that
    # ran when the dump was taken can still commit here.
    return bool(
        _row(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= %(id)s"
            "    OR pg_current_xact_id()::text::bigint < %(id)s",
            {"id": horizon.transaction_id},
        )[0]
    )


def _seal_up_to(horizon_entry_id: int) -> SealRun:
    last_seal = Seal.objects.order_by("-id").first()
    previous = bytes(last_seal.digest) if last_seal else FIRST_PREVIOUS_DIGEST
    sealed_to = last_seal.last_entry_id if last_seal else 0
    seals = entries = 0
    while True:
        last = _row(_LAST_OF_RANGE, [sealed_to, horizon_entry_id, ENTRIES_PER_SEAL])[0]
        if last is None:
            return SealRun(seals, entries)
        count, digest = range_digest(first=sealed_to + 1, last=last, previous=previous)
        Seal.objects.create(
            first_entry_id=sealed_to + 1,
            last_entry_id=last,
            entry_count=count,
            previous_digest=previous,
            digest=digest,
        )
        previous, sealed_to = digest, last
        seals, entries = seals + 1, entries + count


def _move_checkpoints(line_id: int) -> None:
    _execute(
        """
        INSERT INTO wallets_accountcheckpoint (account_id, last_line_id, balance_minor)
        SELECT a.id, %(line)s, coalesce(c.balance_minor, 0) + coalesce(tail.amount_minor, 0)
          FROM wallets_ledgeraccount a
          LEFT JOIN wallets_accountcheckpoint c ON c.account_id = a.id
          CROSS JOIN LATERAL (
              SELECT sum(l.amount_minor) AS amount_minor FROM wallets_journalline l
               WHERE l.account_id = a.id AND l.id > coalesce(c.last_line_id, 0) AND l.id <= %(line)s
          ) AS tail
         WHERE a.owner_id IS NULL
        ON CONFLICT (account_id) DO UPDATE
           SET last_line_id = EXCLUDED.last_line_id, balance_minor = EXCLUDED.balance_minor
        """,
        {"line": line_id},
    )


def _execute(sql: str, parameters: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _row(sql: str, parameters: Any = None) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    assert row is not None
    return tuple(row)
