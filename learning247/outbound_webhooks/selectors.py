"""Reads of outbound webhooks. Scoping to a person happens here."""

from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Prefetch, QuerySet

from learning247.outbound_webhooks.errors import EndpointNotFound
from learning247.outbound_webhooks.models import DeliveryAttempt, OutboundEvent, WebhookDelivery, WebhookEndpoint


def endpoint_list(*, user: AbstractBaseUser) -> QuerySet[WebhookEndpoint]:
    """The person's own endpoints, newest first."""
    return WebhookEndpoint.objects.filter(owner_id=user.pk).order_by("-id")


def endpoint_of(*, user: AbstractBaseUser, endpoint_id: UUID) -> WebhookEndpoint:
    """One of the person's own endpoints. Raises EndpointNotFound for anybody else's."""
    endpoint = endpoint_list(user=user).filter(pk=endpoint_id).first()
    if endpoint is None:
        raise EndpointNotFound
    return endpoint


def delivery_list(*, endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """What was sent there, newest first, each with its tries."""
    log = Prefetch("log", DeliveryAttempt.objects.order_by("-id"))
    return (
        WebhookDelivery.objects.filter(endpoint=endpoint).select_related("event").prefetch_related(log).order_by("-id")
    )


def event_list(*, user: AbstractBaseUser, event_type: str | None = None) -> QuerySet[OutboundEvent]:
    """What happened in the person's business, newest first: for whoever missed a delivery."""
    events = OutboundEvent.objects.filter(owner_id=user.pk).order_by("-id")
    return events.filter(event_type=event_type) if event_type else events
