"""Stripe signs its webhooks with HMAC-SHA256 of `"<time>.<raw body>"`; the SDK's own verifier does the checking."""

from collections.abc import Iterable

import stripe

SIGNATURE_HEADER = "Stripe-Signature"
DEFAULT_TOLERANCE = 300


def verify_signature(body: bytes, header: str, secrets: Iterable[str], *, tolerance: int = DEFAULT_TOLERANCE) -> bool:
    """Whether `header` is Stripe's over exactly these bytes by one of `secrets`, no older than `tolerance` seconds.

    Several secrets hold while one is being rolled, and for several endpoints. No secret: never. Junk: False.
    """
    if not header.isascii() or len(header) > 4_096:
        return False
    # Every secret is tried, so that the time it takes does not tell which one was right.
    signed = [_is_signed(body, header, secret, tolerance) for secret in secrets]
    return any(signed)


def _is_signed(body: bytes, header: str, secret: str, tolerance: int) -> bool:
    try:
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True
