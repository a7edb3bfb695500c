"""Banks and the resolving of account numbers. Names are derived from the number: the same one every time."""

from __future__ import annotations

import re

from learning247.sandbox.paystack.errors import refusal
from learning247.sandbox.paystack.parameters import page_of
from learning247.sandbox.wire import Call, Json, Reply

CREATED = "2016-07-14T10:04:29.000Z"
FIRST_NAMES = (
    "ADAEZE",
    "BABAJIDE",
    "CHIAMAKA",
    "DAMILOLA",
    "EMEKA",
    "FOLAKE",
    "GARBA",
    "HAUWA",
    "IFEOMA",
    "JIDE",
)
LAST_NAMES = (
    "ADEYEMI",
    "BALOGUN",
    "CHUKWU",
    "DANJUMA",
    "EZE",
    "FASHOLA",
    "GBADAMOSI",
    "HASSAN",
    "IBEKWE",
    "JOHNSON",
)
UNRESOLVABLE = "0404"
"""Account numbers that end so do not exist anywhere."""

_NIGERIAN = (
    ("Access Bank", "access-bank", "044", "044150149"),
    ("Ecobank Nigeria", "ecobank-nigeria", "050", "050150010"),
    ("Fidelity Bank", "fidelity-bank", "070", "070150003"),
    ("First Bank of Nigeria", "first-bank-of-nigeria", "011", "011151003"),
    ("First City Monument Bank", "first-city-monument-bank", "214", "214150018"),
    ("Guaranty Trust Bank", "guaranty-trust-bank", "058", "058152036"),
    ("Kuda Bank", "kuda-bank", "50211", ""),
    ("OPay Digital Services Limited", "paycom", "999992", ""),
    ("PalmPay", "palmpay", "999991", ""),
    ("Stanbic IBTC Bank", "stanbic-ibtc-bank", "221", "221159522"),
    ("Sterling Bank", "sterling-bank", "232", "232150016"),
    ("Union Bank of Nigeria", "union-bank-of-nigeria", "032", "032080474"),
    ("United Bank For Africa", "united-bank-for-africa", "033", "033153513"),
    ("Wema Bank", "wema-bank", "035", "035150103"),
    ("Zenith Bank", "zenith-bank", "057", "057150013"),
)
_GHANAIAN = (
    ("GCB Bank Limited", "gcb-bank-limited", "040100", ""),
    ("Ecobank Ghana", "ecobank-ghana", "130100", ""),
)


class Banks:
    """The banks of Nigeria and Ghana that matter for a trial."""

    def __init__(self) -> None:
        rows = [_row(number, *bank, "Nigeria", "NGN", "nuban") for number, bank in enumerate(_NIGERIAN, start=1)]
        rows += [_row(number, *bank, "Ghana", "GHS", "ghipss") for number, bank in enumerate(_GHANAIAN, start=101)]
        self._rows = rows

    def find(self, code: str) -> Json | None:
        return next((row for row in self._rows if row["code"] == code), None)

    def index(self, call: Call) -> Reply:
        """GET /bank by country and currency; with ``use_cursor`` the ``meta`` of a single page."""
        country, currency = call.question("country").lower(), call.question("currency")
        rows = [
            row for row in self._rows if country in ("", row["country"].lower()) and currency in ("", row["currency"])
        ]
        answer: Json = {"status": True, "message": "Banks retrieved"}
        if call.question("use_cursor") == "true":
            return Reply(200, answer | {"data": rows, "meta": {"next": None, "previous": None, "perPage": len(rows)}})
        page, _ = page_of(call, rows) if call.question("perPage") else (rows, {})
        return Reply(200, answer | {"data": page})

    def resolve(self, call: Call) -> Reply:
        """GET /bank/resolve: the name that the bank itself has for an account."""
        number, code = call.question("account_number"), call.question("bank_code")
        bank = self.find(code)
        if bank is None:
            raise refusal(f"Unknown bank code: {code}", code="invalid_bank_code", step="Use a code of the bank list")
        if not re.fullmatch(r"\d{10}", number) or number.endswith(UNRESOLVABLE):
            raise refusal(
                "Could not resolve account name. Check parameters or try again.",
                code="invalid_bank_account",
                status=422,
                step="Check the account number and the bank",
            )
        data = {"account_number": number, "account_name": account_name(number), "bank_id": bank["id"]}
        return Reply(200, {"status": True, "message": "Account number resolved", "data": data})


def account_name(number: str) -> str:
    """A holder's name that depends on the number alone."""
    return f"{LAST_NAMES[int(number[-1])]} {FIRST_NAMES[int(number[-2])]}"


def _row(number: int, name: str, slug: str, code: str, longcode: str, country: str, currency: str, kind: str) -> Json:
    return {
        "id": number,
        "name": name,
        "slug": slug,
        "code": code,
        "longcode": longcode,
        "gateway": None,
        "pay_with_bank": False,
        "supports_transfer": True,
        "available_for_direct_debit": False,
        "active": True,
        "is_deleted": False,
        "country": country,
        "currency": currency,
        "type": kind,
        "createdAt": CREATED,
        "updatedAt": CREATED,
    }
