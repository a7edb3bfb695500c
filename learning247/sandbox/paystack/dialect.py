"""Paystack around its handlers: the routes, the key, the envelope of trouble."""

from __future__ import annotations

import hmac

from learning247.sandbox.gateway import Route
from learning247.sandbox.paystack.banks import Banks
from learning247.sandbox.paystack.customers import Customers
from learning247.sandbox.paystack.disputes import Disputes
from learning247.sandbox.paystack.errors import invalid_key, refusal
from learning247.sandbox.paystack.ledger import Ledger
from learning247.sandbox.paystack.recipients import Recipients
from learning247.sandbox.paystack.refunds import Refunds
from learning247.sandbox.paystack.settlements import Settlements
from learning247.sandbox.paystack.transactions import Transactions
from learning247.sandbox.paystack.transfers import Transfers
from learning247.sandbox.wire import Call, Handler, Reply
from learning247.sandbox.world import World


class Paystack:
    """The whole provider."""

    provider = "paystack"

    def __init__(self, world: World) -> None:
        self._world = world
        self.ledger = Ledger(world)
        customers = Customers(world)
        self.transactions = Transactions(world, self.ledger, customers)
        self.refunds = Refunds(world, self.ledger, self.transactions, customers)
        self.banks = Banks()
        self.recipients = Recipients(world, self.banks)
        self.transfers = Transfers(world, self.ledger, self.recipients)
        self.disputes = Disputes(world, self.ledger, self.transactions, customers)
        self.settlements = Settlements(world, self.ledger, customers)
        self.routes = self._routes()

    def _routes(self) -> list[Route]:
        """In this order: a fixed word wins over a parameter in the same place."""
        return [
            Route("POST", "/transaction/initialize", self.transactions.initialize),
            Route("GET", "/transaction/verify/{reference}", self.transactions.verify),
            Route("GET", "/transaction", self.transactions.index),
            Route("GET", "/transaction/{id}", self.transactions.fetch),
            Route("POST", "/refund", self.refunds.create),
            Route("GET", "/refund", self.refunds.index),
            Route("GET", "/refund/{id}", self.refunds.fetch),
            Route("GET", "/dispute", self.disputes.index),
            Route("GET", "/dispute/{id}", self.disputes.fetch),
            Route("GET", "/settlement", self.settlements.index),
            Route("GET", "/settlement/{id}/transactions", self.settlements.transactions),
            Route("GET", "/bank", self.banks.index),
            Route("GET", "/bank/resolve", self.banks.resolve),
            Route("POST", "/transferrecipient", self.recipients.create),
            Route("POST", "/transfer", self.transfers.create),
            Route("POST", "/transfer/finalize_transfer", self.transfers.finalize),
            Route("GET", "/transfer/verify/{reference}", self.transfers.verify),
            Route("GET", "/transfer", self.transfers.index),
            Route("GET", "/transfer/{code}", self.transfers.fetch),
            Route("GET", "/balance", self.ledger.show),
            Route("GET", "/balance/ledger", self.ledger.history),
        ]

    def authenticate(self, call: Call) -> None:
        expected = f"Bearer {self._world.config.paystack_secret_key}"
        if not hmac.compare_digest(call.headers.get("authorization", "").encode(), expected.encode()):
            raise invalid_key()

    def missing(self, call: Call) -> Reply:
        return Reply(404, {"status": False, "message": "Route not found", "type": "api_error", "code": "not_found"})

    def broken(self, call: Call, status: int) -> Reply:
        return refusal(
            "An error occurred", code="unknown", kind="api_error", step="Try again later", status=status
        ).reply

    def begin(self, call: Call) -> Reply | None:
        """Nothing: Paystack has no idempotency keys, the reference is the key (docs/gateways.md §1)."""
        return None

    def execute(self, call: Call, handler: Handler) -> Reply:
        return handler(call)

    def finish(self, call: Call, reply: Reply) -> None:
        """Nothing to remember."""

    def release(self, call: Call) -> None:
        """Nothing to let go."""

    def stamp(self, call: Call, reply: Reply) -> Reply:
        return reply
