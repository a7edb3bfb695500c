"""What payments needs of a gateway, in our own words."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A hosted checkout to open. `reference` is ours and the gateway's idempotency key; amounts in minor units."""

    reference: str
    amount_minor: int
    currency: str
    title: str
    email: str
    return_url: str
    cancel_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Checkout:
    """An open checkout: where the buyer pays, and what the gateway calls it."""

    url: str
    gateway_reference: str


class GatewayPaymentStatus(StrEnum):
    CAPTURED = "captured"
    OPEN = "open"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN_THERE = "unknown_there"


@dataclass(frozen=True, slots=True)
class GatewayPayment:
    """A payment as the gateway itself reports it, never as a webhook claims. Amounts in minor units.

    `captured_minor` exceeds `requested_minor` where the buyer bears the gateway's fee.
    """

    status: GatewayPaymentStatus
    reference: str
    requested_minor: int
    captured_minor: int
    currency: str
    gateway_payment_id: str
    gateway_fee_minor: int | None
    failure_reason: str = ""


class Gateway(Protocol):
    def open_checkout(self, request: CheckoutRequest) -> Checkout:
        """Raises GatewayRejected (a conclusive no), CheckoutLost (open, its address is lost), GatewayUnavailable."""

    def fetch(self, *, reference: str, gateway_reference: str) -> GatewayPayment:
        """What the gateway knows of our payment now. Raises GatewayUnavailable."""
