"""What may go wrong in records, and the answers of the Idempotency-Key contract."""

from learning247.kit.errors import Conflict, Malformed, Unprocessable


class EventNotReady(Exception):
    """A handler cannot handle the event yet, most often because our own row is still on its way: try again later."""


class ReasonRequired(Malformed):
    code = "reason_required"
    detail = "Say why: it goes on record with your name."


class IdempotencyKeyRequired(Malformed):
    code = "idempotency_key_required"
    detail = "Send an Idempotency-Key header: any text of your own, a new one for each new attempt to do this."


class IdempotencyKeyInvalid(Malformed):
    code = "idempotency_key_invalid"
    detail = "An Idempotency-Key has 1 to 255 printable ASCII characters."


class IdempotencyKeyReused(Unprocessable):
    code = "idempotency_key_reused"
    detail = "This Idempotency-Key was used for another request. Send a new key."


class IdempotencyInProgress(Conflict):
    code = "idempotency_in_progress"
    detail = "The first request with this Idempotency-Key is still running. Ask again in a moment."
