"""Where events are told: made, changed, given a new secret, disabled and enabled by their owner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from learning247.kit.clock import now
from learning247.kit.encryption import decrypt, encrypt
from learning247.kit.ids import new_id
from learning247.outbound_webhooks.addresses import target_check
from learning247.outbound_webhooks.enums import EndpointStatus
from learning247.outbound_webhooks.errors import EndpointDisabled, EndpointNotFound, TooManyEndpoints
from learning247.outbound_webhooks.event_types import PING
from learning247.outbound_webhooks.locks import endpoint_lock, owner_lock
from learning247.outbound_webhooks.models import OutboundEvent, WebhookEndpoint
from learning247.outbound_webhooks.services.events import deliveries_make
from learning247.outbound_webhooks.signatures import new_secret
from learning247.records.reasons import required_reason
from learning247.records.services.audit import audit_record

PURPOSE = "webhook-secret"
MOST_ENDPOINTS = 10
# So long the old secret signs beside the new one.
CHANGE_OVER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Made:
    """An endpoint with its secret, which is shown this once."""

    endpoint: WebhookEndpoint
    secret: str


@transaction.atomic(durable=True)
def endpoint_create(
    *,
    owner: AbstractBaseUser | None,
    actor: AbstractBaseUser,
    url: str,
    description: str,
    event_types: Sequence[str],
    reason: str = "",
) -> Made:
    """An endpoint of `owner`'s (None: the operators', with the reason of who makes it), at most MOST_ENDPOINTS each.

    Raises AddressRefused, TooManyEndpoints, ReasonRequired.
    """
    if owner is None:
        reason = required_reason(reason)
    target_check(url, private=settings.OUTBOUND_WEBHOOKS_TO_PRIVATE)
    owner_id = None if owner is None else owner.pk
    owner_lock(owner_id)
    if WebhookEndpoint.objects.filter(owner_id=owner_id).count() >= MOST_ENDPOINTS:
        raise TooManyEndpoints
    secret = new_secret()
    endpoint = WebhookEndpoint.objects.create(
        owner_id=owner_id,
        url=url,
        description=description,
        event_types=list(event_types),
        sealed_secret=encrypt(secret, purpose=PURPOSE),
    )
    _audit(endpoint, "created", actor, after=_record_of(endpoint), reason=reason)
    return Made(endpoint, secret)


@transaction.atomic(durable=True)
def endpoint_update(
    *,
    endpoint_id: UUID,
    owner: AbstractBaseUser,
    url: str | None = None,
    description: str | None = None,
    event_types: Sequence[str] | None = None,
) -> WebhookEndpoint:
    """What is None stays. Raises EndpointNotFound, AddressRefused."""
    endpoint = _own(endpoint_id, owner)
    before = _record_of(endpoint)
    if url is not None:
        target_check(url, private=settings.OUTBOUND_WEBHOOKS_TO_PRIVATE)
        endpoint.url = url
    if description is not None:
        endpoint.description = description
    if event_types is not None:
        endpoint.event_types = list(event_types)
    endpoint.save(update_fields=["url", "description", "event_types"])
    _audit(endpoint, "changed", owner, before=before, after=_record_of(endpoint))
    return endpoint


@transaction.atomic(durable=True)
def endpoint_rotate_secret(*, endpoint_id: UUID, owner: AbstractBaseUser) -> Made:
    """A new secret; the old one signs beside it for a day. Raises EndpointNotFound."""
    endpoint = _own(endpoint_id, owner)
    secret = new_secret()
    endpoint.sealed_old_secret, endpoint.old_secret_until = endpoint.sealed_secret, now() + CHANGE_OVER
    endpoint.sealed_secret = encrypt(secret, purpose=PURPOSE)
    endpoint.save(update_fields=["sealed_secret", "sealed_old_secret", "old_secret_until"])
    _audit(endpoint, "secret_rotated", owner, after=_record_of(endpoint))
    return Made(endpoint, secret)


@transaction.atomic(durable=True)
def endpoint_enable(*, endpoint_id: UUID, owner: AbstractBaseUser) -> WebhookEndpoint:
    """Deliver there again, from now on; what failed meanwhile can be read and sent again. Raises EndpointNotFound."""
    endpoint = _own(endpoint_id, owner)
    if endpoint.status == EndpointStatus.DISABLED:
        before = _record_of(endpoint)
        endpoint.status, endpoint.disabled_reason, endpoint.failing_since = EndpointStatus.ACTIVE, "", None
        endpoint.save(update_fields=["status", "disabled_reason", "failing_since"])
        _audit(endpoint, "enabled", owner, before=before, after=_record_of(endpoint))
    return endpoint


@transaction.atomic(durable=True)
def endpoint_delete(*, endpoint_id: UUID, owner: AbstractBaseUser) -> None:
    """It and its log are gone. Raises EndpointNotFound."""
    endpoint = _own(endpoint_id, owner)
    _audit(endpoint, "deleted", owner, before=_record_of(endpoint))
    endpoint.delete()


@transaction.atomic(durable=True)
def endpoint_ping(*, endpoint_id: UUID, owner: AbstractBaseUser) -> OutboundEvent:
    """Send a `ping` there, to see whether it arrives. Raises EndpointNotFound, EndpointDisabled."""
    endpoint = _own(endpoint_id, owner)
    if endpoint.status == EndpointStatus.DISABLED:
        raise EndpointDisabled
    event = OutboundEvent.objects.create(
        key=f"ping:{new_id()}", owner_id=endpoint.owner_id, event_type=PING, data={"endpoint": str(endpoint.pk)}
    )
    endpoint.event_types = []  # whatever it wants otherwise; not saved
    deliveries_make(event, [endpoint])
    return event


def secrets_in_use(endpoint: WebhookEndpoint) -> list[str]:
    """The newest first. Raises DecryptionFailed."""
    sealed = [endpoint.sealed_secret]
    if endpoint.old_secret_until is not None and endpoint.old_secret_until > now():
        sealed.append(endpoint.sealed_old_secret)
    return [decrypt(secret, purpose=PURPOSE) for secret in sealed]


def _own(endpoint_id: UUID, owner: AbstractBaseUser) -> WebhookEndpoint:
    endpoint = endpoint_lock(endpoint_id)
    if endpoint is None or endpoint.owner_id != owner.pk:
        raise EndpointNotFound
    return endpoint


def _record_of(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {"url": endpoint.url, "event_types": list(endpoint.event_types), "status": str(endpoint.status)}


def _audit(
    endpoint: WebhookEndpoint,
    what: str,
    actor: AbstractBaseUser,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    audit_record(
        actor=actor,
        action=f"webhook_endpoint.{what}",
        subject_kind="webhook_endpoint",
        subject_id=endpoint.pk,
        reason=reason,
        before=before,
        after=after,
    )
