"""Disputes: the money leaves at once, with a fee, and comes back when the dispute is won."""

from __future__ import annotations

from learning247.sandbox.stripe.balances import Balances
from learning247.sandbox.stripe.errors import refusal
from learning247.sandbox.stripe.events import Events
from learning247.sandbox.stripe.objects import Objects
from learning247.sandbox.stripe.parameters import Parameters
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

FEE = 1500
"""Minor units that a dispute costs, whatever its end."""

ANSWER_SECONDS = 7 * 24 * 3600
OUTCOMES = ("won", "lost", "prevented", "warning_closed")
INQUIRY = "warning_needs_response"
EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)


class Disputes:
    def __init__(self, world: World, objects: Objects, events: Events, balances: Balances) -> None:
        self._world = world
        self._objects = objects
        self._events = events
        self._balances = balances

    def retrieve(self, call: Call) -> Reply:
        """GET /v1/disputes/{id}."""
        parameters = Parameters(call)
        parameters.finish()
        return self._objects.reply(self._objects.get("dispute", call.arguments["id"]), parameters)

    def index(self, call: Call) -> Reply:
        """GET /v1/disputes, by charge or payment intent."""
        parameters = Parameters(call)
        wanted = {name: parameters.optional_text(name) for name in ("charge", "payment_intent")}
        return self._objects.listing(
            "dispute",
            "/v1/disputes",
            parameters,
            lambda row: all(not value or row[name] == value for name, value in wanted.items()),
        )

    def update(self, call: Call) -> Reply:
        """POST /v1/disputes/{id}: evidence, and with ``submit`` on its way to the bank."""
        parameters = Parameters(call)
        dispute = self._objects.get("dispute", call.arguments["id"])
        evidence, submit = parameters.mapping("evidence"), parameters.optional_text("submit") == "true"
        parameters.finish()
        unknown = sorted(set(evidence) - set(EVIDENCE))
        if unknown:
            raise refusal(f"Received unknown parameter: evidence[{unknown[0]}]", param="evidence")
        if dispute["status"] not in ("needs_response", INQUIRY):
            raise refusal("This dispute is no longer open for evidence")
        dispute["evidence"] |= evidence
        dispute["evidence_details"]["has_evidence"] = True
        if submit:
            before = dispute["status"]
            dispute["evidence_details"]["submission_count"] += 1
            dispute["status"] = "warning_under_review" if before == INQUIRY else "under_review"
            self._events.emit("charge.dispute.updated", dispute, previous={"status": before})
        return self._objects.reply(dispute, parameters)

    def open(self, payment: str, amount: int | None, reason: str, *, inquiry: bool = False) -> Json:
        """Dispute a charge, found by its id, its payment intent's or its session's. An inquiry moves no money."""
        charge = self._charge_of(payment)
        left = int(charge["amount_captured"]) - int(charge["amount_refunded"])
        amount = left if amount is None else amount
        if charge["disputed"] or not 0 < amount <= left:
            raise refusal("Only a charge that is paid, and not disputed yet, can be disputed for what is left of it")
        charge["disputed"] = True
        dispute = self._objects.keep(self._dispute(charge, amount, reason))
        if inquiry:
            dispute["status"] = INQUIRY
        self._events.emit("charge.dispute.created", dispute)
        if inquiry:
            return dispute
        self._book(dispute, -amount, fee=FEE)
        self._events.emit("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def close(self, identifier: str, outcome: str) -> Json:
        """``won`` gives the amount back (not the fee), ``lost`` leaves it with the customer. An inquiry becomes a
        dispute by ``needs_response``, and is over by ``warning_closed``.
        """
        if outcome == "needs_response":
            return self._escalate(self._objects.get("dispute", identifier))
        dispute = self._objects.get("dispute", identifier)
        if dispute["status"] in OUTCOMES or outcome not in OUTCOMES:
            raise refusal("An open dispute can be won, lost, prevented or closed, once")
        before = dispute["status"]
        if before.startswith("warning_") != (outcome == "warning_closed"):
            raise refusal("An inquiry is closed, or becomes a dispute first")
        dispute["status"] = outcome
        if outcome in ("won", "prevented"):
            self._book(dispute, dispute["amount"])
            self._events.emit("charge.dispute.funds_reinstated", dispute)
        self._events.emit("charge.dispute.closed", dispute, previous={"status": before})
        return dispute

    def _escalate(self, dispute: Json) -> Json:
        if dispute["status"] != INQUIRY:
            raise refusal("Only an inquiry becomes a dispute")
        dispute["status"] = "needs_response"
        self._events.emit("charge.dispute.updated", dispute, previous={"status": INQUIRY})
        self._book(dispute, -dispute["amount"], fee=FEE)
        self._events.emit("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def _charge_of(self, payment: str) -> Json:
        if payment.startswith("cs_"):
            payment = self._objects.get("checkout.session", payment)["payment_intent"] or ""
        if payment.startswith("pi_"):
            payment = self._objects.get("payment_intent", payment)["latest_charge"] or ""
        return self._objects.get("charge", payment)

    def _book(self, dispute: Json, amount: int, *, fee: int = 0) -> None:
        category = "dispute" if amount < 0 else "dispute_reversal"
        transaction = self._balances.book(dispute, amount, category, fee=fee, kind="adjustment")
        dispute["balance_transactions"].append(self._objects.get("balance_transaction", transaction))

    def _dispute(self, charge: Json, amount: int, reason: str) -> Json:
        now = self._world.clock.seconds()
        card = {"brand": "visa", "case_type": "chargeback", "network_reason_code": "10.4"}
        return {
            "id": self._world.ids.mixed("dp_"),
            "object": "dispute",
            "amount": amount,
            "balance_transactions": [],
            "charge": charge["id"],
            "created": now,
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": dict.fromkeys(EVIDENCE) | {"enhanced_evidence": {}},
            "evidence_details": {
                "due_by": now + ANSWER_SECONDS,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {"card": card, "type": "card"},
            "reason": reason,
            "status": "needs_response",
        }
