"""Google's refusals at its token and user endpoints (RFC 6749, 5.2)."""

from __future__ import annotations

from learning247.sandbox.wire import RefusalError, Reply


def refusal(code: str, description: str, *, status: int = 400) -> RefusalError:
    return RefusalError(Reply(status, {"error": code, "error_description": description}))
