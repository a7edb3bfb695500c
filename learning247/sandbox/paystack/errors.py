"""Paystack's error answers: ``status`` false, a message, and since 2024 also type, code and the next step."""

from __future__ import annotations

from learning247.sandbox.wire import RefusalError, Reply


def refusal(
    message: str,
    *,
    code: str,
    step: str = "Check the values that you sent and try again",
    status: int = 400,
    kind: str = "validation_error",
) -> RefusalError:
    """An error answer to raise. ``kind`` is validation_error, api_error or processor_error."""
    return RefusalError(
        Reply(
            status,
            {"status": False, "message": message, "meta": {"nextStep": step}, "type": kind, "code": code},
        )
    )


def invalid(message: str) -> RefusalError:
    return refusal(message, code="invalid_params")


def not_found(what: str, code: str) -> RefusalError:
    return refusal(f"{what} not found", code=code, step=f"Ask for a {what.lower()} of this integration", status=404)


def invalid_key() -> RefusalError:
    return refusal(
        "Invalid key",
        code="invalid_Key",
        step="Ensure that you provide the correct authorization key",
        status=401,
    )
