"""Transactions: initialize, pay or decline, verify, list.

A record is an attempt to collect ``requested_amount`` under a reference that is unique for ever. A failed
attempt does not end it: the customer may pay on the same page afterwards. Only success raises a webhook
(docs/gateways.md §1).
"""

from __future__ import annotations

import re

from learning247.sandbox.clock import unix_seconds
from learning247.sandbox.identifiers import card_print
from learning247.sandbox.paystack import fees, parameters, shapes
from learning247.sandbox.paystack.cards import SUCCESS, Card
from learning247.sandbox.paystack.customers import Customers
from learning247.sandbox.paystack.errors import invalid, not_found, refusal
from learning247.sandbox.paystack.ledger import CURRENCIES, Ledger
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

REFERENCE = re.compile(r"[A-Za-z0-9.=-]{1,100}")
MINIMUM = {"NGN": 50_00, "USD": 2_00, "GHS": 10, "KES": 3_00, "ZAR": 1_00}
"""Least amount per currency in subunits; those of NGN and USD are Paystack's own."""

# How long an opened payment page counts as an ongoing attempt.
PAGE_SECONDS = 600


class Transactions:
    """Paystack's transactions and the customer's side of them."""

    def __init__(self, world: World, ledger: Ledger, customers: Customers) -> None:
        self._world = world
        self._ledger = ledger
        self._customers = customers
        self._rows = world.store.table("paystack.transactions")
        self._references = world.store.table("paystack.references")

    # -- the API -------------------------------------------------------------------------------------------

    def initialize(self, call: Call) -> Reply:
        """POST /transaction/initialize."""
        fields = parameters.body_of(call)
        email = parameters.email(fields)
        amount = parameters.whole(fields.get("amount"), "Invalid Amount Sent")
        currency = parameters.optional_text(fields, "currency") or "NGN"
        self._check_money(amount, currency)
        reference = self._reference(parameters.optional_text(fields, "reference"))
        record = self._record(fields, email, amount, currency, reference)
        self._rows[str(record["id"])] = record
        self._references[reference] = {"id": record["id"]}
        self._references[record["access_code"]] = {"id": record["id"]}
        return Reply(
            200,
            {
                "status": True,
                "message": "Authorization URL created",
                "data": {
                    "authorization_url": self._page_url(record),
                    "access_code": record["access_code"],
                    "reference": reference,
                },
            },
        )

    def verify(self, call: Call) -> Reply:
        """GET /transaction/verify/{reference}. Answers 200 whatever became of the payment."""
        record = self.find(call.arguments["reference"])
        return Reply(
            200,
            {
                "status": True,
                "message": "Verification successful",
                "data": shapes.verified(record, self._customers.of(record["email"]), self.status(record)),
            },
        )

    def fetch(self, call: Call) -> Reply:
        """GET /transaction/{id}."""
        record = self._rows.get(call.arguments["id"])
        if record is None:
            raise not_found("Transaction", "transaction_not_found")
        return Reply(
            200,
            {
                "status": True,
                "message": "Transaction retrieved",
                "data": shapes.fetched(record, self._customers.described(record["email"]), self.status(record)),
            },
        )

    def index(self, call: Call) -> Reply:
        """GET /transaction, newest first, by status, amount and time."""
        rows = [row for row in self._world.store.newest("paystack.transactions") if self._listed(call, row)]
        page, meta = parameters.page_of(call, rows, "per_page")
        meta["total_volume"] = sum(row["amount"] for row in rows if row["status"] == "success")
        data = [shapes.listed(row, self._customers.of(row["email"]), self.status(row)) for row in page]
        return Reply(200, {"status": True, "message": "Transactions retrieved", "data": data, "meta": meta})

    # -- the customer on the payment page ------------------------------------------------------------------

    def find(self, key: str) -> Json:
        """By reference, access code or id."""
        known = self._references.get(key)
        record = self._rows.get(str(known["id"]) if known else key)
        if record is None:
            raise refusal(
                "Transaction reference not found",
                code="transaction_not_found",
                status=404,
                step="Pass the reference of a transaction that exists on this integration",
            )
        return record

    def status(self, record: Json) -> str:
        """``ongoing`` while the page was opened a moment ago; an attempt nobody finished is ``abandoned``."""
        if record["status"] == "abandoned" and self._world.clock.now() < record["open_until"]:
            return "ongoing"
        return str(record["status"])

    def open_page(self, record: Json) -> None:
        if record["status"] == "abandoned":
            record["open_until"] = self._world.clock.now() + PAGE_SECONDS

    def abandon(self, record: Json) -> None:
        record["open_until"] = 0

    def attempt(self, record: Json, card: Card) -> bool:
        """Try to pay with a card; true when the money moved, now or before."""
        if record["status"] in ("success", "reversed"):
            return True
        record["attempts"].append({"response": card.decline, "at": self._world.clock.now()})
        record["card"], record["open_until"] = card.number, 0
        if card.decline:
            record.update(status="failed", gateway_response=card.decline)
            return False
        self._succeed(record, card)
        return True

    def _succeed(self, record: Json, card: Card) -> None:
        requested, currency = record["requested_amount"], record["currency"]
        if self._world.behaviour["paystack_customer_pays_fees"]:
            record["amount"] = fees.with_fee_on_top(requested, currency, foreign_card=card.foreign)
        fee = fees.charge_fee(record["amount"], currency, foreign_card=card.foreign)
        record.update(
            status="success",
            gateway_response="Successful",
            fees=fee,
            paid_at=self._world.clock.iso(),
            authorization_code=self._world.ids.lowercase("AUTH_", 10),
            signature=f"SIG_{card_print(card.number, record['email'] if card is SUCCESS else '')}",
        )
        self._ledger.move(
            currency,
            record["amount"] - fee,
            reason="Transaction settled",
            model="Transaction",
            row=record["id"],
        )
        self._world.outbox.emit(
            "paystack",
            "charge.success",
            {"event": "charge.success", "data": shapes.charged(record, self._customers.of(record["email"]))},
            about=record["reference"],
        )

    def _page_url(self, record: Json) -> str:
        return f"{self._world.config.public_url}/paystack/checkout/{record['access_code']}"

    # -- rules ---------------------------------------------------------------------------------------------

    def _check_money(self, amount: int, currency: str) -> None:
        if currency not in CURRENCIES:
            raise refusal("Currency not supported by merchant", code="unsupported_currency")
        if amount < MINIMUM[currency]:
            raise invalid(f"Invalid Amount Sent: the minimum is {MINIMUM[currency]} subunits of {currency}")

    def _reference(self, wanted: str) -> str:
        if not wanted:
            return self._world.ids.lowercase("", 12)
        if not REFERENCE.fullmatch(wanted):
            raise invalid("Invalid transaction reference: letters, digits and - . = only")
        if wanted in self._references:
            raise refusal(
                "Duplicate Transaction Reference",
                code="duplicate_reference",
                step="Try and create the Transaction or Charge with a new reference",
            )
        return wanted

    def _record(self, fields: Json, email: str, amount: int, currency: str, reference: str) -> Json:
        return {
            "id": self._world.ids.number(),
            "reference": reference,
            "access_code": self._world.ids.lowercase("", 15),
            "status": "abandoned",
            "amount": amount,
            "requested_amount": amount,
            "currency": currency,
            "email": email,
            "metadata": parameters.metadata(fields),
            "open_until": 0,
            "fees": None,
            "card": "",
            "callback_url": parameters.optional_text(fields, "callback_url"),
            "attempts": [],
            "paid_at": None,
            "created_at": self._world.clock.iso(),
            "gateway_response": "The transaction was not completed",
            "authorization_code": "",
            "signature": "",
            "refunded": 0,
        }

    def _listed(self, call: Call, row: Json) -> bool:
        wanted, amount = call.question("status"), call.question("amount")
        created = unix_seconds(row["created_at"])
        earliest = parameters.moment(call.question("from"), created)
        latest = parameters.moment(call.question("to"), created)
        return (
            (not wanted or self.status(row) == wanted)
            and (not amount or str(row["amount"]) == amount)
            and earliest <= created <= latest
        )
