"""Stripe behind the port (USD, GBP, EUR and the rest), by hosted Checkout Sessions."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Self

from django.conf import settings

from learning247.integrations.stripe import (
    AmountNotChargeable,
    CheckoutSession,
    Dispute,
    Refund,
    StripeGatewayClient,
    StripeGatewayError,
    StripeIdempotencyMismatch,
    StripeNotFound,
    StripeRateLimited,
    StripeRejected,
    StripeUnauthorized,
)
from payments.errors import CheckoutLost, DisputeNotFound, GatewayRejected, GatewayUnavailable
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
                kind = _LINE_KINDS.get(moved.type)
                if kind is not None:
                    yield GatewayLine(
                        kind=kind,
                        key=moved.payment_intent_id if kind == GatewayLineKind.PAYMENT else moved.source_id,
                        amount_minor=abs(moved.amount_minor),
                        fee_minor=moved.fee_minor,
                        currency=moved.currency,
                        at=moved.created_at,
                    )
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
