"""Doors for Celery; each calls one service and is safe to run twice."""

from celery import shared_task

from learning247.risk.counters import counters_rebuild


@shared_task(name="risk.rebuild_counters")
def rebuild_counters() -> bool:
    """Fill the counters in Redis where they are not good; whether that was needed."""
    return counters_rebuild()
