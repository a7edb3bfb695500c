"""A refund as Stripe reports it, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from learning247.integrations.stripe.parsing import (
    amount_in,
    expanded_in,
    metadata_in,
    optional_text_in,
    text_in,
    time_in,
)


@dataclass(frozen=True, slots=True)
class Refund:
    """The amount is in our minor units, the currency in capitals.

    `status`: pending, requires_action, succeeded, failed or canceled; a succeeded one may fail later
    (docs.stripe.com/refunds).
    """

    id: str
    status: str
    amount_minor: int
    currency: str
    payment_intent_id: str
    failure_reason: str
    metadata: dict[str, str]
    created_at: datetime | None


def read_refund(data: Mapping[str, Any]) -> Refund:
    """A refund's JSON. Raises MalformedAnswer."""
    currency = text_in(data, "currency").upper()
    return Refund(
        id=text_in(data, "id"),
        status=text_in(data, "status"),
        amount_minor=amount_in(data, "amount", currency),
        currency=currency,
        payment_intent_id=optional_text_in(expanded_in(data, "payment_intent"), "id"),
        failure_reason=optional_text_in(data, "failure_reason"),
        metadata=metadata_in(data),
        created_at=time_in(data, "created"),
    )
