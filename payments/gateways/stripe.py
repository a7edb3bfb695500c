"""Stripe behind the port (USD, GBP, EUR and the rest), by hosted Checkout Sessions."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Self

from django.conf import settings

from learning247.integrations.stripe import (
    AmountNotChargeable,
    BalanceTransaction,
    CheckoutSession,
    Dispute,
    Payout,
    Refund,
    StripeGatewayClient,
    StripeGatewayError,
    StripeIdempotencyMismatch,
    StripeNotFound,
    StripeRateLimited,
    StripeRejected,
    StripeUnauthorized,
)
from payments.errors import CheckoutLost, DisputeNotFound, GatewayRejected, GatewayUnavailable, PayoutNotFound
from payments.gateways.port import (
    Checkout,
    CheckoutRequest,
    DisputeEvidence,
    GatewayDispute,
    GatewayDisputeStatus,
    GatewayLine,
    GatewayLineKind,
    GatewayPayment,
    GatewayPaymentStatus,
    GatewayPayout,
    GatewayPayoutRow,
    GatewayPayoutStatus,
    GatewayRefund,
    GatewayRefundStatus,
    RefundRequest,
)

# docs.stripe.com/reports/balance-transaction-types: cards give `charge` and `refund`, other ways to pay `payment`.
_LINE_KINDS = {
    "charge": GatewayLineKind.PAYMENT,
    "payment": GatewayLineKind.PAYMENT,
    "refund": GatewayLineKind.REFUND,
    "payment_refund": GatewayLineKind.REFUND,
}
_BANK_KINDS = {
    "payout": GatewayLineKind.PAYOUT,
    "topup": GatewayLineKind.PAYOUT,
    "payout_failure": GatewayLineKind.PAYOUT_RETURN,
    "payout_cancel": GatewayLineKind.PAYOUT_RETURN,
    "topup_reversal": GatewayLineKind.PAYOUT_RETURN,
}
# What a connected account was sent, and what came back of it: the sign tells which.
_TRANSFERS = ("transfer", "transfer_refund", "transfer_cancel", "transfer_failure")
DISPUTES = ("dp_", "du_")
REFUND_METADATA = "refund"
# docs.stripe.com/disputes/api: 150,000 characters of evidence in all; a text alone takes 20,000.
LONGEST_EVIDENCE = 20_000
# docs.stripe.com/refunds: one that succeeded may still fail, and then its money is back with us.
_REFUND_STATUSES = {
    "succeeded": GatewayRefundStatus.DONE,
    "failed": GatewayRefundStatus.FAILED,
    "canceled": GatewayRefundStatus.FAILED,
    "requires_action": GatewayRefundStatus.NEEDS_ATTENTION,
}


# docs.stripe.com/api/disputes/object: an inquiry (`warning_…`) moves no money unless it becomes a dispute.
_DISPUTE_STATUSES = {
    "warning_needs_response": GatewayDisputeStatus.WARNING,
    "warning_under_review": GatewayDisputeStatus.WARNING,
    "warning_closed": GatewayDisputeStatus.PREVENTED,
    "needs_response": GatewayDisputeStatus.NEEDS_RESPONSE,
    "under_review": GatewayDisputeStatus.UNDER_REVIEW,
    "won": GatewayDisputeStatus.WON,
    "lost": GatewayDisputeStatus.LOST,
    "prevented": GatewayDisputeStatus.PREVENTED,
}


# docs.stripe.com/api/payouts/object, docs.stripe.com/api/topups/object: a reversed top-up went back to our bank.
_PAYOUT_STATUSES = {
    "paid": GatewayPayoutStatus.PAID,
    "succeeded": GatewayPayoutStatus.PAID,
    "failed": GatewayPayoutStatus.FAILED,
    "reversed": GatewayPayoutStatus.FAILED,
    "canceled": GatewayPayoutStatus.CANCELED,
}


@lru_cache(maxsize=8)
def _client(secret_key: str, api_base: str, connect: int, read: int) -> StripeGatewayClient:
    """One client per configuration: its kept-alive connections are worth more than its construction."""
    return StripeGatewayClient(secret_key, api_base, timeout=(connect, read))


class StripeGateway:
    def __init__(self, client: StripeGatewayClient) -> None:
        self._client = client

    @classmethod
    def from_settings(cls) -> Self:
        if not settings.STRIPE_SECRET_KEY:
            raise GatewayUnavailable("Stripe is not configured here.")
        return cls(
            _client(
                settings.STRIPE_SECRET_KEY,
                settings.STRIPE_API_BASE,
                settings.GATEWAY_CONNECT_TIMEOUT,
                settings.GATEWAY_READ_TIMEOUT,
            )
        )

    def open_checkout(self, request: CheckoutRequest) -> Checkout:
        try:
            session = self._client.checkout_session_create(
                reference=request.reference,
                amount_minor=request.amount_minor,
                currency=request.currency,
                title=request.title,
                customer_email=request.email,
                success_url=request.return_url,
                cancel_url=request.cancel_url,
                expires_at=request.expires_at,  # as stored: the idempotency key holds for the same parameters only
                metadata={},
            )
        except AmountNotChargeable as error:
            raise GatewayRejected(str(error)) from error
        except StripeIdempotencyMismatch as error:
            raise CheckoutLost from error
        except (StripeRateLimited, StripeUnauthorized) as error:
            raise GatewayUnavailable from error
        except StripeRejected as error:
            raise GatewayRejected(f"Stripe refused the payment: {error.message}") from error
        except StripeGatewayError as error:
            raise GatewayUnavailable from error
        return Checkout(url=session.url, gateway_reference=session.id)

    def fetch(self, *, reference: str, gateway_reference: str) -> GatewayPayment:
        if not gateway_reference:  # the answer to opening it never came
            return GatewayPayment(GatewayPaymentStatus.UNKNOWN_THERE, reference, 0, 0, "", "", None, "")
        try:
            session = self._client.checkout_session_retrieve(gateway_reference)
        except StripeNotFound:
            return GatewayPayment(GatewayPaymentStatus.UNKNOWN_THERE, reference, 0, 0, "", "", None, "")
        except StripeGatewayError as error:
            raise GatewayUnavailable from error
        return GatewayPayment(
            status=_status_of(session),
            reference=session.client_reference_id,
            requested_minor=session.amount_total_minor,
            captured_minor=session.amount_total_minor,
            currency=session.currency,
            gateway_payment_id=session.payment_intent_id,
            gateway_fee_minor=session.fee_minor,
            gateway_fee_currency=session.fee_currency,
            failure_reason="The card was declined."
            if session.payment_intent_status == "requires_payment_method"
            else "",
            card=session.card_fingerprint,
            card_country=session.card_country,
        )

    def create_refund(self, request: RefundRequest) -> GatewayRefund:
        try:
            made = self._client.refund_create(
                payment_intent_id=request.gateway_payment_id,
                amount_minor=request.amount_minor,
                currency=request.currency,
                idempotency_key=request.idempotency_key,
                metadata={REFUND_METADATA: request.reference},
            )
        except AmountNotChargeable as error:
            raise GatewayRejected(str(error)) from error
        except (StripeRateLimited, StripeUnauthorized, StripeIdempotencyMismatch) as error:
            raise GatewayUnavailable from error
        except StripeRejected as error:
            raise GatewayRejected(f"Stripe refused the refund: {error.message}") from error
        except StripeGatewayError as error:
            raise GatewayUnavailable from error
        return _refund_of(made)

    def list_refunds(
        self, *, payment_reference: str, gateway_payment_id: str, since: datetime
    ) -> Iterator[GatewayRefund]:
        try:
            yield from map(_refund_of, self._client.refund_list(gateway_payment_id))
        except StripeGatewayError as error:
            raise GatewayUnavailable from error

    def fetch_refund(self, gateway_refund_id: str) -> GatewayRefund:
        try:
            return _refund_of(self._client.refund_retrieve(gateway_refund_id))
        except StripeGatewayError as error:
            raise GatewayUnavailable from error

    def fetch_dispute(self, gateway_dispute_id: str) -> GatewayDispute:
        try:
            return _dispute_of(self._client.dispute_retrieve(gateway_dispute_id))
        except StripeNotFound as error:
            raise DisputeNotFound from error
        except StripeGatewayError as error:
            raise GatewayUnavailable from error

    def list_disputes(self, *, since: datetime) -> Iterator[GatewayDispute]:
        try:
            yield from map(_dispute_of, self._client.dispute_list(since=since))
        except StripeGatewayError as error:
            raise GatewayUnavailable from error

    def list_lines(self, *, since: datetime, until: datetime) -> Iterator[GatewayLine]:
        try:
            for moved in self._client.balance_transaction_list(since=since, until=until):
                kind = _line_kind_of(moved)
                if kind is None:
                    continue
                amount = abs(moved.amount_minor)
                if kind == GatewayLineKind.PAYOUT:
                    amount = -moved.amount_minor
                elif kind == GatewayLineKind.PAYOUT_RETURN:
                    amount = moved.amount_minor
                yield GatewayLine(
                    kind=kind,
                    key=_key_of(kind, moved),
                    amount_minor=amount,
                    fee_minor=moved.fee_minor,
                    currency=moved.currency,
                    at=moved.created_at,
                    reference=moved.transfer_group if kind == GatewayLineKind.TRANSFER else "",
                )
        except StripeGatewayError as error:
            raise GatewayUnavailable from error

    def fetch_payout(self, gateway_payout_id: str) -> GatewayPayout:
        try:
            return _payout_of(self._client.payout_retrieve(gateway_payout_id))
        except StripeNotFound as error:
            raise PayoutNotFound from error
        except StripeGatewayError as error:
            raise GatewayUnavailable from error

    def list_payouts(self, *, since: datetime) -> Iterator[GatewayPayout]:
        try:
            yield from map(_payout_of, self._client.payout_list(since=since))
        except StripeGatewayError as error:
            raise GatewayUnavailable from error

    def list_payout_rows(self, payout: GatewayPayout) -> Iterator[GatewayPayoutRow]:
        try:
            for moved in self._client.payout_transaction_list(payout.gateway_payout_id):
                if moved.source_id != payout.gateway_payout_id:
                    yield _payout_row_of(moved)
        except StripeGatewayError as error:
            raise GatewayUnavailable from error

    def send_evidence(self, gateway_dispute_id: str, evidence: DisputeEvidence) -> None:
        named = {
            "customer_name": evidence.customer_name,
            "customer_email_address": evidence.customer_email,
            "customer_purchase_ip": evidence.purchase_ip,
            "product_description": evidence.product,
            "access_activity_log": evidence.activity,
            "service_date": evidence.service_date,
            "uncategorized_text": evidence.document,
        }
        try:
            self._client.dispute_submit(
                gateway_dispute_id,
                evidence={name: text[:LONGEST_EVIDENCE] for name, text in named.items() if text},
            )
        except (StripeRateLimited, StripeUnauthorized) as error:
            raise GatewayUnavailable from error
        except StripeRejected as error:
            raise GatewayRejected(f"Stripe refused the evidence: {error.message}") from error
        except StripeGatewayError as error:
            raise GatewayUnavailable from error


def _refund_of(refund: Refund) -> GatewayRefund:
    return GatewayRefund(
        gateway_refund_id=refund.id,
        reference=refund.metadata.get(REFUND_METADATA, ""),
        status=_REFUND_STATUSES.get(refund.status, GatewayRefundStatus.PENDING),
        amount_minor=refund.amount_minor,
        currency=refund.currency,
        reason=refund.failure_reason.replace("_", " "),
    )


def _dispute_of(dispute: Dispute) -> GatewayDispute:
    return GatewayDispute(
        gateway_dispute_id=dispute.id,
        payment=dispute.payment_intent_id,
        status=_DISPUTE_STATUSES.get(dispute.status, GatewayDisputeStatus.UNDER_REVIEW),
        amount_minor=dispute.amount_minor,
        currency=dispute.currency,
        withdrawn_minor=dispute.withdrawn_minor,
        gateway_fee_minor=dispute.fee_minor,
        reason=dispute.reason.replace("_", " "),
        due_at=dispute.due_at,
        opened_at=dispute.created_at,
    )


def _payout_of(payout: Payout) -> GatewayPayout:
    return GatewayPayout(
        gateway_payout_id=payout.id,
        status=_PAYOUT_STATUSES.get(payout.status, GatewayPayoutStatus.PENDING),
        amount_minor=payout.amount_minor,
        currency=payout.currency,
        initiated_at=payout.created_at,
        arrives_at=payout.arrives_at,
        rows_ready=payout.reconciled,
        reason=payout.failure_message,
    )


def _line_kind_of(moved: BalanceTransaction) -> GatewayLineKind | None:
    # Disputes are `adjustment`s, which tell what they are by their source alone.
    if moved.type == "adjustment" and moved.source_id.startswith(DISPUTES):
        return GatewayLineKind.DISPUTE if moved.amount_minor < 0 else GatewayLineKind.DISPUTE_REVERSAL
    if moved.type in _TRANSFERS:
        return GatewayLineKind.TRANSFER if moved.amount_minor < 0 else GatewayLineKind.TRANSFER_RETURN
    return _LINE_KINDS.get(moved.type) or _BANK_KINDS.get(moved.type)


def _key_of(kind: GatewayLineKind, moved: BalanceTransaction) -> str:
    if kind == GatewayLineKind.PAYMENT:
        return moved.payment_intent_id
    # A reversal has an id of its own, which the books do not know.
    return (kind == GatewayLineKind.TRANSFER_RETURN and moved.transfer_id) or moved.source_id


def _payout_row_of(moved: BalanceTransaction) -> GatewayPayoutRow:
    kind: str = _LINE_KINDS.get(moved.type, "dispute" if moved.source_id.startswith(DISPUTES) else "other")
    return GatewayPayoutRow(
        kind=kind,
        key=moved.payment_intent_id if kind == GatewayLineKind.PAYMENT else moved.source_id,
        amount_minor=moved.amount_minor,
        fee_minor=moved.fee_minor,
    )


def _status_of(session: CheckoutSession) -> GatewayPaymentStatus:
    # docs.stripe.com/checkout/fulfillment: money has come only when payment_status says so; a complete but unpaid
    # session waits for a delayed payment method.
    if session.is_paid:
        return GatewayPaymentStatus.CAPTURED
    if session.status == "expired":
        return GatewayPaymentStatus.EXPIRED
    if session.status == "open" and session.payment_intent_status == "requires_payment_method":
        return GatewayPaymentStatus.FAILED
    return GatewayPaymentStatus.OPEN
