"""The Idempotency-Key contract as a decorator for viewset actions.

    class PaymentViewSet(IdempotentThrottling, GenericViewSet):
        @idempotent("payments.initialize")
        def create(self, request: Request) -> Response: ...   # request.idempotency_key is the key

The decorated method runs at most once at a time per user, operation and key, and its answer is kept. Its own row must
carry the key (UNIQUE user, operation, key), so that a re-run after a crash finds the first effect.
"""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from learning247.kit.api.throttles import limits_only_look
from learning247.kit.errors import RequestTooLarge
from learning247.kit.json_encoding import to_json
from learning247.records.errors import IdempotencyKeyInvalid, IdempotencyKeyRequired, IdempotencyKeyReused
from learning247.records.services.idempotency import (
    StoredAnswer,
    idempotency_claim,
    idempotency_is_known,
    idempotency_release,
    idempotency_store,
)

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
LONGEST_KEY = 255
# Answers that say "not now" or "not like this": the same key may then be tried again.
NOT_STORED = frozenset({400, 401, 408, 413, 415, 425, 429})

Action = TypeVar("Action", bound=Callable[..., HttpResponseBase])

_KEY_PARAMETER = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="1 to 255 printable characters, new for each new attempt. The same key and request again give the "
    "stored answer with `Idempotency-Replayed: true`; the same key with another request is a 422.",
)


def idempotent(operation: str) -> Callable[[Action], Action]:
    """Give a viewset method `(self, request, …)` the contract; `operation` (<= 60 characters) scopes its keys."""

    def decorate(method: Action) -> Action:
        @extend_schema(parameters=[_KEY_PARAMETER])
        @wraps(method)
        def guarded(view: APIView, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            key = _key_of(request)
            if not request.user.is_authenticated:
                raise NotAuthenticated
            try:
                claim = idempotency_claim(user=request.user, operation=operation, key=key, digest=_digest_of(request))
            except IdempotencyKeyReused:
                _count(view, request)
                raise
            if isinstance(claim, StoredAnswer):
                return _replayed(claim)
            request.idempotency_key = key  # type: ignore[attr-defined]
            try:
                _count(view, request)
                response = method(view, request, *args, **kwargs)
            except Exception as error:  # noqa: BLE001 - DRF's own edge: it answers or raises what it cannot answer
                try:
                    response = view.handle_exception(error)
                except BaseException:
                    idempotency_release(claim)
                    raise
            if response.status_code in NOT_STORED or response.status_code >= 500:
                idempotency_release(claim)
            else:
                idempotency_store(claim, status=response.status_code, body=_body_of(response))
            return response

        guarded.idempotent_operation = operation  # type: ignore[attr-defined]
        return cast(Action, guarded)

    return decorate


class IdempotentThrottling:
    """Repeats do not count against rate limits: a mixin for views with an idempotent method.

    Whether a request is a repeat shows when it claims its key. Before that the limits are only looked at, so that who
    is past them makes no claim; who wins the key is counted then, and lets it go again where that is one too many.
    """

    def check_throttles(self, request: Request) -> None:
        method = getattr(self, (request.method or "").lower(), None)
        operation = getattr(method, "idempotent_operation", None)
        key = request.headers.get(HEADER, "")
        if operation is None or not _is_valid(key) or not request.user.is_authenticated:
            super().check_throttles(request)  # type: ignore[misc]
        elif not idempotency_is_known(user=request.user, operation=operation, key=key):
            limits_only_look(request, look=True)
            super().check_throttles(request)  # type: ignore[misc]

    def count_throttles(self, request: Request) -> None:
        """Count a request that turned out to be no repeat. Raises Throttled, Unavailable."""
        limits_only_look(request, look=False)
        super().check_throttles(request)  # type: ignore[misc]


def _count(view: APIView, request: Request) -> None:
    if isinstance(view, IdempotentThrottling):
        view.count_throttles(request)


def _key_of(request: Request) -> str:
    key = request.headers.get(HEADER)
    if not key:
        raise IdempotencyKeyRequired
    if not _is_valid(key):
        raise IdempotencyKeyInvalid
    return key


def _is_valid(key: str) -> bool:
    return 1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()


def _digest_of(request: Request) -> str:
    """SHA-256 over method, path with query, and the raw body: what makes a request the same request."""
    plain = request._request
    try:
        body = plain.body
    except RequestDataTooBig:
        raise RequestTooLarge from None
    digest = hashlib.sha256()
    for part in ((plain.method or "").encode(), plain.get_full_path().encode()):
        digest.update(part + b"\n")
    digest.update(body)
    return digest.hexdigest()


def _body_of(response: HttpResponseBase) -> bytes:
    """The bytes that the client is about to get (`OrjsonRenderer` renders the same way)."""
    if isinstance(response, Response):
        return b"" if response.data is None else to_json(response.data)
    return cast(HttpResponse, response).content


def _replayed(answer: StoredAnswer) -> HttpResponse:
    return HttpResponse(
        answer.body,
        status=answer.status,
        content_type="application/json",
        headers={REPLAYED_HEADER: "true"},
    )
