"""Background jobs, enqueued by name after commit, so that services never import tasks.

The enqueue may fail (Redis away) without failing the request: whatever a job works on is a row that says that it
is due, and a sweeper picks up what was never enqueued.
"""

from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

QUEUES = ("money", "default", "mail", "webhooks")


def enqueue_on_commit(name: str, *args: Any, queue: str = "default") -> None:
    """Enqueue task `name` once the current transaction commits (at once when there is none)."""
    transaction.on_commit(lambda: _enqueue(name, args, queue))


def _enqueue(name: str, args: tuple[Any, ...], queue: str) -> None:
    if queue not in QUEUES:
        raise ValueError(f"Unknown queue {queue!r}: use one of {QUEUES}.")
    try:
        current_app.send_task(name, args=[str(arg) for arg in args], queue=queue, retry=False, ignore_result=True)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("job_not_enqueued", job=name, args=[str(arg) for arg in args], reason=type(error).__name__)
