"""Transfers: money out to a recipient.

Life: ``otp`` (only while one-time codes are on) → ``pending`` → ``success`` | ``failed`` | ``reversed``; and
``success`` → ``reversed`` remains possible, even much later. Amount and fee leave the
balance when the transfer begins and come back when it fails or is reversed.
"""

from __future__ import annotations

import re

from learning247.sandbox.clock import unix_seconds
from learning247.sandbox.faults import Target
from learning247.sandbox.paystack import fees, parameters
from learning247.sandbox.paystack.errors import invalid, not_found, refusal
from learning247.sandbox.paystack.ledger import INTEGRATION, Ledger
from learning247.sandbox.paystack.recipients import Recipients, public
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

REFERENCE = re.compile(r"[a-z0-9_-]{16,50}")
CURRENCIES = ("NGN", "ZAR", "KES", "GHS")
OTP = "123456"
"""The one code that finalizes a transfer here."""

# Account numbers that end so meet this end, whatever the general outcome is set to.
FATES = {"9901": "failed", "9902": "none", "9903": "reversed"}
NEXT = {"pending": ("success", "failed", "reversed"), "success": ("reversed",), "otp": ()}


class Transfers:
    def __init__(self, world: World, ledger: Ledger, recipients: Recipients) -> None:
        self._world = world
        self._ledger = ledger
        self._recipients = recipients
        self._rows = world.store.table("paystack.transfers")
        self._references = world.store.table("paystack.transfer_references")
        world.agenda.register("paystack.transfer", self._fall_due)

    def create(self, call: Call) -> Reply:
        """POST /transfer."""
        fields = parameters.body_of(call)
        if parameters.text(fields, "source") != "balance":
            raise invalid("source must be balance")
        amount = parameters.whole(fields.get("amount"), "Invalid Amount Sent")
        currency = parameters.optional_text(fields, "currency") or "NGN"
        if currency not in CURRENCIES:
            raise refusal("Currency not supported by merchant", code="unsupported_currency")
        recipient = self._recipients.find(parameters.text(fields, "recipient"))
        if recipient["currency"] != currency:
            raise invalid(f"The recipient takes {recipient['currency']}, not {currency}")
        reference = self._reference(parameters.text(fields, "reference"))
        fee = fees.transfer_fee(amount, currency)
        self._ledger.require(currency, amount + fee)
        record = self._record(reference, amount, currency, fee, recipient, parameters.optional_text(fields, "reason"))
        self._begin(call, record)
        message = "Transfer requires OTP to continue" if record["status"] == "otp" else "Transfer has been queued"
        return Reply(200, {"status": True, "message": message, "data": self._queued(record)})

    def finalize(self, call: Call) -> Reply:
        """POST /transfer/finalize_transfer."""
        fields = parameters.body_of(call)
        record = self.find(parameters.text(fields, "transfer_code"))
        if record["status"] != "otp":
            raise refusal("Transfer is not currently awaiting OTP", code="transfer_not_awaiting_otp")
        if parameters.text(fields, "otp") != OTP:
            raise refusal("OTP provided is incorrect", code="invalid_otp", step="Enter the code that was sent to you")
        record["status"] = "pending"
        self._settle_later(record)
        return Reply(200, {"status": True, "message": "Transfer has been queued", "data": self._queued(record)})

    def verify(self, call: Call) -> Reply:
        """GET /transfer/verify/{reference}."""
        return self._show(self._references.get(call.arguments["reference"]))

    def fetch(self, call: Call) -> Reply:
        """GET /transfer/{id or code}."""
        return self._show({"code": call.arguments["code"]})

    def index(self, call: Call) -> Reply:
        """GET /transfer, newest first, by status and time."""
        status = call.question("status")
        rows = [
            row
            for row in self._world.store.newest("paystack.transfers")
            if status in ("", row["status"]) and _made_within(row, call)
        ]
        page, meta = parameters.page_of(call, rows)
        data = [self._listed(row) for row in page]
        return Reply(200, {"status": True, "message": "Transfers retrieved", "data": data, "meta": meta})

    def find(self, key: str) -> Json:
        """By code, reference or id."""
        known = self._references.get(key)
        record = self._rows.get(known["code"] if known else key)
        if record is None:
            record = next((row for row in self._rows.values() if str(row["id"]) == key), None)
        if record is None:
            raise not_found("Transfer", "transfer_not_found")
        return record

    def conclude(self, record: Json, status: str) -> bool:
        """Move a transfer on and tell the merchant; false when it cannot go there from where it is."""
        if status not in NEXT.get(record["status"], ()):
            return False
        now = self._world.clock.iso()
        record.update(status=status, updatedAt=now)
        if status == "success":
            record["transferred_at"] = now
            record["session"] = {"provider": "nip", "id": f"1100062{record['id']}"}
        else:
            self._give_back(record, status)
        event = f"transfer.{status}"
        self._world.outbox.emit(
            "paystack", event, {"event": event, "data": self._announced(record)}, about=record["reference"]
        )
        return True

    # -- inside --------------------------------------------------------------------------------------------

    def _reference(self, wanted: str) -> str:
        if not REFERENCE.fullmatch(wanted):
            raise refusal(
                "Invalid transfer reference: 16 to 50 of lowercase letters, digits, dash and underscore",
                code="invalid_reference",
            )
        if wanted in self._references:
            raise refusal(
                "Please provide a unique reference",
                code="duplicate_reference",
                step="Verify the transfer of this reference before you try another one",
            )
        return wanted

    def _record(self, reference: str, amount: int, currency: str, fee: int, recipient: Json, reason: str) -> Json:
        now = self._world.clock.iso()
        return {
            "id": self._world.ids.number(),
            "reference": reference,
            "amount": amount,
            "currency": currency,
            "fee_charged": fee,
            "recipient": recipient["recipient_code"],
            "reason": reason,
            "status": "pending",
            "transfer_code": self._world.ids.lowercase("TRF_"),
            "transferred_at": None,
            "createdAt": now,
            "updatedAt": now,
            "request": self._world.ids.number(),
            "session": {"provider": None, "id": None},
            "reversal_after": None,
        }

    def _begin(self, call: Call, record: Json) -> None:
        self._rows[record["transfer_code"]] = record
        self._references[record["reference"]] = {"code": record["transfer_code"]}
        self._ledger.move(
            record["currency"],
            -(record["amount"] + record["fee_charged"]),
            reason="Transfer initiated",
            model="Transfer",
            row=record["id"],
        )
        late = self._world.dial.plan_transfer(Target("paystack", call.method, call.path, call.route))
        reversal = late.get("transfer_reversal")
        record["reversal_after"] = reversal.wait() if reversal else None
        if self._world.behaviour["paystack_transfer_otp"]:
            record["status"] = "otp"
        else:
            self._settle_later(record)

    def _settle_later(self, record: Json) -> None:
        number = self._recipients.find(record["recipient"])["details"]["account_number"]
        outcome = str(FATES.get(number[-4:], self._world.behaviour["paystack_transfer_outcome"]))
        if outcome != "none":
            self._plan(record, outcome, self._world.behaviour["paystack_transfer_seconds"])

    def _plan(self, record: Json, outcome: str, delay: float) -> None:
        self._world.agenda.schedule(
            "paystack.transfer", {"code": record["transfer_code"], "outcome": outcome}, delay=delay
        )

    def _fall_due(self, arguments: Json) -> None:
        record = self._rows.get(arguments["code"])
        if record is None or not self.conclude(record, arguments["outcome"]):
            return
        if arguments["outcome"] == "success" and record["reversal_after"] is not None:
            self._plan(record, "reversed", record["reversal_after"])

    def _give_back(self, record: Json, status: str) -> None:
        self._ledger.move(
            record["currency"],
            record["amount"] + record["fee_charged"],
            reason=f"Transfer {status}",
            model="Transfer",
            row=record["id"],
        )

    def _show(self, known: Json | None) -> Reply:
        data = self._listed(self.find(known["code"] if known else "")) | {"gateway_response": None}
        return Reply(200, {"status": True, "message": "Transfer retrieved", "data": data})

    def _listed(self, record: Json) -> Json:
        """A row of GET /transfer."""
        return self._common(record) | {
            "integration": INTEGRATION,
            "request": record["request"],
            "fees_breakdown": None,
            "recipient": public(self._recipients.find(record["recipient"])) | {"isDeleted": False},
            "session": record["session"],
            "fee_charged": record["fee_charged"],
        }

    def _common(self, record: Json) -> Json:
        kept = (
            "id",
            "reference",
            "amount",
            "currency",
            "reason",
            "status",
            "transfer_code",
            "transferred_at",
            "createdAt",
            "updatedAt",
        )
        return {name: record[name] for name in kept} | {
            "domain": "test",
            "failures": None,
            "source": "balance",
            "source_details": None,
            "titan_code": None,
        }

    def _queued(self, record: Json) -> Json:
        """``data`` of POST /transfer: the recipient is a number there."""
        return self._common(record) | {
            "transfersessionid": [],
            "transfertrials": [],
            "integration": INTEGRATION,
            "request": record["request"],
            "recipient": self._recipients.find(record["recipient"])["id"],
        }

    def _announced(self, record: Json) -> Json:
        """``data`` of the transfer events: the integration is an object there."""
        return self._common(record) | {
            "integration": {
                "id": INTEGRATION,
                "is_live": False,
                "business_name": "Sandbox",
                "logo_path": None,
            },
            "recipient": public(self._recipients.find(record["recipient"])),
            "session": record["session"],
            "fee_charged": record["fee_charged"],
            "gateway_response": None,
        }


def _made_within(record: Json, call: Call) -> bool:
    made = unix_seconds(record["createdAt"])
    earliest = parameters.moment(call.question("from"), made)
    return earliest <= made <= parameters.moment(call.question("to"), made)
