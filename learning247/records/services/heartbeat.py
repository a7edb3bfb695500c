"""The workers' heartbeat, read by `/health/ready`."""

from django.conf import settings
from redis import Redis

from learning247.kit.clock import now

KEY = "learning247:worker_heartbeat"
KEPT_SECONDS = 3_600
TIMEOUT = 2.0  # seconds


def heartbeat_write() -> None:
    """Note in Redis that beat and a worker are alive: an ISO 8601 time. Raises redis.exceptions.RedisError."""
    with Redis.from_url(settings.REDIS_URL, socket_connect_timeout=TIMEOUT, socket_timeout=TIMEOUT) as client:
        client.set(KEY, now().isoformat(), ex=KEPT_SECONDS)
