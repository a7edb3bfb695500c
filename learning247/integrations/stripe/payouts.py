"""Money between our balance at Stripe and our own bank, read strictly: payouts and top-ups."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from learning247.integrations.stripe.amounts import AmountNotChargeable, from_stripe_amount
from learning247.integrations.stripe.errors import MalformedAnswer
from learning247.integrations.stripe.parsing import optional_text_in, text_in, time_in


@dataclass(frozen=True, slots=True)
class Payout:
    """A payout (docs.stripe.com/api/payouts/object) or a top-up (docs.stripe.com/api/topups/object).

    `amount_minor` is what goes to our bank: negative for a top-up, and for a payout that takes a negative balance from
    there. `status`: pending, in_transit, paid, failed, canceled; of a top-up pending, succeeded, failed, canceled,
    reversed. `reconciled`: Stripe says that the list of what it pays out is complete, which it does of automatic ones.
    """

    id: str
    status: str
    amount_minor: int
    currency: str
    reconciled: bool
    failure_message: str
    created_at: datetime
    arrives_at: datetime | None


def read_payout(data: Mapping[str, Any]) -> Payout:
    """A payout's JSON. Raises MalformedAnswer."""
    return _read(data, 1, "arrival_date")


def read_topup(data: Mapping[str, Any]) -> Payout:
    """A top-up's JSON. Raises MalformedAnswer."""
    return _read(data, -1, "expected_availability_date")


def _read(data: Mapping[str, Any], sign: int, arrival: str) -> Payout:
    currency, created_at = text_in(data, "currency").upper(), time_in(data, "created")
    amount = data.get("amount")
    if created_at is None or isinstance(amount, bool) or not isinstance(amount, int):
        raise MalformedAnswer("created or amount is no number")
    try:
        minor = from_stripe_amount(amount, currency)
    except AmountNotChargeable as error:
        raise MalformedAnswer(f"amount: {error}") from None
    return Payout(
        id=text_in(data, "id"),
        status=text_in(data, "status"),
        amount_minor=sign * minor,
        currency=currency,
        reconciled=data.get("reconciliation_status") == "completed",
        failure_message=optional_text_in(data, "failure_message"),
        created_at=created_at,
        arrives_at=time_in(data, arrival),
    )
