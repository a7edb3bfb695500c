"""The workers' heartbeat, read by `/health/ready`."""

from django_redis import get_redis_connection

from learning247.kit.clock import now

KEY = "learning247:worker_heartbeat"
KEPT_SECONDS = 3_600


def heartbeat_write() -> None:
    """Note in Redis that a worker is alive and beat is running. Raises redis.exceptions.RedisError."""
    get_redis_connection("default").set(KEY, now().isoformat(), ex=KEPT_SECONDS)
