"""Refunds of charges: whole or in parts, and those that fail later and bring the money back."""

from __future__ import annotations

from learning247.sandbox.stripe.balances import Balances
from learning247.sandbox.stripe.cards import card_ending
from learning247.sandbox.stripe.errors import missing, refusal, wrong
from learning247.sandbox.stripe.events import Events
from learning247.sandbox.stripe.objects import Objects
from learning247.sandbox.stripe.parameters import Parameters
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
FAILING_SECONDS = 2

STANDING = ("needs_response", "under_review", "lost")


class Refunds:
    def __init__(self, world: World, objects: Objects, events: Events, balances: Balances) -> None:
        self._world = world
        self._objects = objects
        self._events = events
        self._balances = balances
        world.agenda.register("stripe.refund", self._fall_due)

    def create(self, call: Call) -> Reply:
        """POST /v1/refunds of a ``payment_intent`` or a ``charge``."""
        parameters = Parameters(call)
        charge = self._charge(parameters)
        amount = parameters.optional_whole("amount")
        reason = parameters.optional_text("reason") or None
        if reason and reason not in REASONS:
            raise wrong("reason", f"Invalid reason: must be one of {', '.join(REASONS)}")
        metadata = parameters.metadata()
        parameters.ignore("reverse_transfer", "refund_application_fee", "instructions_email")
        parameters.finish()
        refund = self._refund(charge, self._amount(charge, amount), reason, metadata)
        self._begin(charge, refund)
        return self._objects.reply(refund, parameters)

    def retrieve(self, call: Call) -> Reply:
        """GET /v1/refunds/{id}."""
        parameters = Parameters(call)
        parameters.finish()
        return self._objects.reply(self._objects.get("refund", call.arguments["id"]), parameters)

    def index(self, call: Call) -> Reply:
        """GET /v1/refunds, by charge or payment intent."""
        parameters = Parameters(call)
        wanted = {name: parameters.optional_text(name) for name in ("charge", "payment_intent")}
        return self._objects.listing(
            "refund",
            "/v1/refunds",
            parameters,
            lambda row: all(not value or row[name] == value for name, value in wanted.items()),
        )

    def succeed(self, refund: Json) -> None:
        """A pending refund arrived."""
        self._require(refund, "pending")
        refund["status"] = "succeeded"
        self._events.emit("refund.updated", refund, previous={"status": "pending"})

    def fail(self, refund: Json) -> None:
        """A refund came back: the balance has the money again, and the charge less refunded."""
        self._require(refund, "pending", "succeeded")
        before = refund["status"]
        charge = self._objects.get("charge", refund["charge"])
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
        refund.update(status="failed", failure_reason="expired_or_canceled_card")
        refund["failure_balance_transaction"] = self._balances.book(refund, refund["amount"], "refund_failure")
        self._events.emit("refund.failed", refund, previous={"status": before})
        self._events.emit("refund.updated", refund, previous={"status": before})

    def _require(self, refund: Json, *statuses: str) -> None:
        if refund["status"] not in statuses:
            raise refusal(f"This refund is {refund['status']}.")

    def _charge(self, parameters: Parameters) -> Json:
        intent_id, charge_id = parameters.optional_text("payment_intent"), parameters.optional_text("charge")
        if intent_id:
            intent = self._objects.get("payment_intent", intent_id, "payment_intent")
            if intent["status"] != "succeeded":
                raise refusal(f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.")
            return self._objects.get("charge", intent["latest_charge"])
        if not charge_id:
            raise missing("payment_intent")
        return self._objects.get("charge", charge_id, "charge")

    def _amount(self, charge: Json, amount: int | None) -> int:
        left = int(charge["amount_captured"]) - int(charge["amount_refunded"])
        if self._charged_back(charge):
            raise refusal(f"Charge {charge['id']} has been charged back.", code="charge_disputed")
        if left <= 0:
            raise refusal(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        if amount is not None and amount > left:
            raise wrong("amount", f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})")
        return left if amount is None else amount

    def _charged_back(self, charge: Json) -> bool:
        """A dispute that is open or lost stands in the way of a refund; an inquiry does not."""
        disputes = self._objects.table("dispute").values()
        return any(row["charge"] == charge["id"] and row["status"] in STANDING for row in disputes)

    def _refund(self, charge: Json, amount: int, reason: str | None, metadata: Json) -> Json:
        outcome = self._world.behaviour["stripe_refund_outcome"]
        return {
            "id": self._world.ids.mixed("re_"),
            "object": "refund",
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "created": self._world.clock.seconds(),
            "currency": charge["currency"],
            "destination_details": {"card": {"type": "refund"}, "type": "card"},
            "metadata": metadata,
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "transfer_reversal": None,
            "status": "pending" if outcome == "pending" else "succeeded",
        }

    def _begin(self, charge: Json, refund: Json) -> None:
        self._objects.keep(refund)
        refund["balance_transaction"] = self._balances.book(refund, -refund["amount"], "refund")
        charge["amount_refunded"] += refund["amount"]
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        self._events.emit("refund.created", refund)
        self._events.emit("charge.refunded", charge)
        card = card_ending(charge["payment_method_details"]["card"]["last4"])
        if card.refund_fails or self._world.behaviour["stripe_refund_outcome"] == "failed":
            self._world.agenda.schedule("stripe.refund", {"id": refund["id"]}, delay=FAILING_SECONDS)

    def _fall_due(self, arguments: Json) -> None:
        refund = self._objects.table("refund").get(arguments["id"])
        if refund is not None and refund["status"] != "failed":
            self.fail(refund)
