"""Doors for Celery; each calls one service and is safe to run twice."""

from celery import shared_task

from payments.services.settlement import pending_sweep


@shared_task(name="payments.sweep_pending")
def sweep_pending() -> int:
    """Ask the gateways about pending payments; returns how many."""
    return pending_sweep()
