"""What the wallet needs of whoever pays out, in our own words."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """A transfer to make. `reference` is ours and what it is found by; amount in minor units.

    `idempotency_key` is another one only after the gateway has conclusively refused the one before: Stripe repeats its
    answer to a key for a day, a refusal too (docs.stripe.com/api/idempotent_requests).
    """

    reference: str
    idempotency_key: str
    amount_minor: int
    currency: str
    destination: str
    reason: str


class TransferStatus(StrEnum):
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    REVERSED = "reversed"
    NEEDS_CODE = "needs_code"
    UNKNOWN_THERE = "unknown_there"


@dataclass(frozen=True, slots=True)
class TransferReport:
    """A transfer as the gateway itself reports it, never as a webhook claims. Amounts in minor units.

    `fee_minor` is None where the gateway does not name it (yet); in the transfer's currency.
    """

    status: TransferStatus
    reference: str
    amount_minor: int
    currency: str
    gateway_transfer_id: str
    fee_minor: int | None = None
    reason: str = ""


class PayoutGateway(Protocol):
    def create_transfer(self, request: TransferRequest) -> TransferReport:
        """Raises GatewayBalanceLow and PayoutRefused (a conclusive no), PayoutGatewayUnavailable (it may have worked or
        not). The same reference never pays twice."""

    def fetch_transfer(self, *, reference: str, gateway_transfer_id: str) -> TransferReport:
        """The transfer as it stands now; `unknown_there` where the gateway has made none of this reference. Raises
        PayoutGatewayUnavailable."""
