"""Paystack signs its webhooks with HMAC-SHA512 of the raw body, in hex, keyed with the API's secret key."""

import hashlib
import hmac

SIGNATURE_HEADER = "x-paystack-signature"


def verify_signature(body: bytes, signature: str, secret_key: str) -> bool:
    """Whether `signature` is Paystack's over exactly these bytes; in constant time. No key: never."""
    if not secret_key:
        return False
    expected = hmac.new(secret_key.encode(), body, hashlib.sha512).hexdigest()
    # As bytes: for text, compare_digest refuses what is not ASCII, and anybody may send such a header.
    return hmac.compare_digest(expected.encode(), signature.strip().encode("utf-8", "surrogatepass"))
