"""Payouts: from a Stripe balance to that account's own bank. With ``Stripe-Account`` a connected
account's.
"""

from __future__ import annotations

from learning247.sandbox.stripe.balances import Balances
from learning247.sandbox.stripe.errors import refusal
from learning247.sandbox.stripe.events import Events
from learning247.sandbox.stripe.objects import PLATFORM, Objects
from learning247.sandbox.stripe.parameters import Parameters
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

ARRIVAL_SECONDS = 2 * 24 * 3600
# A payout that arrived can still come back.
NEXT = {"pending": ("paid", "failed", "canceled"), "paid": ("failed",)}


class Payouts:
    def __init__(self, world: World, objects: Objects, events: Events, balances: Balances) -> None:
        self._world = world
        self._objects = objects
        self._events = events
        self._balances = balances
        self._owners = world.store.table("stripe.payout_owners")
        world.agenda.register("stripe.payout", self._fall_due)

    def create(self, call: Call) -> Reply:
        """POST /v1/payouts."""
        parameters = Parameters(call)
        account = call.headers.get("stripe-account", PLATFORM)
        amount, code = parameters.whole("amount"), parameters.currency()
        facts = {
            "description": parameters.optional_text("description") or None,
            "metadata": parameters.metadata(),
            "destination": parameters.optional_text("destination") or self._world.ids.mixed("ba_"),
            "method": parameters.choice("method", ("standard", "instant"), "standard"),
            "source_type": parameters.choice("source_type", ("card", "bank_account", "fpx"), "card"),
            "statement_descriptor": parameters.optional_text("statement_descriptor") or None,
        }
        parameters.finish()
        self._require_enabled(account)
        self._balances.require(account, code, amount)
        payout = self._begin(account, amount, code, facts)
        return self._objects.reply(payout, parameters)

    def retrieve(self, call: Call) -> Reply:
        """GET /v1/payouts/{id}, of the account it belongs to."""
        parameters = Parameters(call)
        parameters.finish()
        payout = self.find(call.arguments["id"], call.headers.get("stripe-account", PLATFORM))
        return self._objects.reply(payout, parameters)

    def index(self, call: Call) -> Reply:
        """GET /v1/payouts, by status."""
        parameters = Parameters(call)
        account, status = call.headers.get("stripe-account", PLATFORM), parameters.optional_text("status")
        return self._objects.listing(
            "payout",
            "/v1/payouts",
            parameters,
            lambda row: self._owners[row["id"]]["account"] == account and (not status or row["status"] == status),
        )

    def find(self, identifier: str, account: str) -> Json:
        owner = self._owners.get(identifier, {}).get("account")
        return self._objects.get("payout", identifier if owner == account else f"{identifier} of this account")

    def settle(self, code: str) -> Json:
        """An automatic payout of all that came to the platform's balance and was not paid out yet."""
        rows = self._balances.unpaid(PLATFORM, code)
        amount = sum(row["net"] for row in rows)
        if not amount:
            raise refusal("Nothing waits to be paid out.")
        automatic = {
            "automatic": True,
            "description": "STRIPE PAYOUT",
            "destination": self._world.ids.mixed("ba_"),
            "metadata": {},
            "method": "standard",
            "reconciliation_status": "in_progress",
            "source_type": "card",
            "statement_descriptor": None,
        }
        payout = self._begin(PLATFORM, amount, code, automatic)
        self._balances.pay_out(payout["id"], [*(row["id"] for row in rows), payout["balance_transaction"]])
        return payout

    def conclude(self, identifier: str, status: str) -> Json:
        """Move a payout on; a failed one brings the money back to the balance."""
        payout = self._objects.get("payout", identifier)
        if status not in NEXT.get(payout["status"], ()):
            raise refusal(f"A payout that is {payout['status']} cannot become {status}.")
        account, before = self._owners[identifier]["account"], payout["status"]
        payout["status"] = status
        if status in ("failed", "canceled"):
            kind = "payout_failure" if status == "failed" else "payout_cancel"
            back = self._balances.book(payout, payout["amount"], "payout_reversal", account=account, kind=kind)
            payout["failure_balance_transaction"] = back
        if status == "failed":
            payout.update(failure_code="account_closed", failure_message="The bank account has been closed.")
        for event in (f"payout.{status}", "payout.updated"):
            self._events.emit(event, payout, account=account, previous={"status": before})
        if status == "paid" and payout["automatic"]:
            payout["reconciliation_status"] = "completed"
            self._events.emit("payout.reconciliation_completed", payout, account=account)
        return payout

    def _require_enabled(self, account: str) -> None:
        if account and not self._objects.get("account", account, "account")["payouts_enabled"]:
            raise refusal("Payouts are not enabled for this account.", code="payouts_not_allowed")

    def _begin(self, account: str, amount: int, code: str, facts: Json) -> Json:
        now = self._world.clock.seconds()
        payout = self._objects.keep(
            {
                "id": self._world.ids.mixed("po_"),
                "object": "payout",
                "amount": amount,
                "application_fee": None,
                "application_fee_amount": None,
                "arrival_date": now + ARRIVAL_SECONDS,
                "automatic": False,
                "balance_transaction": None,
                "created": now,
                "currency": code,
                "failure_balance_transaction": None,
                "failure_code": None,
                "failure_message": None,
                "livemode": False,
                "original_payout": None,
                "payout_method": None,
                "reconciliation_status": "not_applicable",
                "reversed_by": None,
                "status": "pending",
                "trace_id": None,
                "type": "bank_account",
            }
            | facts
        )
        self._owners[payout["id"]] = {"account": account}
        payout["balance_transaction"] = self._balances.book(payout, -amount, "payout", account=account)
        self._events.emit("payout.created", payout, account=account)
        outcome = self._world.behaviour["stripe_payout_outcome"]
        if outcome != "none":
            self._world.agenda.schedule(
                "stripe.payout",
                {"id": payout["id"], "status": outcome},
                delay=self._world.behaviour["stripe_payout_seconds"],
            )
        return payout

    def _fall_due(self, arguments: Json) -> None:
        payout = self._objects.table("payout").get(arguments["id"])
        if payout is not None and arguments["status"] in NEXT.get(payout["status"], ()):
            self.conclude(payout["id"], arguments["status"])
