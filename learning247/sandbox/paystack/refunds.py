"""Refunds: ``pending`` → ``processing`` → ``processed`` | ``failed`` | ``needs-attention``.

The amount leaves the balance when the refund is created and comes back when it fails. Fees are not given
back.
"""

from __future__ import annotations

from learning247.sandbox.paystack import parameters
from learning247.sandbox.paystack.cards import card_of
from learning247.sandbox.paystack.customers import Customers
from learning247.sandbox.paystack.errors import invalid, not_found, refusal
from learning247.sandbox.paystack.ledger import INTEGRATION, Ledger
from learning247.sandbox.paystack.transactions import Transactions
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

NEXT = {
    "pending": ("processing", "processed", "failed", "needs-attention"),
    "processing": ("processed", "failed", "needs-attention"),
    "needs-attention": ("processing", "processed", "failed"),
}
# The amount is text in these events and a number in the others (official samples).
TEXT_AMOUNTS = ("pending", "processing", "processed")
REFUNDER = "merchant@example.com"


class Refunds:
    def __init__(self, world: World, ledger: Ledger, transactions: Transactions, customers: Customers) -> None:
        self._world = world
        self._ledger = ledger
        self._transactions = transactions
        self._customers = customers
        self._rows = world.store.table("paystack.refunds")
        world.agenda.register("paystack.refund", self._fall_due)

    def create(self, call: Call) -> Reply:
        """POST /refund."""
        fields = parameters.body_of(call)
        payment = self._transactions.find(str(fields.get("transaction") or ""))
        amount = self._amount(fields, payment)
        record = self._record(fields, payment, amount)
        self._rows[str(record["id"])] = record
        payment["refunded"] += amount
        self._ledger.move(payment["currency"], -amount, reason="Refund", model="Refund", row=record["id"])
        self._announce(record)
        self._plan(record, card_of(payment["card"]).refund or self._world.behaviour["paystack_refund_outcome"])
        return Reply(
            200,
            {
                "status": True,
                "message": "Refund has been queued for processing",
                "data": self._queued(record, payment),
            },
        )

    def index(self, call: Call) -> Reply:
        """GET /refund, newest first."""
        rows = list(self._world.store.newest("paystack.refunds"))
        page, meta = parameters.page_of(call, rows)
        meta["perPage"] = str(meta["perPage"])
        meta["failedRefundCount"] = sum(1 for row in rows if row["status"] == "failed")
        data = [self._listed(row) for row in page]
        return Reply(200, {"status": True, "message": "Refunds retrieved", "data": data, "meta": meta})

    def fetch(self, call: Call) -> Reply:
        """GET /refund/{id}."""
        data = self._listed(self.find(call.arguments["id"]))
        return Reply(200, {"status": True, "message": "Refund retrieved", "data": data})

    def find(self, number: str) -> Json:
        record = self._rows.get(number)
        if record is None:
            raise not_found("Refund", "refund_not_found")
        return record

    def conclude(self, record: Json, status: str) -> bool:
        """Move a refund on and tell the merchant; false when it cannot go there from where it is."""
        if status not in NEXT.get(record["status"], ()):
            return False
        payment = self._transactions.find(record["transaction_reference"])
        record["status"] = status
        if status == "processed":
            record.update(refunded_at=self._world.clock.iso(), refund_reference=str(self._world.ids.number()))
            if payment["refunded"] >= payment["amount"]:
                payment["status"] = "reversed"
        if status == "failed":
            payment["refunded"] -= record["amount"]
            self._ledger.move(
                record["currency"], record["amount"], reason="Refund failed", model="Refund", row=record["id"]
            )
        self._announce(record)
        return True

    # -- inside --------------------------------------------------------------------------------------------

    def _amount(self, fields: Json, payment: Json) -> int:
        if payment["status"] == "reversed" or payment["amount"] == payment["refunded"] > 0:
            raise refusal("Transaction has been fully reversed", code="transaction_reversed")
        if payment["status"] != "success":
            raise refusal("Transaction is not successful, so it cannot be refunded", code="transaction_not_successful")
        currency = parameters.optional_text(fields, "currency") or payment["currency"]
        if currency != payment["currency"]:
            raise invalid("Currency must be that of the transaction")
        left = int(payment["amount"]) - int(payment["refunded"])
        if fields.get("amount") is None:
            return left
        amount = parameters.whole(fields["amount"], "Invalid Amount Sent")
        if amount > left:
            raise refusal("Refund amount cannot be more than the transaction amount", code="invalid_refund_amount")
        return amount

    def _record(self, fields: Json, payment: Json, amount: int) -> Json:
        note = f"Refund for transaction {payment['reference']}"
        return {
            "id": self._world.ids.number(),
            "transaction": payment["id"],
            "amount": amount,
            "status": "pending",
            "currency": payment["currency"],
            "transaction_reference": payment["reference"],
            "customer_note": parameters.optional_text(fields, "customer_note") or note,
            "merchant_note": parameters.optional_text(fields, "merchant_note") or f"{note} by {REFUNDER}",
            "createdAt": self._world.clock.iso(),
            "refunded_at": None,
            "refund_reference": None,
        }

    def _plan(self, record: Json, outcome: str) -> None:
        if outcome == "none":
            return
        seconds = self._world.behaviour["paystack_refund_seconds"]
        for status, delay in (("processing", seconds / 2), (outcome, seconds)):
            self._world.agenda.schedule("paystack.refund", {"id": str(record["id"]), "status": status}, delay=delay)

    def _fall_due(self, arguments: Json) -> None:
        record = self._rows.get(arguments["id"])
        if record is not None:
            self.conclude(record, arguments["status"])

    def _announce(self, record: Json) -> None:
        status = record["status"]
        customer = self._customers.of(self._transactions.find(record["transaction_reference"])["email"])
        data: Json = {
            "status": status,
            "transaction_reference": record["transaction_reference"],
            "refund_reference": record["refund_reference"],
            "currency": record["currency"],
            "amount": str(record["amount"]) if status in TEXT_AMOUNTS else record["amount"],
            "customer": {name: customer[name] for name in ("first_name", "last_name", "email")},
            "integration": INTEGRATION,
            "domain": "test",
        }
        if status == "needs-attention":
            notes = {name: record[name] for name in ("customer_note", "merchant_note")}
            data |= {"id": str(record["id"])} | notes
        else:
            data["processor"] = "instant-transfer"
        event = f"refund.{status}"
        self._world.outbox.emit(
            "paystack", event, {"event": event, "data": data}, about=record["transaction_reference"]
        )

    def _queued(self, record: Json, payment: Json) -> Json:
        """``data`` of POST /refund."""
        return {
            "transaction": {
                "id": payment["id"],
                "domain": "test",
                "reference": payment["reference"],
                "amount": payment["amount"],
                "paid_at": payment["paid_at"],
                "channel": "card",
                "currency": payment["currency"],
                "authorization": {"exp_month": None, "exp_year": None, "account_name": None},
                "customer": {"international_format_phone": None},
                "plan": {},
                "subaccount": {"currency": None},
                "split": {},
                "order_id": None,
                "paidAt": payment["paid_at"],
                "pos_transaction_data": None,
                "source": None,
                "fees_breakdown": None,
            },
            "integration": INTEGRATION,
            "deducted_amount": 0,
            "channel": None,
            "merchant_note": record["merchant_note"],
            "customer_note": record["customer_note"],
            "status": record["status"],
            "refunded_by": REFUNDER,
            "expected_at": record["createdAt"],
            "currency": record["currency"],
            "domain": "test",
            "amount": record["amount"],
            "fully_deducted": False,
            "id": record["id"],
            "createdAt": record["createdAt"],
            "updatedAt": record["createdAt"],
        }

    def _listed(self, record: Json) -> Json:
        """A row of GET /refund, and ``data`` of GET /refund/{id}."""
        payment = self._transactions.find(record["transaction_reference"])
        kept = (
            "transaction",
            "id",
            "currency",
            "amount",
            "status",
            "refunded_at",
            "customer_note",
            "merchant_note",
            "createdAt",
            "transaction_reference",
        )
        full = record["amount"] == payment["amount"]
        return {name: record[name] for name in kept} | {
            "integration": INTEGRATION,
            "dispute": None,
            "settlement": None,
            "domain": "test",
            "refunded_by": REFUNDER,
            "deducted_amount": record["amount"],
            "fully_deducted": 1,
            "bank_reference": None,
            "reason": "",
            "customer": self._customers.described(payment["email"]),
            "refund_type": "full" if full else "partial",
            "transaction_amount": payment["amount"],
            "initiated_by": REFUNDER,
            "refund_channel": "card",
            "session_id": None,
            "collect_account_number": False,
        }
