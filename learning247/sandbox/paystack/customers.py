"""Customers, one per email address, created by their first payment."""

from __future__ import annotations

from learning247.sandbox.wire import Json
from learning247.sandbox.world import World


class Customers:
    def __init__(self, world: World) -> None:
        self._world = world
        self._rows = world.store.table("paystack.customers")

    def of(self, email: str) -> Json:
        """The customer with this address, in the shape of the API's answers."""
        key = email.lower()
        if key not in self._rows:
            self._rows[key] = {
                "id": self._world.ids.number(),
                "first_name": None,
                "last_name": None,
                "email": email,
                "customer_code": self._world.ids.lowercase("CUS_"),
                "phone": None,
                "metadata": None,
                "risk_action": "default",
                "international_format_phone": None,
            }
        return self._rows[key]

    def described(self, email: str) -> Json:
        """The same with empty texts for what is unknown, as some answers have it."""
        customer = self.of(email)
        return {name: "" if value is None else value for name, value in customer.items()}
