"""Errors to HTTP: one envelope for the whole API, from validation to 500.

`{"type", "errors": [{"code", "detail", "attr"}], "request_id"}`, plus `"extra"` where a DomainError has some.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from drf_standardized_errors.formatter import ExceptionFormatter as BaseFormatter
from drf_standardized_errors.handler import ExceptionHandler as BaseHandler
from drf_standardized_errors.handler import exception_handler
from drf_standardized_errors.types import ErrorResponse
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError

from learning247.kit.api.envelope import envelope
from learning247.kit.api.throttles import refusal_counted
from learning247.kit.errors import DomainError, RequestTooLarge, Unavailable
from learning247.kit.json_encoding import to_json
from learning247.kit.request_ids import request_id_of

__all__ = ["ExceptionFormatter", "ExceptionHandler", "error_response", "exception_handler", "not_found", "server_error"]

# RFC 6750: what a 401 asks for.
BEARER = 'Bearer realm="api"'


class ExceptionHandler(BaseHandler):
    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, OperationalError):
            # The database is away, or a row stayed locked past the bound: the same request may succeed later.
            exc = Unavailable("The service is busy. Try again in a moment.", retry_after=2)
        if isinstance(exc, DomainError):
            return _as_api_exception(exc)
        exc = super().convert_known_exceptions(exc)
        return refusal_counted(exc, view=self.context["view"], request=self.context["request"])


def _as_api_exception(error: DomainError) -> APIException:
    converted: APIException
    if error.status == 400 and error.attr:
        converted = ValidationError({error.attr: [ErrorDetail(error.detail, code=error.code)]})
    else:
        converted = APIException(detail=error.detail, code=error.code)
    converted.status_code = error.status
    if error.status == 401:
        converted.auth_header = BEARER  # type: ignore[attr-defined]
    converted.wait = error.retry_after  # type: ignore[attr-defined]
    converted.extra = error.extra  # type: ignore[attr-defined]
    converted.attr = error.attr  # type: ignore[attr-defined]
    return converted


class ExceptionFormatter(BaseFormatter):
    def format_error_response(self, error_response: ErrorResponse) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": str(error_response.type),
            "errors": [
                {"code": error.code, "detail": error.detail, "attr": error.attr or getattr(self.exc, "attr", None)}
                for error in error_response.errors
            ],
            "request_id": request_id_of(self.context.get("request")),
        }
        extra = getattr(self.exc, "extra", None)
        if extra:
            body["extra"] = extra
        return body


def error_response(request: HttpRequest, *, status: int, code: str, detail: str) -> HttpResponse:
    """The envelope for plain Django views and error handlers."""
    body = envelope(status=status, code=code, detail=detail, request_id=request_id_of(request))
    return HttpResponse(to_json(body), status=status, content_type="application/json")


class DomainErrorMiddleware:
    """A refusal that reaches the edge outside of the API, as in a page of the console, is still no fault of ours."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        response = error_response(request, status=exception.status, code=exception.code, detail=exception.detail)
        if exception.retry_after is not None:
            response["Retry-After"] = str(exception.retry_after)
        return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler400`: a host that is not ours, a body that Django does not read, and other requests of no good intent."""
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return error_response(request, status=413, code=RequestTooLarge.code, detail=RequestTooLarge.detail)
    return error_response(request, status=400, code="bad_request", detail="The request is malformed.")


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    """`handler403`."""
    return error_response(request, status=403, code="permission_denied", detail="This is not allowed.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """`CSRF_FAILURE_VIEW`: only the staff console has forms."""
    return error_response(
        request,
        status=403,
        code="csrf_failed",
        detail="This form is out of date. Load its page again and send it anew.",
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """`handler404`: also for paths that no route knows."""
    return error_response(request, status=404, code="not_found", detail="There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    """`handler500`: says nothing of the cause; the log has it under the same request id."""
    return error_response(request, status=500, code="error", detail="Something went wrong on our side.")
