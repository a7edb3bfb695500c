"""Our books against what a gateway says: every line of either side is in exactly one class.

A line of theirs and one of ours belong together by kind and key: Paystack's payments by our reference, Stripe's by the
payment intent, refunds by the gateway's id. A pair belongs to the period of their line; where only we have it, of ours.
Lines of theirs from around the period serve as partners and are in no class.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from payments.enums import GatewayName, LineClass, RefundStatus
from payments.gateways.port import GatewayLine

# How far apart the gateway's time and that of our entry may be: a webhook comes late, `verify` or the sweep follow.
TOLERANCE: Final = timedelta(days=1)
BATCH: Final = 2_000

_TABLE: Final = """
CREATE TEMPORARY TABLE reconciliation_line (
    position bigint, kind text, key text, amount_minor bigint, fee_minor bigint, currency text, at timestamptz
) ON COMMIT DROP
"""
_COMPARE: Final = """
WITH theirs AS (
    SELECT *, row_number() OVER (PARTITION BY kind, key ORDER BY position) AS nth FROM reconciliation_line
), booked AS (
    SELECT 'payment' AS kind, CASE p.gateway WHEN 'paystack' THEN p.reference ELSE p.gateway_payment_id END AS key,
           p.reference, p.captured_minor AS amount_minor,
           CASE WHEN p.gateway_fee_currency = p.captured_currency THEN p.gateway_fee_minor END AS fee_minor,
           p.captured_currency AS currency, e.posted_at AS at
      FROM payments_payment p
      JOIN wallets_journalentry e ON e.id = coalesce(p.unsettled_entry_id, p.sale_entry_id)
     WHERE p.gateway = %(gateway)s
     UNION ALL
    SELECT 'refund', coalesce(nullif(r.gateway_refund_id, ''), r.reference), r.reference, r.amount_minor, 0,
           r.currency, e.posted_at
      FROM payments_refund r
      JOIN payments_payment p ON p.id = r.payment_id
      JOIN wallets_journalentry e ON e.id = r.entry_id
     WHERE p.gateway = %(gateway)s AND r.status <> %(failed)s
), ours AS (
    SELECT booked.*, 1::bigint AS nth FROM booked
     WHERE (at >= %(since)s AND at < %(until)s) OR (kind, key) IN (SELECT kind, key FROM reconciliation_line)
)
SELECT CASE WHEN ours.key IS NULL THEN 'theirs_only'
            WHEN theirs.key IS NULL THEN 'ours_only'
            WHEN ours.currency <> theirs.currency THEN 'currency'
            WHEN ours.amount_minor <> theirs.amount_minor THEN 'amount'
            WHEN ours.fee_minor IS DISTINCT FROM theirs.fee_minor THEN 'fee'
            WHEN abs(extract(epoch FROM ours.at - theirs.at)) > %(tolerance)s THEN 'timing'
            ELSE 'matched' END,
       kind, key, coalesce(ours.reference, ''), coalesce(ours.currency, ''), ours.amount_minor, ours.fee_minor, ours.at,
       coalesce(theirs.currency, ''), theirs.amount_minor, theirs.fee_minor, theirs.at
  FROM ours FULL JOIN theirs USING (kind, key, nth)
 WHERE CASE WHEN theirs.key IS NULL THEN ours.at >= %(since)s AND ours.at < %(until)s
            ELSE theirs.at >= %(since)s AND theirs.at < %(until)s END
 ORDER BY kind COLLATE "C", key COLLATE "C", nth
"""


@dataclass(frozen=True, slots=True)
class ReconciledLine:
    """One line of either side, or a pair, with its class. Minor units; None and "" where that side has no such line.

    Our fee is None too where the gateway has not named it, or in another currency than what it captured.
    """

    line_class: LineClass
    kind: str
    key: str
    reference: str
    our_currency: str
    our_amount_minor: int | None
    our_fee_minor: int | None
    our_time: datetime | None
    their_currency: str
    their_amount_minor: int | None
    their_fee_minor: int | None
    their_time: datetime | None


def reconcile(
    *, gateway: GatewayName, since: datetime, until: datetime, lines: Iterable[GatewayLine]
) -> Iterator[ReconciledLine]:
    """Classes of all lines in [since, until), by kind and key: the same for the same data, however `lines` come.

    Where several apply, the first of currency, amount, fee, timing. Of their lines with one key the first may have a
    partner, the others are theirs only. Neither side is held in memory: theirs are written to disk before a transaction
    begins, since they may come over the network, and compared in PostgreSQL at one moment.
    """
    with tempfile.TemporaryFile() as spool:
        for position, line in enumerate(lines):
            fields = (position, line.kind.value, line.key, line.amount_minor, line.fee_minor, line.currency, line.at)
            spool.write("\t".join(_copied(field) for field in fields).encode() + b"\n")
        spool.seek(0)
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute(_TABLE)
                with cursor.copy("COPY reconciliation_line FROM STDIN") as copy:
                    while block := spool.read(1 << 16):
                        copy.write(block)
                cursor.execute("ANALYZE reconciliation_line")
            with closing(connection.chunked_cursor()) as found:
                found.execute(
                    _COMPARE,
                    {
                        "gateway": gateway.value,
                        "failed": RefundStatus.FAILED.value,
                        "since": since,
                        "until": until,
                        "tolerance": TOLERANCE.total_seconds(),
                    },
                )
                while rows := found.fetchmany(BATCH):
                    for line_class, *rest in rows:
                        yield ReconciledLine(LineClass(line_class), *rest)


def _copied(field: object) -> str:
    """As COPY's text format has it (postgresql.org/docs/current/sql-copy.html)."""
    text = field.isoformat() if isinstance(field, datetime) else str(field)
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r").replace("\0", "")
