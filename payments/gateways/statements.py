"""What a gateway says that moved our balance, from a file that it exports.

* Stripe: the report `balance_change_from_activity.itemized.3` (docs.stripe.com/reports/report-types/balance), and those
  of payouts: amounts in major units, signed, times in UTC. Lines of other categories than below are not read here.
  Which transfer a reversal takes back is in no standard column: where `transfer_id` was added, it is matched by that.
* Paystack: either the columns that its lists have (paystack.com/docs/api/transaction: amounts in the minor unit; `type`
  is transaction, refund, dispute, settlement or transfer), or its dashboard's own headings (support.paystack.com, on
  exporting transactions and payouts: amounts in major units, payments alone). What did not succeed is not read; a
  transfer that is `reversed` went and came back.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TextIO

from learning247.kit.money import Money, UnknownCurrency
from payments.enums import GatewayName
from payments.errors import StatementUnreadable
from payments.gateways.port import GatewayLine, GatewayLineKind

_STRIPE_KINDS = {
    "charge": GatewayLineKind.PAYMENT,
    "refund": GatewayLineKind.REFUND,
    "dispute": GatewayLineKind.DISPUTE,
    "dispute_reversal": GatewayLineKind.DISPUTE_REVERSAL,
    "payout": GatewayLineKind.PAYOUT,
    "payout_reversal": GatewayLineKind.PAYOUT_RETURN,
    "topup": GatewayLineKind.PAYOUT,
    "topup_reversal": GatewayLineKind.PAYOUT_RETURN,
    "transfer": GatewayLineKind.TRANSFER,
    "transfer_reversal": GatewayLineKind.TRANSFER_RETURN,
}
_PAYSTACK_KINDS = {
    "transaction": GatewayLineKind.PAYMENT,
    "refund": GatewayLineKind.REFUND,
    "dispute": GatewayLineKind.DISPUTE,
    "settlement": GatewayLineKind.PAYOUT,
    "transfer": GatewayLineKind.TRANSFER,
}
_NOT_MOVED = {
    "transaction": ("failed", "abandoned", "ongoing", "pending", "queued", "processing"),
    "refund": ("failed",),
    "dispute": ("awaiting-merchant-feedback", "awaiting-bank-feedback", "pending", "declined"),
    "settlement": (),
    "transfer": ("otp", "pending", "processing", "queued", "received", "failed", "abandoned", "blocked", "rejected"),
}
# What a column is called, lower case and without signs: by the API, and by the dashboard's exports over the years.
_HEADINGS: Final[Mapping[str, Sequence[str]]] = {
    "type": ("type", "transaction type"),
    "id": ("id", "transaction id"),
    "status": ("status", "transaction status"),
    "resolution": ("resolution",),
    "reference": ("reference", "reference number", "transaction reference"),
    "amount": ("amount",),
    "amount_major": ("amount paid", "amount paid by your customer", "amount paid by customer", "transaction amount"),
    "fees": ("fees",),
    "fees_major": ("paystack fee", "paystack fees", "transaction fee", "transaction fees", "fees paid"),
    "currency": ("currency", "transaction currency"),
    "paid_at": ("paid at", "transaction date", "date paid", "paid on", "date"),
    "created_at": ("created at", "createdat", "date created"),
    "updated_at": ("updated at", "updatedat"),
}
# ISO 8601, then what spreadsheets make of it. Without a zone it is taken for UTC: a day's difference is none here.
_DATES: Final = (
    "%b %d, %Y %I:%M %p",
    "%b %d, %Y, %I:%M:%S %p",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
)


def statement_read(gateway: GatewayName, file: TextIO) -> Iterator[GatewayLine]:
    """The lines of a file, one after the other. Raises StatementUnreadable, which names the line."""
    rows = csv.DictReader(file)
    columns = _columns_of(rows.fieldnames or ()) if gateway == GatewayName.PAYSTACK else None
    for row in rows:
        came_back = None
        try:
            if columns is None:
                line = _stripe_line(row)
            else:
                named = {name: row[heading] for name, heading in columns.items()}
                line = _paystack_line(named)
                came_back = _came_back(named, line)
        except (KeyError, ValueError, TypeError, UnknownCurrency) as error:
            what = f"column {error}" if isinstance(error, KeyError) else str(error)
            raise StatementUnreadable(f"Line {rows.line_num} cannot be read: {what[:200]}") from None
        yield from (one for one in (line, came_back) if one is not None)


def _columns_of(headings: Sequence[str]) -> dict[str, str]:
    """By our name of a column the file's heading of it."""
    said = {" ".join(_words(heading)): heading for heading in headings}
    found: dict[str, str] = {}
    for name, known in _HEADINGS.items():
        heading = next((said[one] for one in known if one in said), None)
        if heading is not None:
            found[name] = heading
    return found


def _words(heading: str) -> list[str]:
    return "".join(sign if sign.isalnum() else " " for sign in heading.lower().strip("\ufeff")).split()


def _stripe_line(row: dict[str, str]) -> GatewayLine | None:
    kind = _STRIPE_KINDS.get(row["reporting_category"])
    if kind is None:
        return None
    currency = row["currency"].upper()
    minor = Money.from_decimal_string(row["gross"].removeprefix("-"), currency).minor
    top_up = row["reporting_category"].startswith("topup")
    key = row["payment_intent_id"] if kind == GatewayLineKind.PAYMENT else row["source_id"]
    if kind == GatewayLineKind.TRANSFER_RETURN:
        key = row.get("transfer_id") or key
    return GatewayLine(
        kind=kind,
        key=key,
        amount_minor=-minor if top_up else minor,
        fee_minor=Money.from_decimal_string(row["fee"].removeprefix("-"), currency).minor,
        currency=currency,
        at=datetime.fromisoformat(row["created_utc"]).replace(tzinfo=UTC),
    )


def _paystack_line(row: dict[str, str]) -> GatewayLine | None:
    what = (row.get("type") or "transaction").lower()
    kind = _PAYSTACK_KINDS.get(what)
    if kind is None:
        raise ValueError(f"the type is {what!r}")
    status = (row.get("status") or "success").lower()
    if status in _NOT_MOVED[what] or row.get("resolution") == "declined":
        return None
    payment, currency = kind == GatewayLineKind.PAYMENT, row["currency"].upper()
    return GatewayLine(
        kind=kind,
        key=row["reference"] if payment or kind == GatewayLineKind.TRANSFER else row["id"],
        amount_minor=_minor_of(row, "amount", currency),
        fee_minor=_minor_of(row, "fees", currency) if "fees" in row or "fees_major" in row else 0,
        currency=currency,
        at=_time_of(row["paid_at"] if payment else row.get("created_at") or row["paid_at"]),
    )


def _came_back(row: dict[str, str], line: GatewayLine | None) -> GatewayLine | None:
    if line is None or line.kind != GatewayLineKind.TRANSFER or (row.get("status") or "").lower() != "reversed":
        return None
    at = _time_of(row["updated_at"]) if row.get("updated_at") else line.at
    return replace(line, kind=GatewayLineKind.TRANSFER_RETURN, fee_minor=-line.fee_minor, at=at)


def _minor_of(row: dict[str, str], column: str, currency: str) -> int:
    major = row.get(f"{column}_major")
    if major is None:
        return int(row[column] or "0")
    digits = "".join(sign for sign in major if sign.isdigit() or sign in ".-")
    return Money.from_decimal_string(digits or "0", currency).minor


def _time_of(text: str) -> datetime:
    moment = None
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
    for pattern in _DATES:
        if moment is None:
            with suppress(ValueError):
                moment = datetime.strptime(text, pattern)  # noqa: DTZ007 - its zone is said below
    if moment is None:
        raise ValueError(f"{text[:40]!r} is no time")
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
