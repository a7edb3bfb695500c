"""Events: published in the transaction of what happened, told to every endpoint that wants them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q

from learning247.kit.clock import now
from learning247.kit.jobs import enqueue_on_commit
from learning247.kit.json_encoding import to_json
from learning247.kit.transactions import require_transaction
from learning247.outbound_webhooks.enums import EndpointStatus
from learning247.outbound_webhooks.event_types import require_known
from learning247.outbound_webhooks.models import OutboundEvent, WebhookDelivery, WebhookEndpoint
from learning247.records.services.leases import ENQUEUED_GRACE


def event_publish(*, key: str, event_type: str, owner_id: UUID | None, data: Mapping[str, Any]) -> None:
    """Tell the owner's endpoints, and the operators', that something happened; one event per `key` (<= 200 characters).

    In the caller's transaction, so that it is told exactly when that commits. `data` is plain and holds no more about
    other people than the owner may know. Where nobody has an endpoint nothing is kept: an event is for those who asked
    before it happened. Raises RuntimeError outside of a transaction, ValueError for a type that no app registered.
    """
    require_transaction("An event is published in the transaction of what happened.")
    require_known(event_type)
    endpoints = list(WebhookEndpoint.objects.filter(Q(owner_id=owner_id) | Q(owner_id__isnull=True)).order_by("id"))
    if not endpoints:
        return
    event = OutboundEvent(key=key, event_type=event_type, owner_id=owner_id, data=orjson.loads(to_json(dict(data))))
    OutboundEvent.objects.bulk_create([event], ignore_conflicts=True)
    if not OutboundEvent.objects.filter(pk=event.pk).exists():
        return  # published before
    deliveries_make(event, endpoints)


def deliveries_make(event: OutboundEvent, endpoints: list[WebhookEndpoint]) -> None:
    """A delivery to each of these that is active and wants such events; enqueued on commit."""
    wanted = [
        WebhookDelivery(event=event, endpoint=endpoint, due_at=now() + ENQUEUED_GRACE)
        for endpoint in endpoints
        if endpoint.status == EndpointStatus.ACTIVE
        and (not endpoint.event_types or event.event_type in endpoint.event_types)
    ]
    WebhookDelivery.objects.bulk_create(wanted, ignore_conflicts=True)
    for delivery in wanted:
        enqueue_on_commit("outbound_webhooks.deliver", delivery.pk, 0, queue="webhooks")
