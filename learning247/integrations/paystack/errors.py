"""What a call to Paystack may end in, besides its answer.

Two families matter to money: `PaystackRejected` is a conclusive no, nothing happened; `PaystackUnknownOutcome` says
nothing about what happened: ask with the same reference, never send a new one.
"""


class PaystackError(Exception):
    """Anything but an answer. No message ever holds the secret key."""


class PaystackRejected(PaystackError):
    """A conclusive no (4xx): nothing happened. `status` is HTTP's, `code` Paystack's own ("" where it has none)."""

    def __init__(self, *, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message
        super().__init__(f"Paystack answered {status} {code}: {message}".replace(" :", ":"))


class PaystackDuplicateReference(PaystackRejected):
    """This reference was used before: verify it, the first call has worked."""


class PaystackBalanceTooLow(PaystackRejected):
    """Our own balance there does not cover the transfer and its fee: top it up, then send again."""


class PaystackNotFound(PaystackRejected):
    """Paystack knows no such thing; a reference that was never initialized there may be sent again."""


class PaystackUnauthorized(PaystackRejected):
    """The secret key is wrong or may not do this."""


class PaystackRateLimited(PaystackRejected):
    """Too many calls: nothing happened. `retry_after` is in seconds."""

    def __init__(self, *, retry_after: int, message: str) -> None:
        self.retry_after = retry_after
        super().__init__(status=429, code="rate_limited", message=message)


class PaystackUnknownOutcome(PaystackError):
    """A timeout, a connection lost, a 5xx or an answer that nobody can read: it may have happened or not."""


class MalformedAnswer(PaystackUnknownOutcome):
    """An answer whose shape is not what the specification says; names the field."""
