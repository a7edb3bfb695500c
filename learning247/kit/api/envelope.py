"""The one shape of every error."""

from typing import Any


def envelope(*, status: int, code: str, detail: str, request_id: str | None) -> dict[str, Any]:
    """`{"type", "errors": [{"code", "detail", "attr"}], "request_id"}` of a refusal with one reason."""
    return {
        "type": "server_error" if status >= 500 else "client_error",
        "errors": [{"code": code, "detail": detail, "attr": None}],
        "request_id": request_id,
    }
