"""The rows that managing endpoints contends for."""

from uuid import UUID

from django.db import connection

from learning247.kit.locks import bound_lock_wait
from learning247.outbound_webhooks.models import WebhookEndpoint


def owner_lock(owner_id: UUID | None) -> None:
    """One endpoint at a time is added for an owner; there may be no row yet to lock."""
    bound_lock_wait()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"webhook endpoints {owner_id}"])


def endpoint_lock(endpoint_id: UUID) -> WebhookEndpoint | None:
    """The endpoint, locked until the transaction ends; None when there is none."""
    bound_lock_wait()
    rows = WebhookEndpoint.objects.select_for_update(of=("self",), no_key=True)
    return rows.filter(pk=endpoint_id).first()
