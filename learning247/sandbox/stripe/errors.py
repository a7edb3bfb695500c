"""Stripe's error bodies."""

from __future__ import annotations

from learning247.sandbox.wire import Json, RefusalError, Reply

DOCUMENTATION = "https://stripe.com/docs/error-codes"


def refusal(
    message: str,
    *,
    status: int = 400,
    kind: str = "invalid_request_error",
    code: str = "",
    param: str = "",
) -> RefusalError:
    """``{"error": {...}}`` to raise. An ``idempotency_error`` or a wrong parameter is never stored for
    replay.
    """
    error: Json = {"message": message, "type": kind}
    if code:
        error |= {"code": code, "doc_url": f"{DOCUMENTATION}/{code.replace('_', '-')}"}
    if param:
        error["param"] = param
    return RefusalError(Reply(status, {"error": error}))


def missing(param: str) -> RefusalError:
    return refusal(f"Missing required param: {param}.", code="parameter_missing", param=param)


def unknown(param: str) -> RefusalError:
    return refusal(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def wrong(param: str, message: str) -> RefusalError:
    return refusal(message, code="parameter_invalid", param=param)


def no_such(what: str, identifier: str, param: str = "id") -> RefusalError:
    return refusal(f"No such {what}: '{identifier}'", status=404, code="resource_missing", param=param)
