"""Doors for Celery; each calls one service and is safe to run twice."""

from celery import shared_task

from learning247.outbound_webhooks.services.deliveries import deliveries_sweep, delivery_send


@shared_task(name="outbound_webhooks.deliver")
def deliver(delivery_id: str, attempt: str | None = None) -> None:
    """Send one delivery."""
    delivery_send(delivery_id, attempt=None if attempt is None else int(attempt))


@shared_task(name="outbound_webhooks.sweep")
def sweep() -> int:
    """Enqueue what is due; how many."""
    return deliveries_sweep()
