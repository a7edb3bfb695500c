"""Signatures and secrets as Standard Webhooks has them (github.com/standard-webhooks/standard-webhooks)."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from standardwebhooks.webhooks import Webhook

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


def new_secret() -> str:
    """32 random bytes; the specification asks for 24 to 64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(*, message_id: str, moment: datetime, body: bytes, secrets_in_use: Sequence[str]) -> dict[str, str]:
    """The three headers of a delivery. Each secret in use signs, so that a receiver may change over in its own time."""
    signatures = (Webhook(secret).sign(message_id, moment, body.decode()) for secret in secrets_in_use)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
