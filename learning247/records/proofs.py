"""What records itself proves: I10, no inbound event is forgotten."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest

from learning247.kit.clock import now
from learning247.records.checks import Breach, Scope
from learning247.records.enums import EventStatus
from learning247.records.models import InboundEvent
from learning247.records.services.inbox import LEASE
from learning247.records.services.leases import LONGEST_DELAY

# The sweep runs every 15 seconds; whatever is due for longer than this, nobody sweeps.
OVERDUE = timedelta(minutes=15)


def every_event_is_accounted_for(scope: Scope) -> Iterator[Breach]:
    """I10: an inbound event is done (with a time), due again in reasonable time, or parked with a reason.

    A row that has just come, waits for its next attempt, or is in a worker's hands is fine. A pending row is a breach
    when neither a sweep nor a worker has touched it for a quarter of an hour after it was due and free, or when its
    next attempt or its lease lies further ahead than either is ever set.
    """
    moment = now()
    free_since = Greatest(F("due_at"), Coalesce(F("lease_until"), F("due_at")))
    accounted = (
        Q(status=EventStatus.DONE, done_at__isnull=False)
        | (Q(status=EventStatus.PARKED) & ~Q(reason=""))
        | Q(
            status=EventStatus.PENDING,
            free_since__gte=moment - OVERDUE,
            due_at__lte=moment + LONGEST_DELAY + OVERDUE,
            free_since__lte=moment + max(LONGEST_DELAY, LEASE) + OVERDUE,
        )
    )
    for part in scope.ranges(InboundEvent.objects.all()):
        in_part = InboundEvent.objects.filter(pk__gte=part.first, pk__lte=part.last)
        for event in in_part.annotate(free_since=free_since).exclude(accounted).defer("body", "headers"):
            yield Breach(
                f"{event.source} event {event.id} ({event.event_type}, {event.external_id}):"
                f" {event.status}, attempt {event.attempts}, due since {event.due_at:%Y-%m-%d %H:%M:%S} UTC"
            )
