"""Leases: how the inbox and the outbound mail hand a row to one worker, also when workers die.

A worker takes a row for a while, works outside of any transaction, then stamps the result - only if the lease is
still its own. A worker that dies leaves a lease that runs out, and the sweep enqueues the row again. The attempt is
counted when the row is taken, not when it fails: a row that kills its worker uses its attempts up too.
"""

from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import F, Model, Q

from learning247.kit.clock import now
from learning247.records.models import InboundEvent, OutboundMail

# With the columns status, attempts, due_at and lease_until.
Leased = TypeVar("Leased", bound=Model)

PENDING = "pending"
# How long a freshly enqueued row is left to its job before the sweep enqueues it once more.
ENQUEUED_GRACE = timedelta(seconds=30)
SWEPT_GRACE = timedelta(minutes=2)
LONGEST_DELAY = timedelta(hours=1)


def lease_take(model: type[Leased], pk: UUID | str, *, duration: timedelta, attempt: int | None) -> Leased | None:
    """Take the row if it is pending and free; None when it is not, or when another job did this attempt already.

    `attempt` is how many attempts the row had when the job was enqueued: of two jobs for the same attempt the second
    does nothing, so retries keep their spacing. None takes the row whatever its count. Own transaction.
    """
    moment = now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=moment)
    mine = Q() if attempt is None else Q(attempts=attempt)
    with transaction.atomic(durable=True):
        taken = model._default_manager.filter(free, mine, pk=pk, status=PENDING).update(
            lease_until=moment + duration, attempts=F("attempts") + 1
        )
        return model._default_manager.get(pk=pk) if taken else None


def lease_stamp(row: InboundEvent | OutboundMail, **result: Any) -> bool:
    """Write `result` and give the lease back; False, with nothing written, when the lease is no longer ours."""
    with transaction.atomic(durable=True):
        return bool(
            type(row)
            .objects.filter(pk=row.pk, status=PENDING, lease_until=row.lease_until, attempts=row.attempts)
            .update(lease_until=None, **result)
        )


def lease_sweep(model: type[Leased], *, limit: int) -> list[tuple[UUID, int]]:
    """(id, attempts) of up to `limit` rows that are due and free, oldest first; each is swept once per grace period.

    Two sweeps at once get different rows. Own transaction.
    """
    moment = now()
    with transaction.atomic(durable=True):
        due = list(
            model._default_manager.select_for_update(skip_locked=True, no_key=True)
            .filter(Q(lease_until__isnull=True) | Q(lease_until__lt=moment), status=PENDING, due_at__lte=moment)
            .order_by("due_at")
            .values_list("pk", "attempts")[:limit]
        )
        model._default_manager.filter(pk__in=[pk for pk, _ in due]).update(due_at=moment + SWEPT_GRACE)
    return due


def retry_delay(attempts: int, *, first: timedelta) -> timedelta:
    """How long to wait after the `attempts`-th attempt failed: first, 2 x first, 4 x first … at most an hour."""
    doubled: timedelta = first * 2 ** min(max(attempts - 1, 0), 30)
    return min(doubled, LONGEST_DELAY)
