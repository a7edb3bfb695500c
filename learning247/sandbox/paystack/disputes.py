"""Chargebacks. Raised and decided through the control API; the merchant hears of both by event."""

from __future__ import annotations

from learning247.sandbox.clock import iso_text, unix_seconds
from learning247.sandbox.paystack import parameters, shapes
from learning247.sandbox.paystack.customers import Customers
from learning247.sandbox.paystack.errors import invalid, not_found
from learning247.sandbox.paystack.ledger import Ledger
from learning247.sandbox.paystack.transactions import Transactions
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

OPEN = "awaiting-merchant-feedback"
RESOLUTIONS = {"lost": "merchant-accepted", "won": "declined"}
"""Paystack's word for how a dispute ended, seen by the customer's bank."""

ANSWER_SECONDS = 24 * 3600


class Disputes:
    def __init__(self, world: World, ledger: Ledger, transactions: Transactions, customers: Customers) -> None:
        self._world = world
        self._ledger = ledger
        self._transactions = transactions
        self._customers = customers
        self._rows = world.store.table("paystack.disputes")

    def index(self, call: Call) -> Reply:
        """GET /dispute, newest first, by status and time."""
        query = dict(call.query)
        rows = [
            row
            for row in self._world.store.newest("paystack.disputes")
            if query.get("status") in (None, row["status"]) and self._created_within(row, call)
        ]
        page, meta = parameters.page_of(call, rows)
        data = [self.shape(row) for row in page]
        return Reply(200, {"status": True, "message": "Disputes retrieved", "data": data, "meta": meta})

    def fetch(self, call: Call) -> Reply:
        """GET /dispute/{id}."""
        data = self.shape(self._find(call.arguments["id"]))
        return Reply(200, {"status": True, "message": "Dispute retrieved", "data": data})

    def open(self, payment_key: str, amount: int | None) -> Json:
        """Raise a dispute about a successful payment, by default over all that is not refunded."""
        payment = self._transactions.find(payment_key)
        left = int(payment["amount"]) - int(payment["refunded"])
        amount = left if amount is None else amount
        if payment["status"] != "success" or not 0 < amount <= left:
            raise invalid("Only a successful payment can be disputed, and not for more than is left of it")
        now = self._world.clock.now()
        record: Json = {
            "id": self._world.ids.number(),
            "transaction": payment["reference"],
            "amount": amount,
            "status": OPEN,
            "resolution": None,
            "created_at": iso_text(now),
            "updated_at": iso_text(now),
            "resolvedAt": None,
            "dueAt": iso_text(now + ANSWER_SECONDS),
        }
        self._rows[str(record["id"])] = record
        self._announce(record, "create")
        return self.shape(record)

    def remind(self, number: str) -> Json:
        record = self._find(number)
        self._announce(record, "remind")
        return self.shape(record)

    def resolve(self, number: str, outcome: str) -> Json:
        """Decide: ``won`` leaves the money, ``lost`` takes it from the balance."""
        record = self._find(number)
        if record["status"] != OPEN or outcome not in RESOLUTIONS:
            raise invalid("An open dispute can be won or lost, once")
        now = self._world.clock.iso()
        record.update(status="resolved", resolution=RESOLUTIONS[outcome], resolvedAt=now, updated_at=now)
        if outcome == "lost":
            self._take(record)
        self._announce(record, "resolve")
        return self.shape(record)

    def _created_within(self, record: Json, call: Call) -> bool:
        created = unix_seconds(record["created_at"])
        earliest = parameters.moment(call.question("from"), created)
        latest = parameters.moment(call.question("to"), created)
        return earliest <= created <= latest

    def _find(self, number: str) -> Json:
        record = self._rows.get(number)
        if record is None:
            raise not_found("Dispute", "dispute_not_found")
        return record

    def _take(self, record: Json) -> None:
        payment = self._transactions.find(record["transaction"])
        payment["refunded"] += record["amount"]
        if payment["refunded"] >= payment["amount"]:
            payment["status"] = "reversed"
        self._ledger.move(
            payment["currency"], -record["amount"], reason="Chargeback", model="Dispute", row=record["id"]
        )

    def _announce(self, record: Json, step: str) -> None:
        event = f"charge.dispute.{step}"
        self._world.outbox.emit(
            "paystack", event, {"event": event, "data": self.shape(record)}, about=record["transaction"]
        )

    def shape(self, record: Json) -> Json:
        """``data`` of the dispute events, after the official samples."""
        payment = self._transactions.find(record["transaction"])
        transaction = shapes.disputed(payment)
        return {
            "id": record["id"],
            "refund_amount": record["amount"],
            "currency": payment["currency"],
            "status": record["status"],
            "resolution": record["resolution"],
            "domain": "test",
            "transaction": transaction,
            "transaction_reference": None,
            "category": "chargeback",
            "customer": self._customers.of(payment["email"]),
            "bin": payment["card"][:6],
            "last4": payment["card"][-4:],
            "dueAt": record["dueAt"],
            "resolvedAt": record["resolvedAt"],
            "evidence": None,
            "attachments": None,
            "note": None,
            "history": [{"status": "pending", "by": payment["email"], "createdAt": record["created_at"]}],
            "messages": [
                {
                    "sender": payment["email"],
                    "body": "I was charged and got nothing for it",
                    "createdAt": record["created_at"],
                }
            ],
            "created_at": record["created_at"],
            "updated_at": record["updated_at"],
        }
