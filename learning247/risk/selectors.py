"""What the checker reads before it decides, and what people look up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Q, QuerySet

from learning247.risk.enums import By, Counting, Outcome, Purpose
from learning247.risk.locks import COUNTERS_LOCK
from learning247.risk.models import Decision, RuleVersion
from learning247.risk.rules import LINKED_FOR, LINKS, Count, Linked
from learning247.risk.sightings import Sighting

BATCH_ROWS: Final = 2_000
# One statement: it is asked at every sale. The lock is shared by all who count and lets them wait for nothing but the
# moment in which rebuilt counters take over (counters.py).
_CONTEXT: Final = """
WITH context AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared(%(lock)s) IS NULL AS held,
           (SELECT generation FROM risk_counterstate WHERE NOT stale) AS generation,
           (SELECT id FROM risk_decision WHERE purpose = %(purpose)s AND subject_kind = %(kind)s
               AND subject_id = %(subject)s) AS decided,
           (SELECT outcome FROM risk_decision WHERE purpose = 'checkout' AND subject_kind = %(kind)s
               AND subject_id = %(subject)s) AS earlier,
           (SELECT ARRAY[coalesce(bool_or(card <> '' AND card = %(card)s), false),
                         coalesce(bool_or(bank <> '' AND bank = %(bank)s), false),
                         coalesce(bool_or(device <> '' AND device = %(device)s), false)]
              FROM risk_decision WHERE person_id = %(counterparty)s AND created_at > %(linked_since)s) AS shared
)
SELECT c.generation, c.decided, c.earlier, c.shared,
       v.id, v.rule, v.number, v.purpose, v.kind, v.parameters, v.outcome, v.status
  FROM context c
  LEFT JOIN risk_ruleversion v ON v.purpose = %(purpose)s AND v.status IN ('live', 'shadow')
 ORDER BY v.rule, v.number
"""

# From what the creator used lately to the people who used the same, then to what those paid to the creator.
_ROUND_TRIP: Final = """
WITH mine AS (
    SELECT DISTINCT {by} AS used FROM risk_decision
     WHERE person_id = %(person)s AND created_at > %(since)s AND created_at <= %(moment)s AND {by} <> ''
     UNION SELECT %(given)s WHERE %(given)s <> ''
), linked AS (
    SELECT DISTINCT d.person_id FROM risk_decision d JOIN mine ON d.{by} = mine.used
     WHERE d.created_at > %(since)s AND d.created_at <= %(moment)s AND d.{by} <> '' AND d.person_id <> %(person)s
)
SELECT count(DISTINCT d.person_id), coalesce(sum((d.inputs->>'amount_minor')::bigint), 0)
  FROM risk_decision d JOIN linked ON linked.person_id = d.person_id
 WHERE d.counterparty_id = %(person)s AND d.purpose = 'settlement' AND d.inputs->>'currency' = %(currency)s
   AND d.created_at > %(since)s AND d.created_at <= %(moment)s
"""

_COLUMNS: Final = {By.PERSON: "person_id", By.CARD: "card", By.IP: "ip", By.DEVICE: "device", By.BANK: "bank"}


@dataclass(frozen=True, slots=True)
class Context:
    """`generation` of the counters, None where they are not to be trusted; `decided` where this was decided already."""

    generation: int | None
    decided: UUID | None
    earlier: str
    shared: tuple[str, ...] | None
    versions: tuple[RuleVersion, ...]


def context_read(sighting: Sighting) -> Context:
    """What there is to know before anything is counted, in one statement, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CONTEXT,
            {
                "lock": COUNTERS_LOCK,
                "purpose": sighting.purpose,
                "kind": sighting.subject.kind,
                "subject": sighting.subject.id,
                "card": sighting.digest(By.CARD),
                "bank": sighting.digest(By.BANK),
                "device": sighting.digest(By.DEVICE),
                "counterparty": sighting.counterparty,
                "linked_since": sighting.moment - LINKED_FOR,
            },
        )
        rows = cursor.fetchall()
    generation, decided, earlier, shared = rows[0][:4]
    names = (By.CARD, By.BANK, By.DEVICE)
    return Context(
        generation=generation,
        decided=decided,
        earlier=(earlier or "") if sighting.purpose == Purpose.SETTLEMENT else "",
        shared=None
        if sighting.counterparty is None
        else tuple(name.value for name, there in zip(names, shared, strict=True) if there),
        versions=tuple(_version(*row[4:]) for row in rows if row[4] is not None),
    )


def _version(
    pk: UUID, rule: str, number: int, purpose: str, kind: str, parameters: Any, outcome: str, status: str
) -> RuleVersion:
    return RuleVersion(
        id=pk,
        rule=rule,
        number=number,
        purpose=purpose,
        kind=kind,
        parameters=orjson.loads(parameters) if isinstance(parameters, str | bytes) else parameters,
        outcome=outcome,
        status=status,
    )


def counts_in_database(sighting: Sighting, counts: Sequence[Count]) -> dict[str, int]:
    """The counters from the decisions themselves, up to and with this one. What was never given counts nothing."""
    known = [count for count in counts if sighting.by.get(count.by)]
    if not known:
        return {}
    with connection.cursor() as cursor:
        parts: list[str] = []
        parameters: list[str | datetime] = []
        for number, count in enumerate(known):
            member = "person_id" if count.counting == Counting.PEOPLE else "subject_id"
            own = " UNION SELECT %s::uuid" if count.of == sighting.purpose else ""
            # The columns are names of ours.
            parts.append(
                f"SELECT {number}, count(*) FROM (SELECT {member} FROM risk_decision WHERE purpose = %s"  # noqa: S608
                f" AND {_COLUMNS[By(count.by)]} = %s AND created_at > %s AND created_at <= %s{own}) seen"
            )
            since = sighting.moment - timedelta(seconds=count.seconds)
            parameters += [
                count.of,
                sighting.by[count.by],
                since,
                sighting.until,
                *([sighting.member(count.counting)] if own else []),
            ]
        cursor.execute(" UNION ALL ".join(parts), parameters)
        found = dict(cursor.fetchall())
    return {count.key: found[number] for number, count in enumerate(known)}


def round_trip_of(sighting: Sighting) -> dict[str, Linked]:
    """How much of a creator's sales of this currency was paid by people who used the same card, bank account or device
    as the creator, by each of these."""
    found = {}
    for by in LINKS:
        with connection.cursor() as cursor:
            cursor.execute(
                _ROUND_TRIP.format(by=_COLUMNS[by]),
                {
                    "person": sighting.person,
                    "given": sighting.digest(by),
                    "currency": sighting.currency,
                    "since": sighting.moment - LINKED_FOR,
                    "moment": sighting.moment,
                },
            )
            people, minor = cursor.fetchone() or (0, 0)
        found[by.value] = Linked(people=people, minor=int(minor))
    return found


def decision_list(
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    purpose: str | None = None,
    outcome: str | None = None,
    flagged: bool = False,
) -> QuerySet[Decision]:
    """Decisions in [since, until), oldest first."""
    found = Decision.objects.order_by("created_at", "id")
    if since is not None:
        found = found.filter(created_at__gte=since)
    if until is not None:
        found = found.filter(created_at__lt=until)
    if purpose:
        found = found.filter(purpose=purpose)
    if outcome:
        found = found.filter(outcome=outcome)
    return found.exclude(failure="") if flagged else found


def decision_batches(decisions: QuerySet[Decision]) -> Iterator[list[Decision]]:
    """All of `decisions`, which are in the order of `created_at` and `id`, in batches that are statements of their
    own."""
    batch = list(decisions[:BATCH_ROWS])
    while batch:
        yield batch
        last = batch[-1]
        after = Q(created_at__gt=last.created_at) | Q(created_at=last.created_at, id__gt=last.pk)
        batch = list(decisions.filter(after)[:BATCH_ROWS])


def decision_of(*, purpose: Purpose, subject_kind: str, subject_id: UUID) -> Decision | None:
    """What was decided about it at that point."""
    return Decision.objects.filter(purpose=purpose, subject_kind=subject_kind, subject_id=subject_id).first()


def hardest(outcomes: Sequence[str]) -> Outcome:
    return max((Outcome(outcome) for outcome in outcomes), key=lambda outcome: outcome.hardness, default=Outcome.ALLOW)
