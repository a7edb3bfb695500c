"""A Checkout Session as Stripe reports it, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from learning247.integrations.stripe.amounts import AmountNotChargeable, from_stripe_amount
from learning247.integrations.stripe.errors import MalformedAnswer

STATUSES = ("open", "complete", "expired")
PAYMENT_STATUSES = ("paid", "unpaid", "no_payment_required")


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """Amounts in our minor units, currencies in capitals.

    Money has come only if `payment_status` is "paid", whatever `status` says. `url` is "" once it is not open any
    more. `fee_minor` (in `fee_currency`, the one that Stripe settles in) is None until Stripe has booked it.
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
    metadata: dict[str, str]
    expires_at: datetime | None
    created_at: datetime | None

    @property
    def is_paid(self) -> bool:
        return self.payment_status == "paid"


def read_session(data: Mapping[str, Any]) -> CheckoutSession:
    """A Checkout Session's JSON, its PaymentIntent expanded or not. Raises MalformedAnswer."""
    currency = _text(data, "currency").upper()
    intent = _expanded(data, "payment_intent")
    charge = _expanded(intent, "latest_charge")
    balance = _expanded(charge, "balance_transaction")
    fee = balance.get("fee")
    fee_currency = _text(balance, "currency").upper() if fee is not None else ""
    return CheckoutSession(
        id=_text(data, "id"),
        url=_optional_text(data, "url"),
        status=_one_of(data, "status", STATUSES),
        payment_status=_one_of(data, "payment_status", PAYMENT_STATUSES),
        amount_total_minor=_amount(_count(data, "amount_total"), currency, "amount_total"),
        currency=currency,
        client_reference_id=_optional_text(data, "client_reference_id"),
        payment_intent_id=_optional_text(intent, "id"),
        payment_intent_status=_optional_text(intent, "status"),
        charge_id=_optional_text(charge, "id"),
        fee_minor=None if fee is None else _amount(_count(balance, "fee"), fee_currency, "fee"),
        fee_currency=fee_currency,
        metadata=_metadata(data),
        expires_at=_time(data, "expires_at"),
        created_at=_time(data, "created"),
    )


def _text(data: Mapping[str, Any], field: str) -> str:
    value = data.get(field)
    if not isinstance(value, str) or not value:
        raise MalformedAnswer(f"{field} is no text: {_shown(value)}")
    return value


def _optional_text(data: Mapping[str, Any], field: str) -> str:
    return "" if data.get(field) is None else _text(data, field)


def _one_of(data: Mapping[str, Any], field: str, known: tuple[str, ...]) -> str:
    value = _text(data, field)
    if value not in known:
        raise MalformedAnswer(f"{field} is none of {', '.join(known)}: {_shown(value)}")
    return value


def _count(data: Mapping[str, Any], field: str) -> int:
    value = data.get(field)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise MalformedAnswer(f"{field} is no whole number: {_shown(value)}")
    return value


def _amount(amount: int, currency: str, field: str) -> int:
    try:
        return from_stripe_amount(amount, currency)
    except AmountNotChargeable as error:
        raise MalformedAnswer(f"{field}: {error}") from None


def _time(data: Mapping[str, Any], field: str) -> datetime | None:
    if data.get(field) is None:
        return None
    try:
        return datetime.fromtimestamp(_count(data, field), tz=UTC)
    except (OverflowError, OSError, ValueError):
        raise MalformedAnswer(f"{field} is no time: {_shown(data.get(field))}") from None


def _expanded(data: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """The object at `field`; {"id": …} where Stripe sent its id alone, {} where there is none."""
    value = data.get(field)
    if value is None:
        return {}
    if isinstance(value, str):
        return {"id": value}
    if not isinstance(value, Mapping):
        raise MalformedAnswer(f"{field} is neither an object nor an id: {_shown(value)}")
    return value


def _metadata(data: Mapping[str, Any]) -> dict[str, str]:
    value = data.get("metadata")
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, Mapping) else {}


def _shown(value: object) -> str:
    return repr(value)[:60]
