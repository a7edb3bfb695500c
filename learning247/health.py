"""Is this process alive, and can it do its work? For balancers and people; open, and without any secret."""

import time
from collections.abc import Callable
from datetime import datetime

import psycopg
import redis
import structlog
from django.conf import settings
from django.db import connection
from drf_spectacular.utils import OpenApiExample, extend_schema, inline_serializer
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework import serializers
from rest_framework.decorators import api_view, authentication_classes, permission_classes, throttle_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from learning247.kit.clock import now
from learning247.records.services import heartbeat

logger = structlog.get_logger(__name__)

DATABASE_TIMEOUT = 2  # seconds; the least that libpq accepts
REDIS_TIMEOUT = 1.0  # seconds
HEARTBEAT_LATE_AFTER = 60  # seconds; it beats every 15

_DEPENDENCY = inline_serializer(
    "DependencyReadiness",
    {"status": serializers.ChoiceField(choices=["ok", "down"]), "milliseconds": serializers.IntegerField()},
)
_READINESS = inline_serializer(
    "Readiness",
    {
        "status": serializers.ChoiceField(choices=["ok", "unavailable"]),
        "database": _DEPENDENCY,
        "redis": _DEPENDENCY,
        "worker": inline_serializer(
            "WorkerHeartbeat",
            {
                "status": serializers.ChoiceField(choices=["ok", "late", "unknown"]),
                "heartbeat_age_seconds": serializers.IntegerField(allow_null=True),
            },
        ),
        "payouts": inline_serializer(
            "PayoutReadiness",
            {
                "status": serializers.ChoiceField(choices=["ok", "paused", "unknown"]),
                "paused_currencies": serializers.ListField(child=serializers.CharField()),
            },
        ),
    },
)
_EXAMPLE = OpenApiExample(
    "Ready",
    value={
        "status": "ok",
        "database": {"status": "ok", "milliseconds": 4},
        "redis": {"status": "ok", "milliseconds": 1},
        "worker": {"status": "ok", "heartbeat_age_seconds": 7},
        "payouts": {"status": "ok", "paused_currencies": []},
    },
    response_only=True,
    status_codes=["200"],
)


@extend_schema(
    operation_id="health_live",
    summary="Is the process alive?",
    description="Touches neither database nor Redis: a restart cures what this reports, and nothing else.",
    tags=["health"],
    responses=inline_serializer("Liveness", {"status": serializers.ChoiceField(choices=["ok"])}),
)
@api_view(["GET", "HEAD"])
@authentication_classes([])
@permission_classes([AllowAny])
@throttle_classes([])
def live(request: Request) -> Response:
    return Response({"status": "ok"})


@extend_schema(
    operation_id="health_ready",
    summary="Can it serve?",
    description="Database and Redis decide; the workers' heartbeat and paused payouts are reported, because sales go on"
    " without them.",
    tags=["health"],
    responses={200: _READINESS, 503: _READINESS},
    examples=[_EXAMPLE],
)
@api_view(["GET", "HEAD"])
@authentication_classes([])
@permission_classes([AllowAny])
@throttle_classes([])
def ready(request: Request) -> Response:
    database, paused = _timed("database", _ask_database)
    redis_answers, beat = _timed("redis", _ask_redis)
    serves = database["status"] == redis_answers["status"] == "ok"
    body = {
        "status": "ok" if serves else "unavailable",
        "database": database,
        "redis": redis_answers,
        "worker": _worker(beat),
        "payouts": _payouts(paused),
    }
    return Response(body, status=200 if serves else 503)


def _timed(what: str, ask: Callable[[], str | None]) -> tuple[dict[str, str | int], str | None]:
    """({status, milliseconds}, what the dependency answered). Why it is away goes to the log alone."""
    started = time.monotonic()
    status, answer = "ok", None
    try:
        answer = ask()
    except (psycopg.Error, redis.RedisError, OSError) as error:
        status = "down"
        logger.warning("not_ready", dependency=what, reason=type(error).__name__)
    return {"status": status, "milliseconds": int((time.monotonic() - started) * 1000)}, answer


def _ask_database() -> str | None:
    """The currencies whose payouts are paused, parted by spaces. On a connection of its own, because only a new one has
    a bound on how long it waits for a silent server."""
    parameters = {**connection.get_connection_params(), "connect_timeout": DATABASE_TIMEOUT}
    with psycopg.connect(**parameters) as probe:
        row = probe.execute(
            "SELECT coalesce(string_agg(currency, ' ' ORDER BY currency), '') FROM wallets_payoutfreeze"
            " WHERE lifted_at IS NULL"
        ).fetchone()
    return None if row is None else str(row[0])


def _ask_redis() -> str | None:
    """PING, and the workers' heartbeat if there is one."""
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=REDIS_TIMEOUT,
        socket_timeout=REDIS_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
    with client:
        client.ping()
        beat = client.get(heartbeat.KEY)
    return None if beat is None else str(beat)


def _payouts(paused: str | None) -> dict[str, str | list[str]]:
    if paused is None:
        return {"status": "unknown", "paused_currencies": []}
    return {"status": "paused" if paused else "ok", "paused_currencies": paused.split()}


def _worker(beat: str | None) -> dict[str, str | int | None]:
    if beat is None:
        return {"status": "unknown", "heartbeat_age_seconds": None}
    age = int((now() - datetime.fromisoformat(beat)).total_seconds())
    return {"status": "late" if age > HEARTBEAT_LATE_AFTER else "ok", "heartbeat_age_seconds": age}
