"""What payments needs of a gateway, in our own words."""

from collections.abc import Iterator
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
    """`reversed`: captured once, and all of it went back since, by refunds or a dispute."""

    CAPTURED = "captured"
    REVERSED = "reversed"
    OPEN = "open"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN_THERE = "unknown_there"


@dataclass(frozen=True, slots=True)
class GatewayPayment:
    """A payment as the gateway itself reports it, never as a webhook claims. Amounts in minor units.

    `captured_minor` exceeds `requested_minor` where the buyer bears the gateway's fee. That is None while the gateway
    has not named it; its currency is the one that the gateway settles in.

    `card` is what the gateway knows the card by, the same whoever pays with it; empty where it was none. `declines` is
    how many attempts at it failed, as far as the gateway tells.
    """

    status: GatewayPaymentStatus
    reference: str
    requested_minor: int
    captured_minor: int
    currency: str
    gateway_payment_id: str
    gateway_fee_minor: int | None
    gateway_fee_currency: str
    failure_reason: str = ""
    card: str = ""
    card_country: str = ""
    declines: int = 0


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A refund to make of a captured payment. `reference` is ours, and what it is found by; `amount_minor` in minor
    units of `currency`. `idempotency_key` is another one only after the gateway has shown that it did not make it:
    Stripe repeats its answer to a key for a day, also a 500 (docs.stripe.com/api/idempotent_requests)."""

    reference: str
    idempotency_key: str
    payment_reference: str
    gateway_payment_id: str
    amount_minor: int
    currency: str


class GatewayRefundStatus(StrEnum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    NEEDS_ATTENTION = "needs_attention"


@dataclass(frozen=True, slots=True)
class GatewayRefund:
    """A refund as the gateway itself reports it. Amount in minor units.

    `reference` is ours, or "" where it was made there by hand; `reason` says why it failed. `of_dispute`: it is how the
    gateway carries out a dispute that was lost, and no refund of its own.
    """

    gateway_refund_id: str
    reference: str
    status: GatewayRefundStatus
    amount_minor: int
    currency: str
    reason: str = ""
    of_dispute: bool = False


class GatewayDisputeStatus(StrEnum):
    WARNING = "warning"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    PREVENTED = "prevented"


@dataclass(frozen=True, slots=True)
class GatewayDispute:
    """A dispute as the gateway itself reports it, never as a webhook claims. Amounts in minor units of `currency`.

    `payment` is what it is about: our reference, or the gateway's id of the payment; whichever this gateway names.
    `withdrawn_minor` is what the gateway holds back because of it now, `gateway_fee_minor` what it charges (None: not
    known in this currency).
    """

    gateway_dispute_id: str
    payment: str
    status: GatewayDisputeStatus
    amount_minor: int
    currency: str
    withdrawn_minor: int
    gateway_fee_minor: int | None
    reason: str
    due_at: datetime | None
    opened_at: datetime | None


class GatewayPayoutStatus(StrEnum):
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class GatewayPayout:
    """What a gateway paid out to our own bank, as it reports it; amounts in minor units, below zero where it took them
    in from there. `rows_ready`: `list_payout_rows` has all that it consists of; `deducted_minor` is what of it the
    gateway kept for what went back, where it names the sum alone."""

    gateway_payout_id: str
    status: GatewayPayoutStatus
    amount_minor: int
    currency: str
    initiated_at: datetime
    arrives_at: datetime | None
    rows_ready: bool
    deducted_minor: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GatewayPayoutRow:
    """One movement of our balance that a payout pays out: `kind` payment, refund, dispute, deduction or other; `key` as
    in GatewayLine, "" where it has none; signed, in minor units."""

    kind: str
    key: str
    amount_minor: int
    fee_minor: int


class GatewayLineKind(StrEnum):
    """Money comes in by a payment, a dispute that is reinstated, and a payout or a transfer that comes back; it leaves
    by the others. A top-up from our bank is a payout too, its amount below zero. A transfer pays a creator."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute_reversal"
    PAYOUT = "payout"
    PAYOUT_RETURN = "payout_return"
    TRANSFER = "transfer"
    TRANSFER_RETURN = "transfer_return"


@dataclass(frozen=True, slots=True)
class GatewayLine:
    """A line of what the gateway says that moved our balance: amounts in minor units of `currency`, below zero for a
    top-up alone; what it kept of it (below zero: gave back with it), and when. `key` is what the books know it by: a
    payment's or transfer's reference (Paystack), a payment intent or the transfer's id (Stripe), a refund's, dispute's
    or payout's id at the gateway. `reference` is ours, where the gateway names a transfer's beside its id."""

    kind: GatewayLineKind
    key: str
    amount_minor: int
    fee_minor: int
    currency: str
    at: datetime
    reference: str = ""


@dataclass(frozen=True, slots=True)
class DisputeEvidence:
    """What we know of a disputed payment, in plain text; `service_date` is YYYY-MM-DD, "" where nothing is known."""

    customer_name: str
    customer_email: str
    purchase_ip: str
    product: str
    activity: str
    service_date: str
    document: str


class Gateway(Protocol):
    def open_checkout(self, request: CheckoutRequest) -> Checkout:
        """Raises GatewayRejected (a conclusive no), CheckoutLost (open, its address is lost), GatewayUnavailable."""

    def fetch(self, *, reference: str, gateway_reference: str) -> GatewayPayment:
        """What the gateway knows of our payment now. Raises GatewayUnavailable."""

    def create_refund(self, request: RefundRequest) -> GatewayRefund:
        """Raises GatewayRejected (a conclusive no), GatewayUnavailable (it may have worked or not)."""

    def list_refunds(
        self, *, payment_reference: str, gateway_payment_id: str, since: datetime
    ) -> Iterator[GatewayRefund]:
        """The payment's refunds that were made after `since`, newest first. Raises GatewayUnavailable."""

    def fetch_refund(self, gateway_refund_id: str) -> GatewayRefund:
        """The refund as it stands now. Raises GatewayUnavailable."""

    def list_lines(self, *, since: datetime, until: datetime) -> Iterator[GatewayLine]:
        """What succeeded in [since, until), in no order. Raises GatewayUnavailable."""

    def fetch_dispute(self, gateway_dispute_id: str) -> GatewayDispute:
        """The dispute as it stands now. Raises DisputeNotFound, GatewayUnavailable."""

    def list_disputes(self, *, since: datetime) -> Iterator[GatewayDispute]:
        """All disputes, whosesoever, that began after `since`, newest first. Raises GatewayUnavailable."""

    def fetch_payout(self, gateway_payout_id: str) -> GatewayPayout:
        """The payout as it stands now. Raises PayoutNotFound, GatewayUnavailable."""

    def list_payouts(self, *, since: datetime) -> Iterator[GatewayPayout]:
        """All payouts to our own bank, and top-ups from there, that were made after `since`. Raises
        GatewayUnavailable."""

    def list_payout_rows(self, payout: GatewayPayout) -> Iterator[GatewayPayoutRow]:
        """What it consists of, in no order; meaningful where `rows_ready`. Raises GatewayUnavailable."""

    def send_evidence(self, gateway_dispute_id: str, evidence: DisputeEvidence) -> None:
        """Hand the evidence to the bank, for good. Raises GatewayRejected (a conclusive no, or it takes none by API),
        GatewayUnavailable."""
