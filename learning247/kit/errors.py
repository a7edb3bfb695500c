"""Errors that a caller is meant to see: typed, with a code, a status and the next step in plain words."""

from typing import Any


class DomainError(Exception):
    """A rule said no. `code` is for programs, `detail` for people, `extra` for both; nothing internal in any of them.

    `retry_after` (seconds) becomes the header of the same name; `attr` names the request field at fault.
    """

    status = 400
    code = "error"
    detail = "The request could not be carried out."

    def __init__(
        self,
        detail: str | None = None,
        *,
        code: str | None = None,
        extra: dict[str, Any] | None = None,
        attr: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.detail = detail or self.detail
        self.code = code or self.code
        self.extra = extra
        self.attr = attr
        self.retry_after = retry_after
        super().__init__(self.detail)


class Malformed(DomainError):
    status = 400
    code = "invalid"
    detail = "The request is malformed."


class PaymentRequired(DomainError):
    status = 402
    code = "purchase_required"
    detail = "Buy this first."


class Forbidden(DomainError):
    status = 403
    code = "permission_denied"
    detail = "Your account may not do this."


class NotFound(DomainError):
    status = 404
    code = "not_found"
    detail = "There is nothing here for you."


class Conflict(DomainError):
    status = 409
    code = "conflict"
    detail = "This is not possible in the current state."


class RequestTooLarge(DomainError):
    status = 413
    code = "request_too_large"
    detail = "The body is larger than this endpoint takes."


class Unprocessable(DomainError):
    status = 422
    code = "unprocessable"
    detail = "A rule refuses this."


class Unavailable(DomainError):
    """A provider, the broker or a contended row did not answer in time; the same request may succeed later."""

    status = 503
    code = "service_unavailable"
    detail = "This is not available right now. Try again shortly."

    def __init__(self, detail: str | None = None, *, retry_after: int = 5, **kwargs: Any) -> None:
        super().__init__(detail, retry_after=retry_after, **kwargs)
