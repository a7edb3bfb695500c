"""Who has a Google account here: a few from the start, and whoever was typed into the page."""

from __future__ import annotations

import hashlib

from learning247.sandbox.state import Store
from learning247.sandbox.wire import Json

TABLE = "google.people"


def person(sub: str, email: str, given_name: str, family_name: str, *, verified: bool = True) -> Json:
    """As it stands in claims. ``sub`` is the account for ever; the email may change."""
    return {
        "sub": sub,
        "email": email,
        "email_verified": verified,
        "name": f"{given_name} {family_name}".strip(),
        "given_name": given_name,
        "family_name": family_name,
    }


KNOWN = (
    person("104857600000000000001", "ada.google@example.com", "Ada", "Obi"),
    person("104857600000000000002", "kofi.google@example.com", "Kofi", "Mensah"),
    person("104857600000000000003", "unverified.google@example.com", "Uma", "Bello", verified=False),
)


class People:
    def __init__(self, store: Store) -> None:
        self._rows = store.table(TABLE)

    def all(self) -> list[Json]:
        return list(({row["sub"]: row for row in KNOWN} | self._rows).values())

    def find(self, sub: str) -> Json | None:
        return next((row for row in self.all() if row["sub"] == sub), None)

    def keep(self, *, sub: str, email: str, given_name: str, family_name: str, verified: bool) -> Json:
        """Somebody typed in. The same ``sub`` again changes that account; without one the email decides which it is."""
        sub = sub or str(10**20 + int(hashlib.sha256(email.lower().encode()).hexdigest()[:16], 16))
        self._rows[sub] = person(sub, email, given_name, family_name, verified=verified)
        return self._rows[sub]
