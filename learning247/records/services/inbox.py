"""The webhook inbox: receive once, handle until done, keep what happened."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, transaction

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.jobs import enqueue_on_commit
from learning247.records.enums import EventStatus
from learning247.records.errors import EventNotReady
from learning247.records.locks import event_lock_all
from learning247.records.models import InboundEvent
from learning247.records.reasons import reason_of, required_reason
from learning247.records.registry import event_handler_for
from learning247.records.services.audit import audit_record
from learning247.records.services.leases import (
    ENQUEUED_GRACE,
    lease_stamp,
    lease_sweep,
    lease_take,
    retry_delay,
)

logger = structlog.get_logger(__name__)

# Longer than the slowest handler: a gateway call with its retries and timeouts, and the settlement.
LEASE = timedelta(seconds=120)
FIRST_DELAY = timedelta(seconds=15)
NOBODY = "ignored: no handler"
DIED = "The worker died each time it handled this."

# One statement: the new row, or the one that is there already.
_RECEIVE = """
WITH received AS (
    INSERT INTO records_inboundevent
        (id, source, external_id, event_type, about, headers, body, received_at, status, attempts, due_at, outcome,
         reason)
    VALUES (%(id)s, %(source)s, %(external_id)s, %(event_type)s, '', %(headers)s, %(body)s, %(moment)s, 'pending', 0,
            %(due_at)s, '', '')
    ON CONFLICT (source, external_id) DO NOTHING
    RETURNING id
)
SELECT id, true FROM received
UNION ALL
SELECT id, false FROM records_inboundevent WHERE source = %(source)s AND external_id = %(external_id)s
LIMIT 1
"""


def max_attempts() -> int:
    """How many attempts an event gets before it is parked (INBOX_MAX_ATTEMPTS; twelve take about four hours)."""
    return int(settings.INBOX_MAX_ATTEMPTS)


def event_receive(
    *, source: str, external_id: str, event_type: str, headers: Mapping[str, str], body: bytes
) -> tuple[UUID, bool]:
    """Keep a delivery whose signature was verified: (its id, True), or (the id of the first one, False).

    One insert-or-ignore statement in the caller's transaction, if any; after commit the event is enqueued. `body` is
    the raw bytes that were signed. `headers` must hold no signature. external_id <= 255, event_type <= 100 characters.
    """
    moment = now()
    parameters = {
        "id": new_id(),
        "source": source,
        "external_id": external_id,
        "event_type": event_type,
        "headers": InboundEvent._meta.get_field("headers").get_db_prep_value(dict(headers), connection),
        "body": body,
        "moment": moment,
        "due_at": moment + ENQUEUED_GRACE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECEIVE, parameters)
        row = cursor.fetchone()
    if row is None:
        # The first delivery committed while this statement ran: too late for its snapshot, so look once more.
        return InboundEvent.objects.only("id").get(source=source, external_id=external_id).id, False
    event_id, created = row
    if created:
        _enqueue(event_id, 0)
    return event_id, created


def event_handle(event_id: UUID | str, *, attempt: int | None = None) -> None:
    """Handle a pending event: take it, let its handler work, stamp the outcome after the work has committed.

    Safe to call any number of times, at once, and to be killed anywhere. Nothing is raised for a failing handler: the
    event is due again later, or parked with the reason once its attempts are used up. Must not run in a transaction.
    """
    event = lease_take(InboundEvent, event_id, duration=LEASE, attempt=attempt)
    if event is None:
        return
    log = logger.bind(event_id=str(event.id), source=event.source, event_type=event.event_type)
    if event.attempts > max_attempts():
        _put_off(event, DIED)
        log.error("event_parked", reason=DIED)
        return
    handler = event_handler_for(event.source, event.event_type)
    try:
        outcome = NOBODY if handler is None else handler(event)
    except EventNotReady as error:
        log.info("event_not_ready", reason=str(error), attempts=event.attempts)
        _put_off(event, str(error) or "Not ready yet.")
        return
    except Exception as error:  # the edge of the process: whatever a handler raises is kept and retried
        log.warning("event_failed", reason=reason_of(error), attempts=event.attempts, exc_info=True)
        _put_off(event, reason_of(error))
        return
    if lease_stamp(event, status=EventStatus.DONE, done_at=now(), outcome=outcome[:100], reason="", about=event.about):
        log.info("event_handled", outcome=outcome)
    else:
        log.warning("event_lease_lost", outcome=outcome)


def _put_off(event: InboundEvent, reason: str) -> None:
    if event.attempts >= max_attempts():
        lease_stamp(event, status=EventStatus.PARKED, reason=reason, about=event.about)
    else:
        due_at = now() + retry_delay(event.attempts, first=FIRST_DELAY)
        lease_stamp(event, due_at=due_at, reason=reason, about=event.about)


def inbox_sweep(*, limit: int = 500) -> list[UUID]:
    """Enqueue what is due and in nobody's hands: never enqueued, failed before, or left by a worker that died."""
    due = lease_sweep(InboundEvent, limit=limit)
    for event_id, attempts in due:
        _enqueue(event_id, attempts)
    return [event_id for event_id, _ in due]


def events_hasten(*, source: str, about: Iterable[str]) -> int:
    """What waits for one of these (`InboundEvent.about`) waits no longer: due now, for the sweep; how many. In the
    caller's transaction, that of what they wait for."""
    waiting = InboundEvent.objects.filter(
        source=source, about__in=[name for name in about if name], status=EventStatus.PENDING, due_at__gt=now()
    )
    return waiting.update(due_at=now())


def event_replay(event_ids: Iterable[UUID], *, actor: AbstractBaseUser | None, reason: str) -> int:
    """Make these events pending again, as if they had just come; return how many. Those in work now are left alone.

    Each is audited with what had become of it. `actor` None is whoever has a shell. Raises ReasonRequired.
    """
    reason = required_reason(reason)
    moment = now()
    with transaction.atomic(durable=True):
        chosen = event_lock_all(event_ids)
        free = [event for event in chosen if event.status != EventStatus.PENDING or not _in_work(event, moment)]
        InboundEvent.objects.filter(pk__in=[event.pk for event in free]).update(
            status=EventStatus.PENDING, attempts=0, due_at=moment + ENQUEUED_GRACE, lease_until=None,
            done_at=None, outcome="", reason="",
        )  # fmt: skip
        for event in free:
            audit_record(
                actor=actor,
                action="event.replayed",
                subject_kind="inbound_event",
                subject_id=event.pk,
                reason=reason,
                before={
                    "status": event.status,
                    "attempts": event.attempts,
                    "outcome": event.outcome,
                    "reason": event.reason,
                },
                after={"status": EventStatus.PENDING},
            )
            _enqueue(event.pk, 0)
    return len(free)


def _in_work(event: InboundEvent, moment: datetime) -> bool:
    return event.lease_until is not None and event.lease_until > moment


def _enqueue(event_id: UUID, attempts: int) -> None:
    enqueue_on_commit("records.handle_event", event_id, attempts, queue="money")
