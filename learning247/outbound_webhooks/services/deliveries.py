"""Deliveries: one worker at a time takes each, sends it, and writes down what came of it."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from learning247.kit.clock import now
from learning247.kit.encryption import DecryptionFailed
from learning247.kit.jobs import enqueue_on_commit
from learning247.kit.json_encoding import to_json
from learning247.outbound_webhooks.enums import DeliveryStatus, EndpointStatus
from learning247.outbound_webhooks.errors import DeliveryNotFound, EndpointDisabled
from learning247.outbound_webhooks.locks import endpoint_lock
from learning247.outbound_webhooks.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from learning247.outbound_webhooks.sender import Answer, send
from learning247.outbound_webhooks.services.endpoints import secrets_in_use
from learning247.outbound_webhooks.signatures import signed_headers
from learning247.records.services.audit import audit_record
from learning247.records.services.leases import ENQUEUED_GRACE, lease_sweep, lease_take
from learning247.records.services.mail import mail_queue

logger = structlog.get_logger(__name__)

# The sender gives up after 20 seconds, and so has nobody else's delivery in hand.
LEASE: Final = timedelta(seconds=60)
# How long after which try the next one is made; three days in all (the specification's own example).
WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
# An endpoint at which nothing has worked for so long is called no more.
FAILS_FOR_AT_MOST: Final = timedelta(days=5)
GONE: Final = 410


def delivery_send(delivery_id: UUID | str, *, attempt: int | None = None) -> None:
    """Send a pending delivery and write down what came of it. Not in a transaction.

    At least once: a worker killed after the other side took it sends it again, under the same `webhook-id`.
    """
    delivery = lease_take(WebhookDelivery, delivery_id, duration=LEASE, attempt=attempt)
    if delivery is None:
        return
    endpoint, event = delivery.endpoint, delivery.event
    if endpoint.status == EndpointStatus.DISABLED:
        _record(delivery, Answer(None, "The endpoint is disabled.", 0))
        return
    body = to_json({"type": event.event_type, "timestamp": event.created_at, "data": event.data})
    try:
        signed = signed_headers(
            message_id=str(event.pk), moment=now(), body=body, secrets_in_use=secrets_in_use(endpoint)
        )
    except DecryptionFailed as error:
        _record(delivery, Answer(None, str(error), 0))
        return
    answer = send(
        url=endpoint.url,
        body=body,
        headers={"Content-Type": "application/json", "User-Agent": "Learning247-Webhooks/1", **signed},
        private=settings.OUTBOUND_WEBHOOKS_TO_PRIVATE,
    )
    _record(delivery, answer)


@transaction.atomic(durable=True)
def _record(taken: WebhookDelivery, answer: Answer) -> None:
    endpoint = endpoint_lock(taken.endpoint_id)
    if endpoint is None:
        return  # deleted meanwhile, and its log with it
    mine = WebhookDelivery.objects.filter(
        pk=taken.pk, status=DeliveryStatus.PENDING, attempts=taken.attempts, lease_until=taken.lease_until
    )
    moment = now()
    if answer.accepted:
        held = mine.update(lease_until=None, status=DeliveryStatus.DELIVERED, delivered_at=moment)
    elif taken.attempts > len(WAITS) or answer.status == GONE or endpoint.status == EndpointStatus.DISABLED:
        held = mine.update(lease_until=None, status=DeliveryStatus.FAILED)
    else:
        held = mine.update(lease_until=None, due_at=moment + WAITS[taken.attempts - 1])
    if not held:
        return  # the lease ran out, and somebody else has it
    DeliveryAttempt.objects.create(
        delivery=taken,
        attempted_at=moment,
        milliseconds=answer.milliseconds,
        status_code=answer.status,
        failure="" if answer.accepted else (answer.failure or f"HTTP {answer.status}"),
    )
    _judge(endpoint, answer)


def _judge(endpoint: WebhookEndpoint, answer: Answer) -> None:
    """What a try says about the endpoint, whose row is locked."""
    if endpoint.status == EndpointStatus.DISABLED:
        return
    moment = now()
    failing_since = None if answer.accepted else (endpoint.failing_since or moment)
    reason = ""
    if answer.status == GONE:
        reason = "It answered 410 Gone."
    elif failing_since is not None and moment - failing_since > FAILS_FOR_AT_MOST:
        reason = f"Nothing was delivered there for {FAILS_FOR_AT_MOST.days} days."
    if reason:
        endpoint.status, endpoint.disabled_reason = EndpointStatus.DISABLED, reason
        _tell_disabled(endpoint)
    if reason or failing_since != endpoint.failing_since:
        endpoint.failing_since = failing_since
        endpoint.save(update_fields=["status", "disabled_reason", "failing_since"])


def _tell_disabled(endpoint: WebhookEndpoint) -> None:
    logger.warning("webhook_endpoint_disabled", endpoint=str(endpoint.pk), reason=endpoint.disabled_reason)
    audit_record(
        actor=None,
        action="webhook_endpoint.disabled",
        subject_kind="webhook_endpoint",
        subject_id=endpoint.pk,
        reason=endpoint.disabled_reason,
        before={"url": endpoint.url, "status": EndpointStatus.ACTIVE},
        after={"url": endpoint.url, "status": endpoint.status},
    )
    mail_queue(
        key=f"webhook_endpoint:{endpoint.pk}:disabled:{now():%Y%m%dT%H%M%S.%f}",
        to=endpoint.owner.email if endpoint.owner is not None else settings.SUPPORT_EMAIL,
        template="webhook_endpoint_disabled",
        context={
            "first_name": endpoint.owner.first_name if endpoint.owner is not None else "",
            "endpoint": endpoint,
            "support": settings.SUPPORT_EMAIL,
        },
    )


@transaction.atomic(durable=True)
def delivery_repeat(*, delivery_id: UUID, owner: AbstractBaseUser) -> WebhookDelivery:
    """Send it once more, whatever became of it, with all its tries before it. Raises DeliveryNotFound,
    EndpointDisabled."""
    known = WebhookDelivery.objects.filter(pk=delivery_id, endpoint__owner_id=owner.pk).first()
    endpoint = known and endpoint_lock(known.endpoint_id)
    if known is None or endpoint is None:
        raise DeliveryNotFound
    if endpoint.status == EndpointStatus.DISABLED:
        raise EndpointDisabled
    again = (
        WebhookDelivery.objects.select_for_update(of=("self",), no_key=True).select_related("event").get(pk=known.pk)
    )
    again.status, again.delivered_at, again.attempts = DeliveryStatus.PENDING, None, 0
    again.lease_until, again.due_at = None, now() + ENQUEUED_GRACE
    again.save(update_fields=["status", "delivered_at", "attempts", "lease_until", "due_at"])
    enqueue_on_commit("outbound_webhooks.deliver", again.pk, 0, queue="webhooks")
    return again


def deliveries_sweep(*, limit: int = 500) -> int:
    """Enqueue the deliveries that are due and in nobody's hands; how many."""
    due = lease_sweep(WebhookDelivery, limit=limit)
    for delivery_id, attempts in due:
        enqueue_on_commit("outbound_webhooks.deliver", delivery_id, attempts, queue="webhooks")
    return len(due)
