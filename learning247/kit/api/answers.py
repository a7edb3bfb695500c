"""Whole answers kept as rendered bytes, and sent again for as long as the version they were made under holds.

Kept in Redis for all processes, and the most recent ones in the process itself as well: their version is part of their
name, so neither can be out of date. For answers that are the same for everybody. Nothing that depends on who asks may
come here.
"""

import time
from collections.abc import Callable
from hashlib import blake2b
from threading import Lock
from typing import Final

from cachetools import TLRUCache
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django_redis import get_redis_connection
from redis.exceptions import RedisError
from rest_framework.request import Request

from learning247.kit.redis_pause import redis_is_paused, redis_pause

MAX_KEPT_BYTES: Final = 512 * 1024
MAX_BYTES_IN_PROCESS: Final = 8 * 1024 * 1024
# Anybody may keep the answer, and asks each time whether it is still good: an edit shows at once everywhere.
SHARED: Final = "public, no-cache"
PERSONAL: Final = "private, no-store"
# What is kept: until when (seconds since 1970, ten digits), the digest, the body.
_UNTIL: Final = slice(0, 10)
_DIGEST: Final = slice(10, 26)
_BODY: Final = slice(26, None)


def shared_answer(
    request: Request, *, name: str, version: str | None, seconds: int, render: Callable[[], bytes]
) -> HttpResponse:
    """The answer called `name` under `version`: from Redis, or else rendered now and kept for `seconds`.

    `name` says everything that the bytes depend on, host included where they hold addresses. `version` None: neither
    read nor keep. With an ETag over the bytes; 304 for who has them already.
    """
    key = kept = None
    if version is not None:
        key = f"answers:{version}:{blake2b(name.encode(), digest_size=16).hexdigest()}"
        kept = _kept(key)
    if kept is None:
        body = render()
        digest = blake2b(body, digest_size=8).hexdigest()
        kept = f"{int(_clock()) + seconds:010d}{digest}".encode() + body
        if key is not None and len(kept) <= MAX_KEPT_BYTES:
            _keep(key, kept, seconds)
    return _respond(request._request, etag=f'"{kept[_DIGEST].decode()}"', body=kept[_BODY])


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


def forget_in_process() -> None:
    """As in a process that has just begun."""
    with _in_process_lock:
        _in_process.clear()


def _until(key: str, kept: bytes, now: float) -> float:
    return float(kept[_UNTIL])


def _clock() -> float:
    """Seconds since 1970: processes compare their times."""
    return time.time()


_in_process: TLRUCache[str, bytes] = TLRUCache(
    MAX_BYTES_IN_PROCESS,
    ttu=_until,
    timer=lambda: _clock(),  # noqa: PLW0108 - looked up each time, so that tests can move it
    getsizeof=len,
)
# Reading changes the order in which answers leave.
_in_process_lock = Lock()


def _kept(key: str) -> bytes | None:
    with _in_process_lock:
        kept = _in_process.get(key)
    if kept is None and not redis_is_paused():
        try:
            kept = get_redis_connection("default").get(key)
        except RedisError as error:
            redis_pause(error)
        if kept is not None:
            _keep_in_process(key, kept)
    return kept


def _keep(key: str, kept: bytes, seconds: int) -> None:
    _keep_in_process(key, kept)
    if redis_is_paused():
        return
    try:
        get_redis_connection("default").set(key, kept, ex=seconds)
    except RedisError as error:
        redis_pause(error)


def _keep_in_process(key: str, kept: bytes) -> None:
    with _in_process_lock:
        _in_process[key] = kept
