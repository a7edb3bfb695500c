"""Settlements: what Paystack pays out to the merchant's bank. No webhook tells of them (docs/gateways.md §1)."""

from __future__ import annotations

from learning247.sandbox.clock import unix_seconds
from learning247.sandbox.paystack import parameters, shapes
from learning247.sandbox.paystack.customers import Customers
from learning247.sandbox.paystack.errors import invalid, not_found
from learning247.sandbox.paystack.ledger import INTEGRATION, Ledger
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

NEXT = {"pending": ("processing", "success", "failed"), "processing": ("success", "failed"), "success": ("failed",)}


class Settlements:
    def __init__(self, world: World, ledger: Ledger, customers: Customers) -> None:
        self._world = world
        self._ledger = ledger
        self._customers = customers
        self._rows = world.store.table("paystack.settlements")
        self._transactions = world.store.table("paystack.transactions")
        # What went back and was deducted: by the refund's or dispute's id.
        self._deducted = world.store.table("paystack.deducted")

    def settle(self, currency: str) -> Json:
        """All that was paid and is in no settlement yet, less fees and what went back since the last one."""
        settled = {number for row in self._rows.values() for number in row["transactions"]}
        paid = [
            row
            for row in self._transactions.values()
            if row["currency"] == currency and row["status"] in ("success", "reversed") and row["id"] not in settled
        ]
        back = self._given_back(currency)
        processed, fees = sum(row["amount"] for row in paid), sum(row["fees"] for row in paid)
        deductions = sum(back.values())
        if not paid or processed - fees < deductions:
            raise invalid("Nothing is there to settle")
        self._deducted.update({number: {"amount": amount} for number, amount in back.items()})
        now = self._world.clock.iso()
        record: Json = {
            "id": self._world.ids.number(),
            "status": "pending",
            "currency": currency,
            "total_amount": processed - fees,
            "effective_amount": processed - fees - deductions,
            "total_fees": fees,
            "total_processed": processed,
            "transactions": [row["id"] for row in paid],
            "createdAt": now,
            "updatedAt": now,
        }
        self._rows[str(record["id"])] = record
        self._move(record, -record["effective_amount"])
        return record

    def conclude(self, number: str, status: str) -> Json:
        record = self._find(number)
        if status not in NEXT.get(record["status"], ()):
            raise invalid(f"A settlement that is {record['status']} cannot become {status or 'nothing'}")
        record.update(status=status, updatedAt=self._world.clock.iso())
        if status == "failed":
            self._move(record, record["effective_amount"])
        return record

    def index(self, call: Call) -> Reply:
        """GET /settlement, newest first, by status and time."""
        status = call.question("status")
        rows = [
            row
            for row in self._world.store.newest("paystack.settlements")
            if status in ("", row["status"]) and self._made_within(row, call)
        ]
        page, meta = parameters.page_of(call, rows)
        data = [self._listed(row) for row in page]
        return Reply(200, {"status": True, "message": "Settlements retrieved", "data": data, "meta": meta})

    def transactions(self, call: Call) -> Reply:
        """GET /settlement/{id}/transactions."""
        numbers = self._find(call.arguments["id"])["transactions"]
        rows = [self._transactions[str(number)] for number in numbers]
        page, meta = parameters.page_of(call, rows)
        meta["total_volume"] = sum(row["amount"] for row in rows)
        data = [shapes.listed(row, self._customers.of(row["email"]), row["status"]) for row in page]
        return Reply(200, {"status": True, "message": "Transactions retrieved", "data": data, "meta": meta})

    def _given_back(self, currency: str) -> dict[str, int]:
        refunds = {
            str(row["id"]): row["amount"]
            for row in self._world.store.table("paystack.refunds").values()
            if row["currency"] == currency and row["status"] != "failed"
        }
        disputes = {
            str(row["id"]): row["amount"]
            for row in self._world.store.table("paystack.disputes").values()
            if row["resolution"] == "merchant-accepted" and self._currency_of(row) == currency
        }
        return {number: amount for number, amount in (refunds | disputes).items() if number not in self._deducted}

    def _currency_of(self, dispute: Json) -> str:
        known = self._world.store.table("paystack.references")[dispute["transaction"]]
        return str(self._transactions[str(known["id"])]["currency"])

    def _made_within(self, record: Json, call: Call) -> bool:
        made = unix_seconds(record["createdAt"])
        earliest = parameters.moment(call.question("from"), made)
        return earliest <= made <= parameters.moment(call.question("to"), made)

    def _find(self, number: str) -> Json:
        record = self._rows.get(number)
        if record is None:
            raise not_found("Settlement", "settlement_not_found")
        return record

    def _move(self, record: Json, difference: int) -> None:
        self._ledger.move(record["currency"], difference, reason="Settlement", model="Settlement", row=record["id"])

    def _listed(self, record: Json) -> Json:
        kept = (
            "id", "status", "currency", "total_amount", "effective_amount", "total_fees", "total_processed",
            "createdAt", "updatedAt",
        )  # fmt: skip
        deductions = record["total_amount"] - record["effective_amount"]
        return {name: record[name] for name in kept} | {
            "domain": "test",
            "integration": INTEGRATION,
            "deductions": deductions or None,
            "settlement_date": f"{record['createdAt'][:10]}T00:00:00.000Z",
            "settled_by": None,
        }
