"""A Checkout Session as Stripe reports it, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from learning247.integrations.stripe.parsing import (
    amount_in,
    expanded_in,
    hint_in,
    metadata_in,
    one_of_in,
    optional_text_in,
    text_in,
    time_in,
)

STATUSES = ("open", "complete", "expired")
PAYMENT_STATUSES = ("paid", "unpaid", "no_payment_required")


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """Amounts in our minor units, currencies in capitals.

    Money has come only if `payment_status` is "paid", whatever `status` says. `url` is "" once it is not open any
    more. `fee_minor` (in `fee_currency`, the one that Stripe settles in) is None until Stripe has booked it.
    `card_fingerprint` is the same for the same card, whoever uses it; "" where no card was used.
    """

    id: str
    url: str
    status: str
    payment_status: str
    amount_total_minor: int
    currency: str
    client_reference_id: str
    payment_intent_id: str
    payment_intent_status: str
    charge_id: str
    fee_minor: int | None
    fee_currency: str
    card_fingerprint: str
    card_country: str
    metadata: dict[str, str]
    expires_at: datetime | None
    created_at: datetime | None

    @property
    def is_paid(self) -> bool:
        return self.payment_status == "paid"


def read_session(data: Mapping[str, Any]) -> CheckoutSession:
    """A Checkout Session's JSON, its PaymentIntent expanded or not. Raises MalformedAnswer."""
    currency = text_in(data, "currency").upper()
    intent = expanded_in(data, "payment_intent")
    charge = expanded_in(intent, "latest_charge")
    balance = expanded_in(charge, "balance_transaction")
    fee = balance.get("fee")
    fee_currency = text_in(balance, "currency").upper() if fee is not None else ""
    return CheckoutSession(
        id=text_in(data, "id"),
        url=optional_text_in(data, "url"),
        status=one_of_in(data, "status", STATUSES),
        payment_status=one_of_in(data, "payment_status", PAYMENT_STATUSES),
        amount_total_minor=amount_in(data, "amount_total", currency),
        currency=currency,
        client_reference_id=optional_text_in(data, "client_reference_id"),
        payment_intent_id=optional_text_in(intent, "id"),
        payment_intent_status=optional_text_in(intent, "status"),
        charge_id=optional_text_in(charge, "id"),
        fee_minor=None if fee is None else amount_in(balance, "fee", fee_currency),
        fee_currency=fee_currency,
        card_fingerprint=hint_in(charge, "payment_method_details", "card", "fingerprint"),
        card_country=hint_in(charge, "payment_method_details", "card", "country").upper(),
        metadata=metadata_in(data),
        expires_at=time_in(data, "expires_at"),
        created_at=time_in(data, "created"),
    )
