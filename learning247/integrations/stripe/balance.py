"""A movement of our balance as Stripe reports it, read strictly (docs.stripe.com/api/balance_transactions)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from learning247.integrations.stripe.amounts import AmountNotChargeable, from_stripe_amount
from learning247.integrations.stripe.errors import MalformedAnswer
from learning247.integrations.stripe.parsing import expanded_in, optional_text_in, text_in, time_in


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """Amounts are signed (out of our balance: negative), in our minor units; the fee is one too.

    `payment_intent_id` is "" where the source is no charge, `transfer_id` where it is no reversal of a transfer,
    `transfer_group` where it is neither a transfer nor a charge that has one.
    """

    id: str
    type: str
    amount_minor: int
    fee_minor: int
    currency: str
    source_id: str
    payment_intent_id: str
    created_at: datetime
    transfer_id: str = ""
    transfer_group: str = ""


def read_balance_transaction(data: Mapping[str, Any]) -> BalanceTransaction:
    """A balance transaction's JSON, its source expanded or not. Raises MalformedAnswer."""
    currency = text_in(data, "currency").upper()
    source = expanded_in(data, "source")
    created_at = time_in(data, "created")
    if created_at is None:
        raise MalformedAnswer("created is no time")
    return BalanceTransaction(
        id=text_in(data, "id"),
        type=text_in(data, "type"),
        amount_minor=_signed_in(data, "amount", currency),
        fee_minor=_signed_in(data, "fee", currency),
        currency=currency,
        source_id=optional_text_in(source, "id"),
        payment_intent_id=optional_text_in(expanded_in(source, "payment_intent"), "id"),
        created_at=created_at,
        transfer_id=optional_text_in(expanded_in(source, "transfer"), "id"),
        transfer_group=optional_text_in(source, "transfer_group"),
    )


def _signed_in(data: Mapping[str, Any], field: str, currency: str) -> int:
    value = data.get(field)
    if isinstance(value, bool) or not isinstance(value, int):
        raise MalformedAnswer(f"{field} is no whole number: {value!r:.60}")
    try:
        return from_stripe_amount(value, currency)
    except AmountNotChargeable as error:
        raise MalformedAnswer(f"{field}: {error}") from None
