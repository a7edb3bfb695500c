"""How long `prove` takes, and how much memory, over a journal of a given size."""

import argparse
import resource
import time

from django.db import connection, transaction

from learning247.bench.ledger import creators_with_accounts
from learning247.records.services.prove import checks_run
from wallets.services.seals import ledger_seal

LINES_PER_SALE = 3

# Made in bulk; the triggers check and number every line as they always do. Between `unsettled` and `fees`, because no
# payments stand behind these sales and the gateways' accounts would not reconcile.
_SALES = """
WITH creator AS MATERIALIZED (
    SELECT array_agg(id ORDER BY id) AS ids FROM wallets_ledgeraccount WHERE owner_id IS NOT NULL
), platform AS MATERIALIZED (
    SELECT (SELECT id FROM wallets_ledgeraccount WHERE code = 'platform:unsettled:NGN') AS unsettled,
           (SELECT id FROM wallets_ledgeraccount WHERE code = 'platform:fees:NGN') AS fees
), entry AS (
    INSERT INTO wallets_journalentry (uuid, key, kind, currency, source_kind, source_id, reference, description)
    SELECT uuidv7(), 'bench:' || n, 'sale', 'NGN', 'bench', n::text, n::text, 'A sale'
      FROM generate_series(%(first)s, %(last)s) AS n
    RETURNING id
)
INSERT INTO wallets_journalline (entry_id, account_id, amount_minor, currency)
SELECT entry.id, line.account_id, line.amount_minor, 'NGN'
  FROM entry CROSS JOIN creator CROSS JOIN platform CROSS JOIN LATERAL (VALUES
    (platform.unsettled, -2500000),
    (creator.ids[1 + entry.id %% cardinality(creator.ids)], 2000000),
    (platform.fees, 500000)
  ) AS line (account_id, amount_minor)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lines", type=int, default=1_000_000)


def run(arguments: argparse.Namespace) -> None:
    creators_with_accounts(1_000)
    sales = -(-arguments.lines // LINES_PER_SALE)
    for first in range(1, sales + 1, 10_000):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_SALES, {"first": first, "last": min(first + 9_999, sales)})
    ledger_seal()
    sealed = ledger_seal()
    print(f"{sales * LINES_PER_SALE} lines, {sealed.seals} seals")  # noqa: T201
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for result in checks_run():
        state = "holds" if result.holds else f"BROKEN: {result.named or result.failure}"
        print(f"  {result.code:4} {result.title:40} {result.examined:>9} {result.seconds:7.2f} s  {state}")  # noqa: T201
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"prove: {time.perf_counter() - start:.1f} s, peak {peak // 1024} MB ({before // 1024} MB before)")  # noqa: T201
