"""A dispute as Stripe reports it, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from learning247.integrations.stripe.amounts import TIMES_100
from learning247.integrations.stripe.errors import MalformedAnswer
from learning247.integrations.stripe.parsing import (
    amount_in,
    expanded_in,
    optional_text_in,
    text_in,
    time_in,
)


@dataclass(frozen=True, slots=True)
class Dispute:
    """Amounts are in our minor units, the currency in capitals.

    `status`: warning_needs_response, warning_under_review, warning_closed, needs_response, under_review, won, lost or
    prevented (docs.stripe.com/api/disputes/object). `withdrawn_minor` is what Stripe holds back of our balance because
    of it now, without `fee_minor`. Both are by Stripe's own balance transactions; where those are in another currency
    than the payment (Stripe converts), what was withdrawn is the disputed amount and the fee is not known: None.
    """

    id: str
    status: str
    amount_minor: int
    currency: str
    payment_intent_id: str
    reason: str
    withdrawn_minor: int
    fee_minor: int | None
    due_at: datetime | None
    created_at: datetime | None


def read_dispute(data: Mapping[str, Any]) -> Dispute:
    """A dispute's JSON. Raises MalformedAnswer."""
    currency = text_in(data, "currency").upper()
    amount = amount_in(data, "amount", currency)
    details = expanded_in(data, "evidence_details")
    withdrawn, fee = _moved(data.get("balance_transactions"), currency, amount)
    return Dispute(
        id=text_in(data, "id"),
        status=text_in(data, "status"),
        amount_minor=amount,
        currency=currency,
        payment_intent_id=optional_text_in(expanded_in(data, "payment_intent"), "id"),
        reason=optional_text_in(data, "reason"),
        withdrawn_minor=withdrawn,
        fee_minor=fee,
        due_at=time_in(details, "due_by"),
        created_at=time_in(data, "created"),
    )


def _moved(rows: object, currency: str, disputed_minor: int) -> tuple[int, int | None]:
    """(withdrawn and not reinstated, fee or None)."""
    if rows is None:
        return 0, 0
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise MalformedAnswer("balance_transactions is no list of objects")
    moved = -sum(_signed(row, "amount", currency) for row in rows)
    if any(text_in(row, "currency").upper() != currency for row in rows):
        return disputed_minor if moved > 0 else 0, None
    return max(moved, 0), sum(_signed(row, "fee", currency) for row in rows)


def _signed(row: Mapping[str, Any], field: str, currency: str) -> int:
    value = row.get(field)
    if isinstance(value, bool) or not isinstance(value, int):
        raise MalformedAnswer(f"{field} is no whole number: {str(value)[:60]!r}")
    return value // 100 if currency in TIMES_100 else value
