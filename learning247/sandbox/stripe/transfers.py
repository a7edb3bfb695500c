"""Transfers: from the platform's balance to a connected account's, and back by reversals."""

from __future__ import annotations

from learning247.sandbox.faults import Target
from learning247.sandbox.stripe.accounts import Accounts
from learning247.sandbox.stripe.balances import Balances
from learning247.sandbox.stripe.errors import refusal, wrong
from learning247.sandbox.stripe.events import Events
from learning247.sandbox.stripe.objects import PLATFORM, Objects, empty_list
from learning247.sandbox.stripe.parameters import Parameters
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World


class Transfers:
    def __init__(self, world: World, objects: Objects, events: Events, balances: Balances, accounts: Accounts) -> None:
        self._world = world
        self._objects = objects
        self._events = events
        self._balances = balances
        self._accounts = accounts
        world.agenda.register("stripe.transfer_reversal", self._fall_due)

    def create(self, call: Call) -> Reply:
        """POST /v1/transfers."""
        parameters = Parameters(call)
        amount, code = parameters.whole("amount"), parameters.currency()
        destination = parameters.text("destination")
        facts = {
            "description": parameters.optional_text("description") or None,
            "metadata": parameters.metadata(),
            "transfer_group": parameters.optional_text("transfer_group") or None,
            "source_transaction": parameters.optional_text("source_transaction") or None,
            "source_type": parameters.choice("source_type", ("card", "bank_account", "fpx"), "card"),
        }
        parameters.finish()
        self._accounts.require_transfers(destination)
        if facts["source_transaction"]:
            self._objects.get("charge", str(facts["source_transaction"]), "source_transaction")
        self._balances.require(PLATFORM, code, amount)
        transfer = self._begin(amount, code, destination, facts)
        self._plan_late_reversal(call, transfer)
        return self._objects.reply(transfer, parameters)

    def retrieve(self, call: Call) -> Reply:
        """GET /v1/transfers/{id}."""
        parameters = Parameters(call)
        parameters.finish()
        return self._objects.reply(self._objects.get("transfer", call.arguments["id"]), parameters)

    def index(self, call: Call) -> Reply:
        """GET /v1/transfers, by destination or transfer group."""
        parameters = Parameters(call)
        wanted = {name: parameters.optional_text(name) for name in ("destination", "transfer_group")}
        return self._objects.listing(
            "transfer",
            "/v1/transfers",
            parameters,
            lambda row: all(not value or row[name] == value for name, value in wanted.items()),
        )

    def reverse(self, call: Call) -> Reply:
        """POST /v1/transfers/{id}/reversals, by default of all that is left."""
        parameters = Parameters(call)
        transfer = self._objects.get("transfer", call.arguments["id"])
        amount, metadata = parameters.optional_whole("amount"), parameters.metadata()
        parameters.ignore("description", "refund_application_fee")
        parameters.finish()
        left = int(transfer["amount"]) - int(transfer["amount_reversed"])
        if left == 0:
            raise refusal("This transfer has already been reversed.", code="transfer_already_reversed")
        if amount is not None and amount > left:
            raise wrong("amount", f"Reversal amount ({amount}) is greater than what is left of the transfer ({left}).")
        amount = left if amount is None else amount
        self._balances.require(transfer["destination"], transfer["currency"], amount)
        return self._objects.reply(self.take_back(transfer, amount, metadata), parameters)

    def reversals(self, call: Call) -> Reply:
        """GET /v1/transfers/{id}/reversals."""
        transfer = self._objects.get("transfer", call.arguments["id"])
        return self._objects.listing(
            "transfer_reversal",
            f"/v1/transfers/{transfer['id']}/reversals",
            Parameters(call),
            lambda row: bool(row["transfer"] == transfer["id"]),
        )

    def take_back(self, transfer: Json, amount: int, metadata: Json) -> Json:
        """Reverse a part of a transfer, whatever the connected balance; answers the reversal."""
        reversal = {
            "id": self._world.ids.mixed("trr_"),
            "object": "transfer_reversal",
            "amount": amount,
            "balance_transaction": None,
            "created": self._world.clock.seconds(),
            "currency": transfer["currency"],
            "destination_payment_refund": self._world.ids.mixed("pyr_"),
            "metadata": metadata,
            "source_refund": None,
            "transfer": transfer["id"],
        }
        self._objects.keep(reversal)
        reversal["balance_transaction"] = self._balances.book(reversal, amount, "transfer_reversal", kind="transfer")
        self._balances.add(transfer["destination"], transfer["currency"], -amount)
        transfer["amount_reversed"] += amount
        transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
        transfer["reversals"]["data"].insert(0, reversal)
        self._events.emit("transfer.reversed", transfer)
        return reversal

    def _begin(self, amount: int, code: str, destination: str, facts: Json) -> Json:
        identifier = self._world.ids.mixed("tr_")
        transfer = self._objects.keep(
            {
                "id": identifier,
                "object": "transfer",
                "amount": amount,
                "amount_reversed": 0,
                "balance_transaction": None,
                "created": self._world.clock.seconds(),
                "currency": code,
                "destination": destination,
                "destination_payment": self._world.ids.mixed("py_"),
                "livemode": False,
                "reversals": empty_list(f"/v1/transfers/{identifier}/reversals"),
                "reversed": False,
            }
            | facts
        )
        transfer["balance_transaction"] = self._balances.book(transfer, -amount, "transfer")
        self._balances.add(destination, code, amount)
        self._events.emit("transfer.created", transfer)
        return transfer

    def _plan_late_reversal(self, call: Call, transfer: Json) -> None:
        plan = self._world.dial.plan_transfer(Target("stripe", call.method, call.path, call.route))
        rule = plan.get("transfer_reversal")
        if rule is not None:
            self._world.agenda.schedule("stripe.transfer_reversal", {"id": transfer["id"]}, delay=rule.wait())

    def _fall_due(self, arguments: Json) -> None:
        transfer = self._objects.table("transfer").get(arguments["id"])
        if transfer is not None and not transfer["reversed"]:
            self.take_back(transfer, transfer["amount"] - transfer["amount_reversed"], {})
