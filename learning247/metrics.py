"""`GET /metrics` for Prometheus: what the web processes counted, and what waits to be done."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpResponse
from django.utils.crypto import constant_time_compare
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from learning247.kit.clock import now
from learning247.kit.jobs import QUEUES
from learning247.kit.metrics import metrics_registry
from learning247.records.selectors import Backlog, event_backlog, mail_backlog
from learning247.records.services import heartbeat

logger = structlog.get_logger(__name__)

REDIS_TIMEOUT = 1.0  # seconds


class Platform(Collector):
    """What only database and Redis know. Where one of them is away, its numbers are missing and `platform_up` is 0."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("platform_up", "Whether it answers.", labels=["dependency"])
        for dependency, ask in (("database", _of_database), ("redis", _of_redis)):
            found = _asked(dependency, ask)
            up.add_metric([dependency], found is not None)
            yield from found or ()
        yield up


class _AnyType(BaseContentNegotiation):
    """A scraper's Accept names text; refusals are JSON like everywhere."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class MetricsView(APIView):
    """There is nothing here for whoever does not show METRICS_TOKEN."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    content_negotiation_class = _AnyType

    @extend_schema(
        operation_id="metrics",
        summary="Numbers for Prometheus",
        description="Text format 0.0.4, with `Authorization: Bearer` and `METRICS_TOKEN`. 404 where that is wrong or "
        "not configured.",
        tags=["health"],
        responses={(200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, description="The numbers.")},
    )
    def get(self, request: Request) -> HttpResponse:
        token = settings.METRICS_TOKEN
        if not token or not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token}"):
            raise NotFound("There is nothing at this address.")
        return HttpResponse(generate_latest(metrics_registry(Platform())), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _asked(dependency: str, ask: Callable[[], list[Metric]]) -> list[Metric] | None:
    try:
        return ask()
    except (DatabaseError, RedisError, OSError) as error:
        logger.warning("metrics_incomplete", dependency=dependency, reason=type(error).__name__)
        return None


def _of_database() -> list[Metric]:
    return [
        *_backlog("inbox", "Inbound events", event_backlog()),
        *_backlog("mail", "Outbound mails", mail_backlog()),
    ]


def _backlog(name: str, what: str, backlog: Backlog) -> Iterator[Metric]:
    age = (now() - backlog.oldest).total_seconds() if backlog.oldest else 0
    yield GaugeMetricFamily(f"{name}_pending", f"{what} that wait, also for another attempt.", backlog.pending)
    yield GaugeMetricFamily(f"{name}_parked", f"{what} that were given up.", backlog.parked)
    yield GaugeMetricFamily(f"{name}_oldest_pending_seconds", f"{what}: the age of the oldest that waits.", age)


def _of_redis() -> list[Metric]:
    client = Redis.from_url(
        settings.CELERY_BROKER_URL,
        socket_connect_timeout=REDIS_TIMEOUT,
        socket_timeout=REDIS_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
    queued = GaugeMetricFamily("queue_length", "Jobs that no worker has taken.", labels=["queue"])
    found: list[Metric] = [queued]
    with client:
        for queue in QUEUES:
            queued.add_metric([queue], client.llen(queue))
        beat = client.get(heartbeat.KEY)
    if beat is not None:
        age = (now() - datetime.fromisoformat(str(beat))).total_seconds()
        found.append(GaugeMetricFamily("worker_heartbeat_age_seconds", "Since beat and a worker were alive.", age))
    return found
