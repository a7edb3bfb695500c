"""Transfer recipients. The same account twice is the same recipient."""

from __future__ import annotations

import re

from learning247.sandbox.paystack import parameters
from learning247.sandbox.paystack.banks import Banks, account_name
from learning247.sandbox.paystack.errors import refusal
from learning247.sandbox.paystack.ledger import INTEGRATION
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

KINDS = ("nuban", "ghipss", "mobile_money", "basa", "authorization")


class Recipients:
    """Recipients by code; ``account`` in a record is the key that makes two of them the same."""

    def __init__(self, world: World, banks: Banks) -> None:
        self._world = world
        self._banks = banks
        self._rows = world.store.table("paystack.recipients")

    def create(self, call: Call) -> Reply:
        """POST /transferrecipient; 201 also when the account was known already."""
        fields = parameters.body_of(call)
        kind = parameters.text(fields, "type")
        if kind not in KINDS:
            raise refusal(f"Invalid recipient type: {kind}", code="invalid_params")
        name = parameters.text(fields, "name")
        number = parameters.text(fields, "account_number", "Account number is required")
        bank = self._banks.find(parameters.text(fields, "bank_code", "Bank code is required"))
        if bank is None or (kind == "nuban" and not re.fullmatch(r"\d{10}", number)):
            raise refusal("Account details are invalid", code="invalid_bank_account", step="Resolve the account first")
        currency = parameters.optional_text(fields, "currency") or bank["currency"]
        account = f"{kind} {bank['code']} {number} {currency}"
        known = next((row for row in self._rows.values() if row["account"] == account), None)
        record = known or self._record(fields, kind, name, number, bank, currency, account)
        self._rows[record["recipient_code"]] = record
        data = public(record) | {"isDeleted": False}
        return Reply(201, {"status": True, "message": "Transfer recipient created successfully", "data": data})

    def find(self, code: str) -> Json:
        record = self._rows.get(code)
        if record is None:
            raise refusal("Recipient specified is invalid", code="invalid_recipient", step="Create the recipient first")
        return record

    def _record(self, fields: Json, kind: str, name: str, number: str, bank: Json, currency: str, account: str) -> Json:
        now = self._world.clock.iso()
        metadata = fields.get("metadata")
        return {
            "active": True,
            "createdAt": now,
            "currency": currency,
            "description": parameters.optional_text(fields, "description"),
            "domain": "test",
            "email": parameters.optional_text(fields, "email"),
            "id": self._world.ids.number(),
            "integration": INTEGRATION,
            "metadata": metadata if isinstance(metadata, dict) else None,
            "name": name,
            "recipient_code": self._world.ids.lowercase("RCP_"),
            "type": kind,
            "updatedAt": now,
            "is_deleted": False,
            "details": {
                "authorization_code": None,
                "account_number": number,
                "account_name": account_name(number),
                "bank_code": bank["code"],
                "bank_name": bank["name"],
            },
            "account": account,
        }


def public(record: Json) -> Json:
    """A recipient as the API shows it."""
    return {name: value for name, value in record.items() if name != "account"}
