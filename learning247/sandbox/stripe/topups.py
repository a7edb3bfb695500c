"""Top-ups: from the platform's own bank to its balance. Made on Stripe's pages, that is by the control API."""

from __future__ import annotations

from learning247.sandbox.stripe.balances import Balances
from learning247.sandbox.stripe.errors import refusal
from learning247.sandbox.stripe.events import Events
from learning247.sandbox.stripe.objects import Objects
from learning247.sandbox.stripe.parameters import Parameters
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World


class TopUps:
    def __init__(self, world: World, objects: Objects, events: Events, balances: Balances) -> None:
        self._world = world
        self._objects = objects
        self._events = events
        self._balances = balances

    def make(self, code: str, amount: int) -> Json:
        """One that succeeds at once."""
        now = self._world.clock.seconds()
        topup = self._objects.keep(
            {
                "id": self._world.ids.mixed("tu_"),
                "object": "topup",
                "amount": amount,
                "balance_transaction": None,
                "created": now,
                "currency": code,
                "description": "Top-up",
                "expected_availability_date": now,
                "failure_code": None,
                "failure_message": None,
                "livemode": False,
                "metadata": {},
                "source": None,
                "statement_descriptor": None,
                "status": "succeeded",
                "transfer_group": None,
            }
        )
        topup["balance_transaction"] = self._balances.book(topup, amount, "topup")
        self._events.emit("topup.created", topup)
        self._events.emit("topup.succeeded", topup)
        return topup

    def take_back(self, identifier: str) -> Json:
        """The bank wants it back."""
        topup = self._objects.get("topup", identifier)
        if topup["status"] != "succeeded":
            raise refusal("Only a top-up that succeeded can be reversed.")
        topup["status"] = "reversed"
        self._balances.book(topup, -topup["amount"], "topup_reversal")
        self._events.emit("topup.reversed", topup, previous={"status": "succeeded"})
        return topup

    def retrieve(self, call: Call) -> Reply:
        """GET /v1/topups/{id}."""
        parameters = Parameters(call)
        parameters.finish()
        return self._objects.reply(self._objects.get("topup", call.arguments["id"]), parameters)

    def index(self, call: Call) -> Reply:
        """GET /v1/topups, by status."""
        parameters = Parameters(call)
        status = parameters.optional_text("status")
        return self._objects.listing(
            "topup", "/v1/topups", parameters, lambda row: not status or row["status"] == status
        )
