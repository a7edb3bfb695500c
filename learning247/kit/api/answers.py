"""Whole answers kept as rendered bytes in Redis, and sent again for as long as the version they were made under holds.

For answers that are the same for everybody. Nothing that depends on who asks may come here.
"""

import time
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django_redis import get_redis_connection
from redis.exceptions import RedisError
from rest_framework.request import Request

MAX_KEPT_BYTES: Final = 512 * 1024
# After a failure Redis is left alone for so many seconds: its timeout must not be added to every answer.
REST_AFTER_FAILURE: Final = 5.0
# Anybody may keep the answer, and asks each time whether it is still good: an edit shows at once everywhere.
SHARED: Final = "public, no-cache"
PERSONAL: Final = "private, no-store"
_ETAG_BYTES: Final = 16

_log = structlog.get_logger(__name__)
_left_alone_until = 0.0


def shared_answer(
    request: Request, *, name: str, version: str | None, seconds: int, render: Callable[[], bytes]
) -> HttpResponse:
    """The answer called `name` under `version`: from Redis, or else rendered now and kept for `seconds`.

    `name` says everything that the bytes depend on, host included where they hold addresses. `version` None: neither
    read nor keep. With an ETag over the bytes; 304 for who has them already.
    """
    body = None
    key = ""
    if version is not None:
        key = f"answers:{version}:{blake2b(name.encode(), digest_size=16).hexdigest()}"
        body = _kept(key)
    if body is None:
        rendered = render()
        body = blake2b(rendered, digest_size=_ETAG_BYTES // 2).hexdigest().encode() + rendered
        if version is not None and len(body) <= MAX_KEPT_BYTES:
            _keep(key, body, seconds)
    return _respond(request._request, etag=f'"{body[:_ETAG_BYTES].decode()}"', body=body[_ETAG_BYTES:])


def personal(response: HttpResponse) -> HttpResponse:
    """Mark an answer that differs from person to person under an address that others may read as well."""
    response["Cache-Control"] = PERSONAL
    patch_vary_headers(response, ["Authorization"])
    return response


def _respond(request: HttpRequest, *, etag: str, body: bytes) -> HttpResponse:
    response = HttpResponse(body, content_type="application/json")
    response["ETag"] = etag
    response["Cache-Control"] = SHARED
    response["Vary"] = "Authorization"
    if "HTTP_IF_NONE_MATCH" in request.META:
        conditional = get_conditional_response(request, etag=etag, response=response)
        assert conditional is not None, "a response was given"
        return conditional
    return response


def _kept(key: str) -> bytes | None:
    if time.monotonic() < _left_alone_until:
        return None
    try:
        kept: bytes | None = get_redis_connection("default").get(key)
    except RedisError as error:
        _leave_alone(error)
        return None
    return kept


def _keep(key: str, body: bytes, seconds: int) -> None:
    if time.monotonic() < _left_alone_until:
        return
    try:
        get_redis_connection("default").set(key, body, ex=seconds)
    except RedisError as error:
        _leave_alone(error)


def _leave_alone(error: RedisError) -> None:
    # Per process; a thread that reads the old value only tries once more.
    global _left_alone_until  # noqa: PLW0603
    _left_alone_until = time.monotonic() + REST_AFTER_FAILURE
    _log.warning("answers.redis_away", error=type(error).__name__, seconds=REST_AFTER_FAILURE)
