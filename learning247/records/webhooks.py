"""The one webhook endpoint: every provider's deliveries come in through a view made here.

Size cap, signature over the raw bytes, insert-or-ignore into the inbox, 200. Nothing else: the work is the inbox's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.urls import get_resolver
from django.views.decorators.csrf import csrf_exempt

from learning247.kit.api.errors import error_response
from learning247.kit.api.parsers import read_json
from learning247.kit.json_encoding import to_json
from learning247.records.services.inbox import event_receive

logger = structlog.get_logger(__name__)

CHUNK = 65_536
LONGEST_EXTERNAL_ID = 255
LONGEST_EVENT_TYPE = 100
# Kept beside the body: enough to understand a delivery, nothing that authenticates or identifies anybody.
KEPT_HEADERS = ("Content-Type", "User-Agent", "X-Request-ID", "Date")
RECEIVED = to_json({"received": True})


class UnreadableEvent(ValueError):
    """`identify` cannot tell which event this is: a 400, with nothing kept."""


@dataclass(frozen=True, slots=True)
class EventIdentity:
    """`external_id` names the event once and for all at its provider; `event_type` such as "charge.success"."""

    external_id: str
    event_type: str


def webhook_view(
    source: str,
    *,
    verify: Callable[[bytes, Mapping[str, str]], bool],
    identify: Callable[[dict[str, Any]], EventIdentity],
    secrets_configured: Callable[[], bool],
) -> Callable[[HttpRequest], HttpResponse]:
    """A view for `source`: POST, no CSRF token, no sign-in, exempt from rate limits.

    `verify(raw body, headers)` says whether the provider signed these bytes (headers without regard to case);
    `identify(payload)` names the event or raises UnreadableEvent. While `secrets_configured()` is false the endpoint
    is closed (404), never open. Answers: 200 `{"received": true}`, for repeats too · 400 no JSON object, or not
    readable · 401 · 404 · 405 · 413 · 503 the database is away, so that the provider tries again.
    """

    @csrf_exempt
    def receive(request: HttpRequest) -> HttpResponse:
        if not secrets_configured():
            return error_response(request, status=404, code="not_found", detail="There is nothing at this address.")
        if request.method != "POST":
            refused = error_response(request, status=405, code="method_not_allowed", detail="Only POST is taken here.")
            refused["Allow"] = "POST"
            return refused
        try:
            body = _read_body(request, settings.WEBHOOK_MAX_BODY_BYTES)
        except UnreadablePostError:
            return error_response(request, status=400, code="bad_request", detail="The body cannot be read to its end.")
        if body is None:
            return error_response(request, status=413, code="request_too_large", detail="The body is too large.")
        if not verify(body, request.headers):
            logger.warning("webhook_signature_refused", source=source, size=len(body))
            return error_response(request, status=401, code="invalid_signature", detail="The signature is wrong.")
        event = _identified(identify, body)
        if event is None:
            logger.error("webhook_unreadable", source=source, size=len(body))
            return error_response(request, status=400, code="unreadable_event", detail="This is no event.")
        try:
            _, created = event_receive(
                source=source,
                external_id=event.external_id,
                event_type=event.event_type,
                headers={name: request.headers[name] for name in KEPT_HEADERS if name in request.headers},
                body=body,
            )
        except (OperationalError, InterfaceError):
            logger.exception("webhook_not_kept", source=source)
            busy = error_response(request, status=503, code="service_unavailable", detail="Send this again shortly.")
            busy["Retry-After"] = "5"
            return busy
        logger.info("webhook_received", source=source, event_type=event.event_type, created=created)
        return HttpResponse(RECEIVED, content_type="application/json")

    receive.webhook_source = source  # type: ignore[attr-defined]  # for the OpenAPI document
    return receive


def document_webhooks(
    result: dict[str, Any], generator: Any = None, request: Any = None, public: bool = True
) -> dict[str, Any]:
    """A drf-spectacular hook: webhook endpoints are plain Django views, which it does not see by itself."""
    error = {"$ref": "#/components/schemas/Error"}
    answers = {
        "200": ("Kept; handled by a worker.", {"type": "object", "properties": {"received": {"type": "boolean"}}}),
        "400": ("Not readable as an event.", error),
        "401": ("The signature is wrong, missing or stale.", error),
        "404": ("Not configured here.", error),
        "413": ("The body is too large.", error),
        "503": ("The database is away; send it again.", error),
    }
    for pattern in get_resolver().url_patterns:
        for route in getattr(pattern, "url_patterns", [pattern]):
            source = getattr(route.callback, "webhook_source", None)
            if source:
                result["paths"][f"/{route.pattern}"] = {
                    "post": {
                        "operationId": f"webhooks_{source}",
                        "summary": f"What {source} tells us",
                        "description": "Signed by the gateway over the raw body; a repeat is answered like the first.",
                        "tags": ["webhooks"],
                        "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
                        "responses": {
                            status: {"description": text, "content": {"application/json": {"schema": schema}}}
                            for status, (text, schema) in answers.items()
                        },
                    }
                }
    return result


def _read_body(request: HttpRequest, limit: int) -> bytes | None:
    """The raw body; None when it has more than `limit` bytes, whatever Content-Length claims."""
    declared = request.META.get("CONTENT_LENGTH") or "0"
    if not declared.isdigit() or int(declared) > limit:
        return None
    # Django reads Content-Length bytes, so of a chunked body nothing; the server's own stream ends where it ends.
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    stream = request.META["wsgi.input"] if chunked and request.META.get("wsgi.input_terminated") else request
    parts, size = [], 0
    while part := _read_part(stream, min(CHUNK, limit + 1 - size)):
        parts.append(part)
        size += len(part)
        if size > limit:
            return None
    return b"".join(parts)


def _read_part(stream: Any, size: int) -> bytes:
    try:
        part: bytes = stream.read(size)
    except Exception as error:  # every server has exceptions of its own for chunks that are none
        raise UnreadablePostError(*error.args) from error
    return part


def _identified(identify: Callable[[dict[str, Any]], EventIdentity], body: bytes) -> EventIdentity | None:
    try:
        payload = read_json(body)
        event = identify(payload) if isinstance(payload, dict) else None
    except ValueError:  # no JSON, too deep, or UnreadableEvent
        return None
    if event is None or not 1 <= len(event.external_id) <= LONGEST_EXTERNAL_ID:
        return None
    if not 1 <= len(event.event_type) <= LONGEST_EVENT_TYPE or "\x00" in event.external_id + event.event_type:
        return None
    return event
