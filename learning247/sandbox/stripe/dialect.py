"""Stripe around its handlers: the routes, the key, idempotency, the headers of every answer."""

from __future__ import annotations

import hmac

from learning247.sandbox.gateway import Route
from learning247.sandbox.stripe.accounts import Accounts
from learning247.sandbox.stripe.balances import Balances
from learning247.sandbox.stripe.checkout import Sessions
from learning247.sandbox.stripe.disputes import Disputes
from learning247.sandbox.stripe.errors import refusal
from learning247.sandbox.stripe.events import API_VERSION, Events
from learning247.sandbox.stripe.idempotency import Idempotency
from learning247.sandbox.stripe.objects import Objects
from learning247.sandbox.stripe.payments import Payments
from learning247.sandbox.stripe.payouts import Payouts
from learning247.sandbox.stripe.refunds import Refunds
from learning247.sandbox.stripe.topups import TopUps
from learning247.sandbox.stripe.transfers import Transfers
from learning247.sandbox.wire import Call, Handler, Reply
from learning247.sandbox.world import World


class Stripe:
    """The whole provider."""

    provider = "stripe"

    def __init__(self, world: World) -> None:
        self._world = world
        self._idempotency = Idempotency(world)
        self.objects = Objects(world)
        self.events = Events(world, self.objects)
        self.balances = Balances(world, self.objects)
        self.payments = Payments(world, self.objects, self.events, self.balances)
        self.sessions = Sessions(world, self.objects, self.events, self.payments)
        self.refunds = Refunds(world, self.objects, self.events, self.balances)
        self.disputes = Disputes(world, self.objects, self.events, self.balances)
        self.accounts = Accounts(world, self.objects, self.events)
        self.transfers = Transfers(world, self.objects, self.events, self.balances, self.accounts)
        self.payouts = Payouts(world, self.objects, self.events, self.balances)
        self.topups = TopUps(world, self.objects, self.events, self.balances)
        self.routes = [*self._money_in(), *self._money_out()]

    def _money_in(self) -> list[Route]:
        retriever = self.payments.retriever
        return [
            Route("POST", "/v1/checkout/sessions", self.sessions.create),
            Route("GET", "/v1/checkout/sessions", self.sessions.index),
            Route("GET", "/v1/checkout/sessions/{id}", self.sessions.retrieve),
            Route("POST", "/v1/checkout/sessions/{id}/expire", self.sessions.expire),
            Route("GET", "/v1/checkout/sessions/{id}/line_items", self.sessions.line_items),
            Route("GET", "/v1/payment_intents", self.payments.intents),
            Route("GET", "/v1/payment_intents/{id}", retriever("payment_intent")),
            Route("GET", "/v1/charges", self.payments.charges),
            Route("GET", "/v1/charges/{id}", retriever("charge")),
            Route("GET", "/v1/balance", self.balances.show),
            Route("GET", "/v1/balance_transactions", self.balances.index),
            Route("GET", "/v1/balance_transactions/{id}", self.balances.retrieve),
            Route("POST", "/v1/refunds", self.refunds.create),
            Route("GET", "/v1/refunds", self.refunds.index),
            Route("GET", "/v1/refunds/{id}", self.refunds.retrieve),
            Route("GET", "/v1/disputes", self.disputes.index),
            Route("GET", "/v1/disputes/{id}", self.disputes.retrieve),
            Route("POST", "/v1/disputes/{id}", self.disputes.update),
            Route("GET", "/v1/events", self.events.index),
            Route("GET", "/v1/events/{id}", self.events.retrieve),
        ]

    def _money_out(self) -> list[Route]:
        return [
            Route("POST", "/v1/accounts", self.accounts.create),
            Route("GET", "/v1/accounts/{id}", self.accounts.retrieve),
            Route("POST", "/v1/account_links", self.accounts.link),
            Route("POST", "/v1/transfers", self.transfers.create),
            Route("GET", "/v1/transfers", self.transfers.index),
            Route("GET", "/v1/transfers/{id}", self.transfers.retrieve),
            Route("POST", "/v1/transfers/{id}/reversals", self.transfers.reverse),
            Route("GET", "/v1/transfers/{id}/reversals", self.transfers.reversals),
            Route("POST", "/v1/payouts", self.payouts.create),
            Route("GET", "/v1/payouts", self.payouts.index),
            Route("GET", "/v1/payouts/{id}", self.payouts.retrieve),
            Route("GET", "/v1/topups", self.topups.index),
            Route("GET", "/v1/topups/{id}", self.topups.retrieve),
        ]

    def authenticate(self, call: Call) -> None:
        expected = f"Bearer {self._world.config.stripe_secret_key}"
        if not hmac.compare_digest(call.headers.get("authorization", "").encode(), expected.encode()):
            raise refusal("Invalid API Key provided.", status=401, code="api_key_invalid")

    def missing(self, call: Call) -> Reply:
        return refusal(f"Unrecognized request URL ({call.method}: {call.path}).", status=404).reply

    def broken(self, call: Call, status: int) -> Reply:
        return refusal("An unknown error occurred", status=status, kind="api_error").reply

    def begin(self, call: Call) -> Reply | None:
        known = self._idempotency.begin(call)
        return known if known is None else self.stamp(call, known)

    def execute(self, call: Call, handler: Handler) -> Reply:
        self.events.caused_by(call)
        try:
            return handler(call)
        finally:
            self.events.caused_by(None)

    def finish(self, call: Call, reply: Reply) -> None:
        self._idempotency.finish(call, reply)

    def release(self, call: Call) -> None:
        self._idempotency.release(call)

    def stamp(self, call: Call, reply: Reply) -> Reply:
        headers = {
            "request-id": call.request_id,
            "stripe-version": call.headers.get("stripe-version", API_VERSION),
        }
        key = call.headers.get("idempotency-key", "")
        if key and key.isascii() and key.isprintable():
            headers["idempotency-key"] = key
        return Reply(reply.status, reply.body, headers | reply.headers)
