"""How each provider signs the raw bytes of a webhook (docs/gateways.md §0 to §2)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence


def paystack_signature(body: bytes, secret_key: str) -> str:
    """Value of ``x-paystack-signature``: HMAC-SHA512 of the body, keyed with the API secret key, in hex."""
    return hmac.new(secret_key.encode(), body, hashlib.sha512).hexdigest()


def stripe_signature(body: bytes, secrets: Sequence[str], timestamp: int) -> str:
    """Value of ``Stripe-Signature``. Several secrets give several ``v1`` parts, as while a secret is
    rolled.
    """
    signed = f"{timestamp}.".encode() + body
    digests = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join([f"t={timestamp}", *(f"v1={digest}" for digest in digests)])
