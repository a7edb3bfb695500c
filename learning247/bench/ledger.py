"""Postings per second through the service, against hand-written SQL on the same guarded tables.

The yardsticks are what a careful engineer would write by hand over plain psycopg: BEGIN, five statements (find the
accounts, insert the entry, insert each of three lines), COMMIT; and everything in one statement that commits itself.
The service finds out besides whether the key is new and the accounts are there, and posts in a transaction that others
share. Several processes post at the same time; the ways take turns over several rounds, and the median of the rounds'
ratios is what counts.
"""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import connection, transaction

from accounts.models import User
from learning247.kit.ids import new_id
from wallets.enums import AccountKind, EntryKind
from wallets.services.accounts import accounts_open, person_account, platform_account
from wallets.services.journal import Posting, entry_post

GROSS, FEE = 2_500_000, 500_000
SPREADS = (1, 1_000)

Post = Callable[[UUID], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clients", type=int, default=8, help="processes that post at once")
    parser.add_argument("--seconds", type=float, default=2.0, help="per way and round")
    parser.add_argument("--rounds", type=int, default=5)


def run(arguments: argparse.Namespace) -> None:
    creators = creators_with_accounts(max(SPREADS))
    for spread in SPREADS:
        rates: dict[str, list[float]] = {name: [] for name in WAYS}
        for _ in range(arguments.rounds):
            for name in WAYS:
                rates[name].append(_rate(name, creators[:spread], arguments.clients, arguments.seconds))
        _report(spread, rates)


def creators_with_accounts(number: int) -> list[UUID]:
    """Ids of new people with an open naira account each; the platform's accounts are opened too."""
    people = [User(email=f"{new_id().hex}@bench.example", first_name="Bench", last_name=str(n)) for n in range(number)]
    User.objects.bulk_create(people)
    with transaction.atomic():
        kinds = (AccountKind.GATEWAY_PAYSTACK, AccountKind.FEES, AccountKind.UNSETTLED)
        accounts_open(
            refs=[*map(platform_account, kinds), *(person_account(person.pk) for person in people)], currency="NGN"
        )
    return [person.pk for person in people]


def post_by_service(creator: UUID) -> None:
    sale = new_id().hex
    with transaction.atomic():
        entry_post(
            key=f"bench:{sale}",
            kind=EntryKind.SALE,
            currency="NGN",
            postings=[
                Posting(platform_account(AccountKind.GATEWAY_PAYSTACK), -GROSS),
                Posting(person_account(creator), GROSS - FEE),
                Posting(platform_account(AccountKind.FEES), FEE),
            ],
            source_kind="bench",
            source_id=sale,
            reference=sale,
            description="A sale",
        )


def post_by_hand(creator: UUID) -> None:
    """On psycopg itself, without Django."""
    sale = new_id().hex
    session = connection.connection
    codes = ["platform:gateway-paystack:NGN", f"{creator}:available:NGN", "platform:fees:NGN"]
    session.execute("BEGIN")
    found = dict(session.execute("SELECT code, id FROM wallets_ledgeraccount WHERE code = ANY(%s)", [codes]).fetchall())
    (entry,) = session.execute(
        "INSERT INTO wallets_journalentry (uuid, key, kind, currency, source_kind, source_id, reference, description)"
        " VALUES (%s, %s, 'sale', 'NGN', 'bench', %s, %s, 'A sale') RETURNING id",
        [new_id(), f"bench:{sale}", sale, sale],
    ).fetchone()
    for code, amount in zip(codes, (-GROSS, GROSS - FEE, FEE), strict=True):
        session.execute(
            "INSERT INTO wallets_journalline (entry_id, account_id, amount_minor, currency) VALUES (%s, %s, %s, 'NGN')",
            [entry, found[code], amount],
        )
    session.execute("COMMIT")


_ONE_STATEMENT = """
WITH entry AS (
    INSERT INTO wallets_journalentry (uuid, key, kind, currency, source_kind, source_id, reference, description)
    VALUES (%s, %s, 'sale', 'NGN', 'bench', %s, %s, 'A sale') RETURNING id
)
INSERT INTO wallets_journalline (entry_id, account_id, amount_minor, currency)
SELECT entry.id, account.id, wanted.amount_minor, 'NGN'
  FROM entry, unnest(%s::text[], %s::bigint[]) AS wanted (code, amount_minor)
  JOIN wallets_ledgeraccount account ON account.code = wanted.code
 ORDER BY account.id
"""


def post_in_one_statement(creator: UUID) -> None:
    """On psycopg itself, without Django and without a transaction around it."""
    sale = new_id().hex
    codes = ["platform:gateway-paystack:NGN", f"{creator}:available:NGN", "platform:fees:NGN"]
    amounts = [-GROSS, GROSS - FEE, FEE]
    connection.connection.execute(_ONE_STATEMENT, [new_id(), f"bench:{sale}", sale, sale, codes, amounts])


WAYS: dict[str, Post] = {
    "by hand, five statements": post_by_hand,
    "by hand, one statement": post_in_one_statement,
    "service": post_by_service,
}
YARDSTICKS = ("by hand, five statements", "by hand, one statement")


def _rate(name: str, creators: Sequence[UUID], clients: int, seconds: float) -> float:
    """Postings per second of all clients together."""
    connection.close()  # a forked child must not share its parent's connection
    context = multiprocessing.get_context("fork")
    counts: multiprocessing.Queue[int] = context.Queue()
    start = context.Barrier(clients)
    children = [
        context.Process(target=_client, args=(WAYS[name], creators, number, seconds, start, counts))
        for number in range(clients)
    ]
    for child in children:
        child.start()
    total = sum(counts.get() for _ in children)
    for child in children:
        child.join()
    return total / seconds


def _client(
    post: Post,
    creators: Sequence[UUID],
    number: int,
    seconds: float,
    start: "multiprocessing.synchronize.Barrier",
    counts: "multiprocessing.Queue[int]",
) -> None:
    connection.ensure_connection()
    posted = 0
    start.wait()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        post(creators[(number * 7_919 + posted * 31) % len(creators)])
        posted += 1
    counts.put(posted)
    connection.close()


def _report(spread: int, rates: dict[str, list[float]]) -> None:
    print(f"\n{spread} creator{'s' if spread > 1 else ''}, {len(os.sched_getaffinity(0))} cores")  # noqa: T201
    for name, figures in rates.items():
        ratios = ", ".join(f"{_ratio(figures, rates[yardstick])} of {yardstick}" for yardstick in YARDSTICKS)
        print(f"  {name:26} {statistics.median(figures):7.0f} postings/s   {ratios}")  # noqa: T201


def _ratio(figures: list[float], yardstick: list[float]) -> str:
    ratios = [mine / theirs for mine, theirs in zip(figures, yardstick, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
