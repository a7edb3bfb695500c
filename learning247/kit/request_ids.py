"""Request ids: taken from a sane `X-Request-ID` or made here, bound to every log line, sent back in the answer."""

import re
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from learning247.kit.ids import new_id

HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)


class RequestIdMiddleware:
    """Sets `request.request_id`; a foreign id that is not plain and short is replaced, never echoed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get(HEADER, "")
        request_id = offered if _ACCEPTED.fullmatch(offered) else str(new_id())
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response[HEADER] = request_id
        return response


def request_id_of(request: object) -> str | None:
    """The id of a Django or DRF request; None outside a request."""
    return getattr(request, "request_id", None)
