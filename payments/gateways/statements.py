"""What a gateway says that it took in and gave back, from a file that it exports.

* Stripe: the report `balance_change_from_activity.itemized.3` (docs.stripe.com/reports/report-types/balance): amounts
  in major units, signed, times in UTC. Lines of other categories than charges and refunds are not read here.
* Paystack: the columns that its lists of transactions and refunds have (paystack.com/docs/api/transaction): amounts in
  the minor unit, ISO 8601 times; `type` is transaction or refund. What did not succeed is not read.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TextIO

from learning247.kit.money import Money, UnknownCurrency
from payments.enums import GatewayName
from payments.errors import StatementUnreadable
from payments.gateways.port import GatewayLine, GatewayLineKind

_STRIPE_KINDS = {"charge": GatewayLineKind.PAYMENT, "refund": GatewayLineKind.REFUND}


def statement_read(gateway: GatewayName, file: TextIO) -> Iterator[GatewayLine]:
    """The lines of a file, one after the other. Raises StatementUnreadable, which names the line."""
    read = {GatewayName.STRIPE: _stripe_line, GatewayName.PAYSTACK: _paystack_line}[gateway]
    rows = csv.DictReader(file)
    for row in rows:
        try:
            line = read(row)
        except (KeyError, ValueError, TypeError, UnknownCurrency) as error:
            what = f"column {error}" if isinstance(error, KeyError) else str(error)
            raise StatementUnreadable(f"Line {rows.line_num} cannot be read: {what[:200]}") from None
        if line is not None:
            yield line


def _stripe_line(row: dict[str, str]) -> GatewayLine | None:
    kind = _STRIPE_KINDS.get(row["reporting_category"])
    if kind is None:
        return None
    currency = row["currency"].upper()
    return GatewayLine(
        kind=kind,
        key=row["payment_intent_id"] if kind == GatewayLineKind.PAYMENT else row["source_id"],
        amount_minor=Money.from_decimal_string(row["gross"].removeprefix("-"), currency).minor,
        fee_minor=Money.from_decimal_string(row["fee"].removeprefix("-"), currency).minor,
        currency=currency,
        at=datetime.fromisoformat(row["created_utc"]).replace(tzinfo=UTC),
    )


def _paystack_line(row: dict[str, str]) -> GatewayLine | None:
    is_refund = row["type"] == "refund"
    if row["status"] in (("failed",) if is_refund else ("failed", "abandoned", "ongoing", "pending", "queued")):
        return None
    at = datetime.fromisoformat(row["created_at"] if is_refund else row["paid_at"])
    if at.tzinfo is None:
        raise ValueError("the time has no zone")
    return GatewayLine(
        kind=GatewayLineKind.REFUND if is_refund else GatewayLineKind.PAYMENT,
        key=row["id"] if is_refund else row["reference"],
        amount_minor=int(row["amount"]),
        fee_minor=int(row["fees"] or "0"),
        currency=row["currency"],
        at=at,
    )
