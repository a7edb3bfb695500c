"""What a call to Stripe may end in, besides its answer; the same two families as Paystack's.

`StripeRejected` is a conclusive no. `StripeUnknownOutcome` says nothing about what happened: the same call under the
same idempotency key, or a look at the object, finds out.
"""


class StripeGatewayError(Exception):
    """Anything but an answer. No message ever holds the secret key."""


class StripeRejected(StripeGatewayError):
    """A conclusive no (4xx): nothing happened. `status` is HTTP's, `code` Stripe's own ("" where it has none)."""

    def __init__(self, *, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = code
        self.message = message
        super().__init__(f"Stripe answered {status} {code}: {message}".replace(" :", ":"))


class StripeBalanceTooLow(StripeRejected):
    """Our own balance there does not cover the transfer: wait until sales have arrived, or top it up."""


class StripeNotFound(StripeRejected):
    """Stripe knows no such object."""


class StripeUnauthorized(StripeRejected):
    """The secret key is wrong or may not do this."""


class StripeIdempotencyMismatch(StripeRejected):
    """This idempotency key was used with other parameters: the first call has worked or failed under it."""


class StripeRateLimited(StripeRejected):
    """Too many calls: nothing happened. `retry_after` is in seconds."""

    def __init__(self, *, retry_after: int, message: str) -> None:
        self.retry_after = retry_after
        super().__init__(status=429, code="rate_limited", message=message)


class StripeUnknownOutcome(StripeGatewayError):
    """A timeout, a connection lost, a twin in flight, a 5xx or an answer that nobody can read."""


class MalformedAnswer(StripeUnknownOutcome):
    """An answer whose shape is not what the specification says; names the field."""
