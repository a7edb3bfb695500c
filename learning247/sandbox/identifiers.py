"""Identifiers in each provider's alphabet and size."""

from __future__ import annotations

import secrets
import string
from hashlib import sha256

from learning247.sandbox.state import Store

ALPHANUMERIC = string.ascii_letters + string.digits
LOWERCASE = string.ascii_lowercase + string.digits

# Paystack ids are unsigned 64-bit (docs/gateways.md §1): starting above 2**32 shows at once who stores 32 bits.
FIRST_NUMBER = 5_000_000_000


def card_print(number: str, holder: str = "") -> str:
    """What a gateway knows a card by: the same whenever it is used, and nobody's number."""
    return sha256(f"{number} {holder.lower()}".encode()).hexdigest()[:20]


class Identifiers:
    """Numbers that grow and codes that nobody can guess."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def number(self) -> int:
        return FIRST_NUMBER + self._store.count("number")

    def lowercase(self, prefix: str, length: int = 15) -> str:
        return prefix + "".join(secrets.choice(LOWERCASE) for _ in range(length))

    def mixed(self, prefix: str, length: int = 24) -> str:
        return prefix + "".join(secrets.choice(ALPHANUMERIC) for _ in range(length))
