"""Our books against what a gateway says: every line of either side is in exactly one class.

A line of theirs and one of ours belong together by kind and key: Paystack's payments and transfers by our reference,
Stripe's by the payment intent and the transfer, refunds, disputes and payouts by the gateway's id. A pair belongs to
the period of their line; where only we have it, of ours. Lines of theirs from around the period serve as partners and
are in no class. What an approved adjustment has repaired is ours as well.

A transfer that was sent and of which nobody knows yet what became is ours too, by when it was sent: in the class of
time, whether or not they have it, unless they have another amount.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from payments.enums import GatewayName, LineClass, RefundStatus
from payments.gateways.port import GatewayLine, GatewayLineKind
from wallets.enums import EntryKind, WithdrawalStatus

# How far apart the gateway's time and that of our entry may be: a webhook comes late, `verify` or the sweep follow.
TOLERANCE: Final = timedelta(days=1)
BATCH: Final = 2_000
INWARD: Final = (
    GatewayLineKind.PAYMENT,
    GatewayLineKind.DISPUTE_REVERSAL,
    GatewayLineKind.PAYOUT_RETURN,
    GatewayLineKind.TRANSFER_RETURN,
)

_TABLE: Final = """
CREATE TEMPORARY TABLE reconciliation_line (
    position bigint, kind text, key text, amount_minor bigint, fee_minor bigint, currency text, at timestamptz,
    reference text
) ON COMMIT DROP
"""
_COMPARE: Final = """
WITH repaired AS (
    SELECT p.source_key, min(p.reference) AS reference, min(p.currency) AS currency, min(e.posted_at) AS at,
           sum(l.amount_minor) FILTER (WHERE l.kind = 'gateway-' || %(gateway)s)::bigint AS gateway_minor,
           coalesce(-sum(l.amount_minor) FILTER (WHERE l.kind = 'gateway_costs'), 0)::bigint AS cost_minor
      FROM wallets_adjustmentproposal p
      JOIN wallets_adjustmentline l ON l.proposal_id = p.id
      JOIN wallets_journalentry e ON e.id = p.entry_id
     WHERE p.source_key LIKE %(gateway)s || ':%%'
     GROUP BY p.source_key
), theirs AS (
    SELECT *, row_number() OVER (PARTITION BY kind, key ORDER BY position) AS nth FROM reconciliation_line
), named AS (
    -- Of a transfer whose answer never came we know our reference alone, which Stripe names beside its own id.
    SELECT reference, min(key) AS key FROM theirs WHERE kind = 'transfer' AND reference <> '' GROUP BY reference
), returned AS (
    SELECT key FROM theirs WHERE kind IN ('transfer', 'transfer_return') GROUP BY key
    HAVING count(DISTINCT kind) = 2
       AND 0 = sum(CASE kind WHEN 'transfer' THEN amount_minor ELSE -amount_minor END)
), recorded AS (
    SELECT 'payment' AS kind, CASE p.gateway WHEN 'paystack' THEN p.reference ELSE p.gateway_payment_id END AS key,
           p.reference, p.captured_minor AS amount_minor,
           CASE WHEN p.gateway_fee_currency = p.captured_currency THEN p.gateway_fee_minor END AS fee_minor,
           p.captured_currency AS currency, e.posted_at AS at, false AS pending
      FROM payments_payment p
      JOIN wallets_journalentry e ON e.id = coalesce(p.unsettled_entry_id, p.sale_entry_id)
     WHERE p.gateway = %(gateway)s
     UNION ALL
    SELECT 'refund', coalesce(nullif(r.gateway_refund_id, ''), r.reference), r.reference, r.amount_minor, 0,
           r.currency, e.posted_at, false
      FROM payments_refund r
      JOIN payments_payment p ON p.id = r.payment_id
      JOIN wallets_journalentry e ON e.id = r.entry_id
     WHERE p.gateway = %(gateway)s AND r.status <> %(failed)s
     UNION ALL
    SELECT moved.kind, d.gateway_dispute_id, p.reference, moved.amount_minor, moved.fee_minor, d.currency, moved.at,
           false
      FROM payments_dispute d
      JOIN payments_payment p ON p.id = d.payment_id AND p.gateway = %(gateway)s
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(greatest(l.amount_minor, 0)) FILTER (WHERE e.kind = 'dispute_funds'), 0) AS out,
                  coalesce(sum(greatest(-l.amount_minor, 0)) FILTER (WHERE e.kind = 'dispute_funds'), 0) AS back,
                  coalesce(sum(l.amount_minor) FILTER (WHERE e.kind = 'dispute_fee'), 0) AS fee,
                  min(e.posted_at) AS first, max(e.posted_at) AS last
             FROM wallets_journalentry e
             JOIN wallets_journalline l ON l.entry_id = e.id
             JOIN wallets_ledgeraccount a ON a.id = l.account_id AND a.kind = 'gateway-' || %(gateway)s
            WHERE e.source_kind = 'dispute' AND e.source_id = d.id::text AND e.kind IN ('dispute_funds', 'dispute_fee')
     ) AS booked
     CROSS JOIN LATERAL (
           SELECT 'dispute', booked.out::bigint, booked.fee::bigint, booked.first WHERE booked.out > 0
           UNION ALL
           SELECT 'dispute_reversal', booked.back::bigint, 0, booked.last WHERE booked.back > 0
           UNION ALL
           -- Of one that was over before we heard of it nothing but its fee was booked: it came and went.
           SELECT t.kind, t.amount_minor, CASE t.kind WHEN 'dispute' THEN booked.fee ELSE 0 END::bigint, t.at
             FROM theirs t
            WHERE booked.out = 0 AND t.key = d.gateway_dispute_id AND t.kind IN ('dispute', 'dispute_reversal')
              AND t.nth = 1 AND 0 = (
                  SELECT sum(CASE c.kind WHEN 'dispute' THEN c.amount_minor ELSE -c.amount_minor END) FROM theirs c
                   WHERE c.key = t.key AND c.kind IN ('dispute', 'dispute_reversal'))
     ) AS moved (kind, amount_minor, fee_minor, at)
     UNION ALL
    -- By the gateway's own time: between "made" and "paid", when it is booked, lie days.
    SELECT moved.kind, o.gateway_payout_id, o.gateway_payout_id, o.amount_minor, 0, o.currency, moved.at, false
      FROM payments_payout o
     CROSS JOIN LATERAL (VALUES ('payout', o.initiated_at), ('payout_return', o.closed_at)) AS moved (kind, at)
     WHERE o.gateway = %(gateway)s AND o.amount_minor <> 0 AND moved.at IS NOT NULL
     UNION ALL
    SELECT moved.kind, CASE WHEN w.method = 'paystack' THEN w.reference
                            ELSE coalesce(nullif(w.gateway_transfer_id, ''), n.key, w.reference) END,
           w.reference, moved.amount_minor, moved.fee_minor, w.currency, moved.at, w.status = %(processing)s
      FROM wallets_withdrawal w
      LEFT JOIN named n ON n.reference = w.reference
     CROSS JOIN LATERAL (
           SELECT coalesce(sum(l.amount_minor) FILTER (WHERE e.kind = %(paid)s), 0)::bigint AS out,
                  coalesce(sum(l.amount_minor) FILTER (WHERE e.kind = %(fee)s), 0)::bigint AS fee,
                  coalesce(-sum(l.amount_minor) FILTER (WHERE e.kind = %(reversed)s), 0)::bigint AS back,
                  coalesce(sum(l.amount_minor) FILTER (WHERE e.kind = %(fee_returned)s), 0)::bigint AS fee_back,
                  min(e.posted_at) FILTER (WHERE e.kind = %(paid)s) AS paid_at,
                  min(e.posted_at) FILTER (WHERE e.kind = %(reversed)s) AS back_at
             FROM wallets_journalentry e
             JOIN wallets_journalline l ON l.entry_id = e.id
             JOIN wallets_ledgeraccount a ON a.id = l.account_id AND a.kind = 'gateway-' || %(gateway)s
            WHERE e.source_kind = 'withdrawal' AND e.source_id = w.id::text
     ) AS booked
     CROSS JOIN LATERAL (
           SELECT 'transfer', booked.out, booked.fee, booked.paid_at WHERE booked.paid_at IS NOT NULL
           UNION ALL
           SELECT 'transfer_return', booked.back, booked.fee_back, booked.back_at WHERE booked.back_at IS NOT NULL
           UNION ALL
           SELECT 'transfer', w.amount_minor - w.fee_minor, NULL, w.sent_at
            WHERE w.status = %(processing)s AND w.sent_at IS NOT NULL
     ) AS moved (kind, amount_minor, fee_minor, at)
     WHERE w.method = %(gateway)s AND w.hold_entry_id IS NOT NULL
     UNION ALL
    -- Of one that came back before we heard that it was paid nothing was booked: it came and went.
    SELECT t.kind, t.key, w.reference, t.amount_minor, t.fee_minor, t.currency, t.at, w.status = %(processing)s
      FROM returned
      JOIN theirs t ON t.key = returned.key AND t.kind IN ('transfer', 'transfer_return') AND t.nth = 1
      LEFT JOIN named n ON n.key = returned.key
      JOIN wallets_withdrawal w ON w.method = %(gateway)s AND w.paid_entry_id IS NULL
           AND w.reference = coalesce(n.reference, returned.key)
     WHERE w.status = %(failed_withdrawal)s OR (w.status = %(processing)s AND t.kind = 'transfer_return')
), mended AS (
    SELECT r.kind, r.key, r.reference,
           (r.amount_minor + coalesce(CASE WHEN r.kind = ANY(%(inward)s) THEN -a.gateway_minor ELSE a.gateway_minor END,
                                      0))::bigint AS amount_minor,
           (r.fee_minor + coalesce(f.gateway_minor, 0))::bigint AS fee_minor, r.currency, r.at, r.pending
      FROM recorded r
      LEFT JOIN repaired a ON a.source_key = %(gateway)s || ':' || r.kind || ':' || r.key || ':amount'
      LEFT JOIN repaired f ON f.source_key = %(gateway)s || ':' || r.kind || ':' || r.key || ':fee'
      LEFT JOIN repaired o ON o.source_key = %(gateway)s || ':' || r.kind || ':' || r.key || ':ours_only'
     WHERE o.source_key IS NULL
     UNION ALL
    SELECT t.kind, t.key, r.reference,
           CASE WHEN t.kind = ANY(%(inward)s) THEN r.cost_minor - r.gateway_minor
                ELSE r.gateway_minor - r.cost_minor END,
           r.cost_minor, r.currency, t.at, false
      FROM repaired r
      JOIN theirs t ON t.nth = 1 AND r.source_key = %(gateway)s || ':' || t.kind || ':' || t.key || ':theirs_only'
), booked AS (
    SELECT mended.*, row_number() OVER (PARTITION BY kind, key ORDER BY at) AS nth FROM mended
), ours AS (
    SELECT booked.* FROM booked
     WHERE (at >= %(since)s AND at < %(until)s) OR (kind, key) IN (SELECT kind, key FROM reconciliation_line)
)
SELECT CASE WHEN ours.key IS NULL THEN 'theirs_only'
            WHEN theirs.key IS NULL THEN CASE WHEN ours.pending THEN 'timing' ELSE 'ours_only' END
            WHEN ours.currency <> theirs.currency THEN 'currency'
            WHEN ours.amount_minor <> theirs.amount_minor THEN 'amount'
            WHEN ours.pending THEN 'timing'
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
            fields = (
                position, line.kind.value, line.key, line.amount_minor, line.fee_minor, line.currency, line.at,
                line.reference,
            )  # fmt: skip
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
                        "processing": WithdrawalStatus.PROCESSING.value,
                        "failed_withdrawal": WithdrawalStatus.FAILED.value,
                        "paid": EntryKind.WITHDRAWAL_PAID.value,
                        "fee": EntryKind.TRANSFER_FEE.value,
                        "reversed": EntryKind.WITHDRAWAL_REVERSED.value,
                        "fee_returned": EntryKind.TRANSFER_FEE_RETURNED.value,
                        "inward": [kind.value for kind in INWARD],
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
