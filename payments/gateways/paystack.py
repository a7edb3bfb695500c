"""Paystack behind the port (NGN, GHS, ZAR, KES)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Self

from django.conf import settings

from learning247.integrations.paystack import (
    Dispute,
    PaystackClient,
    PaystackDuplicateReference,
    PaystackError,
    PaystackNotFound,
    PaystackRateLimited,
    PaystackRejected,
    PaystackUnauthorized,
    Refund,
    Settlement,
    Transfer,
)
from learning247.kit.clock import now
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
from payments.references import reference_is_ours

# paystack.com/docs/api/transaction: only `success` means money. `abandoned` is a checkout that nobody has finished
# yet: it may still be paid, so it is open until ours expires. `reversed` was captured once, and all of it went back.
_STATUSES = {
    "success": GatewayPaymentStatus.CAPTURED,
    "reversed": GatewayPaymentStatus.REVERSED,
    "failed": GatewayPaymentStatus.FAILED,
}

# Captured, whether or not all of it went back since.
_CAPTURED = ("success", "reversed")
PAID_LATE_BY = timedelta(days=4)
DECIDED_WITHIN = timedelta(days=60)
# A bank may take days to say yes, and sends back what it cannot credit days after that (paystack.com/docs/transfers).
TRANSFERRED_WITHIN = timedelta(days=30)

# paystack.com/docs/payments/refunds
_REFUND_STATUSES = {
    "processed": GatewayRefundStatus.DONE,
    "failed": GatewayRefundStatus.FAILED,
    "needs-attention": GatewayRefundStatus.NEEDS_ATTENTION,
}


# paystack.com/docs/payments/disputes: the customer's claim waits for us, for the bank, or is `resolved`.
_DISPUTE_STATUSES = {
    "awaiting-merchant-feedback": GatewayDisputeStatus.NEEDS_RESPONSE,
    "awaiting-bank-feedback": GatewayDisputeStatus.UNDER_REVIEW,
    "pending": GatewayDisputeStatus.UNDER_REVIEW,
}


# paystack.com/docs/api/settlement: the others are on their way.
_SETTLEMENT_STATUSES = {"success": GatewayPayoutStatus.PAID, "failed": GatewayPayoutStatus.FAILED}


@lru_cache(maxsize=8)
def _client(secret_key: str, base_url: str, connect: int, read: int) -> PaystackClient:
    """One client per configuration: its kept-alive connections are worth more than its construction."""
    return PaystackClient(secret_key, base_url, timeout=(connect, read))


class PaystackGateway:
    def __init__(self, client: PaystackClient) -> None:
        self._client = client

    @classmethod
    def from_settings(cls) -> Self:
        if not settings.PAYSTACK_SECRET_KEY:
            raise GatewayUnavailable("Paystack is not configured here.")
        return cls(
            _client(
                settings.PAYSTACK_SECRET_KEY,
                settings.PAYSTACK_BASE_URL,
                settings.GATEWAY_CONNECT_TIMEOUT,
                settings.GATEWAY_READ_TIMEOUT,
            )
        )

    def open_checkout(self, request: CheckoutRequest) -> Checkout:
        # A Paystack checkout has no expiry of its own; ours ends by our clock, and a late payment still settles.
        try:
            opened = self._client.transaction_initialize(
                email=request.email,
                amount_minor=request.amount_minor,
                currency=request.currency,
                reference=request.reference,
                callback_url=request.return_url,
                metadata={"reference": request.reference, "cancel_action": request.cancel_url},
            )
        except PaystackDuplicateReference as error:
            # The first call worked and its answer was lost. Paystack never shows that address again.
            raise CheckoutLost from error
        except (PaystackRateLimited, PaystackUnauthorized) as error:
            raise GatewayUnavailable from error
        except PaystackRejected as error:
            raise GatewayRejected(f"Paystack refused the payment: {error.message}") from error
        except PaystackError as error:
            raise GatewayUnavailable from error
        return Checkout(url=opened.authorization_url, gateway_reference=opened.access_code)

    def fetch(self, *, reference: str, gateway_reference: str) -> GatewayPayment:
        try:
            transaction = self._client.transaction_verify(reference)
        except PaystackNotFound:
            return GatewayPayment(GatewayPaymentStatus.UNKNOWN_THERE, reference, 0, 0, "", "", None, "")
        except PaystackError as error:
            raise GatewayUnavailable from error
        return GatewayPayment(
            status=_STATUSES.get(transaction.status, GatewayPaymentStatus.OPEN),
            reference=transaction.reference,
            requested_minor=transaction.asked_minor,
            captured_minor=transaction.amount_minor,
            currency=transaction.currency,
            gateway_payment_id=str(transaction.id),
            gateway_fee_minor=transaction.fees_minor,
            gateway_fee_currency="" if transaction.fees_minor is None else transaction.currency,
            failure_reason=transaction.gateway_response,
            card=transaction.card_signature,
            card_country=transaction.card_country,
            declines=transaction.failed_attempts,
        )

    def create_refund(self, request: RefundRequest) -> GatewayRefund:
        try:
            made = self._client.refund_create(
                transaction_reference=request.payment_reference,
                amount_minor=request.amount_minor,
                currency=request.currency,
                merchant_note=request.reference,
            )
        except (PaystackRateLimited, PaystackUnauthorized) as error:
            raise GatewayUnavailable from error
        except PaystackRejected as error:
            raise GatewayRejected(f"Paystack refused the refund: {error.message}") from error
        except PaystackError as error:
            raise GatewayUnavailable from error
        return _refund_of(made)

    def list_refunds(
        self, *, payment_reference: str, gateway_payment_id: str, since: datetime
    ) -> Iterator[GatewayRefund]:
        # The list has no filter by payment. A minute more on both sides, as clocks differ.
        since, until, page, pages = since - timedelta(minutes=1), now() + timedelta(minutes=1), 1, 1
        while page <= pages:
            try:
                listed = self._client.refund_list(since=since, until=until, page=page)
            except PaystackError as error:
                raise GatewayUnavailable from error
            for refund in listed.refunds:
                if refund.transaction_reference == payment_reference:
                    yield _refund_of(refund)
            page, pages = page + 1, listed.page_count

    def fetch_refund(self, gateway_refund_id: str) -> GatewayRefund:
        try:
            return _refund_of(self._client.refund_fetch(gateway_refund_id))
        except PaystackError as error:
            raise GatewayUnavailable from error

    def fetch_dispute(self, gateway_dispute_id: str) -> GatewayDispute:
        try:
            return _dispute_of(self._client.dispute_fetch(gateway_dispute_id))
        except PaystackNotFound as error:
            raise DisputeNotFound from error
        except PaystackError as error:
            raise GatewayUnavailable from error

    def list_disputes(self, *, since: datetime) -> Iterator[GatewayDispute]:
        until, page, pages = now() + timedelta(minutes=1), 1, 1
        while page <= pages:
            try:
                listed = self._client.dispute_list(since=since, until=until, page=page)
            except PaystackError as error:
                raise GatewayUnavailable from error
            yield from map(_dispute_of, listed.disputes)
            page, pages = page + 1, listed.page_count

    def list_lines(self, *, since: datetime, until: datetime) -> Iterator[GatewayLine]:
        # The list is by when a checkout was opened, the line's time is when it was paid: up to days later.
        opened, page, pages = since - PAID_LATE_BY, 1, 1
        try:
            while page <= pages:
                listed = self._client.transaction_list(since=opened, until=until, page=page)
                for paid in listed.transactions:
                    if paid.status in _CAPTURED and paid.paid_at is not None and since <= paid.paid_at < until:
                        yield GatewayLine(
                            kind=GatewayLineKind.PAYMENT,
                            key=paid.reference,
                            amount_minor=paid.amount_minor,
                            fee_minor=paid.fees_minor or 0,
                            currency=paid.currency,
                            at=paid.paid_at,
                        )
                page, pages = page + 1, listed.page_count
            page, pages = 1, 1
            while page <= pages:
                given_back = self._client.refund_list(since=since, until=until, page=page)
                for refund in given_back.refunds:
                    if refund.status != "failed" and not refund.of_dispute and refund.created_at is not None:
                        yield GatewayLine(
                            kind=GatewayLineKind.REFUND,
                            key=str(refund.id),
                            amount_minor=refund.amount_minor,
                            fee_minor=0,
                            currency=refund.currency,
                            at=refund.created_at,
                        )
                page, pages = page + 1, given_back.page_count
            yield from self._lost(since, until)
            page, pages = 1, 1
            while page <= pages:
                paid_out = self._client.settlement_list(since=since, until=until, page=page)
                for settlement in paid_out.settlements:
                    yield from _lines_of(settlement)
                page, pages = page + 1, paid_out.page_count
            yield from self._sent(since, until)
        except PaystackError as error:
            raise GatewayUnavailable from error

    def _sent(self, since: datetime, until: datetime) -> Iterator[GatewayLine]:
        """Transfers that arrived, and that came back: the list is by when they were made. What is under way or failed
        moved nothing for good."""
        page, pages = 1, 1
        while page <= pages:
            listed = self._client.transfer_list(since=since - TRANSFERRED_WITHIN, until=until, page=page)
            for transfer in listed.transfers:
                if transfer.status in ("success", "reversed"):
                    yield from (line for line in self._transfer_lines(transfer) if since <= line.at < until)
            page, pages = page + 1, listed.page_count

    def _transfer_lines(self, transfer: Transfer) -> Iterator[GatewayLine]:
        if transfer.fee_minor is None:
            transfer = self._client.transfer_verify(transfer.reference)
        key, amount, fee, currency = (
            transfer.reference,
            transfer.amount_minor,
            transfer.fee_minor or 0,
            transfer.currency,
        )
        sent_at = transfer.transferred_at or transfer.created_at
        if sent_at is not None:
            yield GatewayLine(GatewayLineKind.TRANSFER, key, amount, fee, currency, sent_at)
            if transfer.status == "reversed":
                back_at = transfer.updated_at or sent_at
                yield GatewayLine(GatewayLineKind.TRANSFER_RETURN, key, amount, -fee, currency, back_at)

    def _lost(self, since: datetime, until: datetime) -> Iterator[GatewayLine]:
        """The money of disputes that ended so: the list is by when they began, weeks before."""
        page, pages = 1, 1
        while page <= pages:
            listed = self._client.dispute_list(since=since - DECIDED_WITHIN, until=until, page=page)
            for dispute in listed.disputes:
                lost = _dispute_status(dispute) == GatewayDisputeStatus.LOST
                if lost and dispute.resolved_at is not None and since <= dispute.resolved_at < until:
                    yield GatewayLine(
                        kind=GatewayLineKind.DISPUTE,
                        key=str(dispute.id),
                        amount_minor=dispute.amount_minor,
                        fee_minor=0,
                        currency=dispute.currency,
                        at=dispute.resolved_at,
                    )
            page, pages = page + 1, listed.page_count

    def fetch_payout(self, gateway_payout_id: str) -> GatewayPayout:
        raise PayoutNotFound("Paystack tells of no single settlement, it only lists them.")

    def list_payouts(self, *, since: datetime) -> Iterator[GatewayPayout]:
        until, page, pages = now() + timedelta(minutes=1), 1, 1
        while page <= pages:
            try:
                listed = self._client.settlement_list(since=since, until=until, page=page)
            except PaystackError as error:
                raise GatewayUnavailable from error
            yield from map(_payout_of, listed.settlements)
            page, pages = page + 1, listed.page_count

    def list_payout_rows(self, payout: GatewayPayout) -> Iterator[GatewayPayoutRow]:
        # Its transactions bring `total_amount`; what is missing of it at the bank was deducted for what went back, and
        # Paystack does not say for which.
        page, pages = 1, 1
        while page <= pages:
            try:
                listed = self._client.settlement_transactions(payout.gateway_payout_id, page=page)
            except PaystackError as error:
                raise GatewayUnavailable from error
            for one in listed.transactions:
                yield GatewayPayoutRow(
                    GatewayLineKind.PAYMENT.value, one.reference, one.amount_minor, one.fees_minor or 0
                )
            page, pages = page + 1, listed.page_count
        if payout.deducted_minor:
            yield GatewayPayoutRow("deduction", "", -payout.deducted_minor, 0)

    def send_evidence(self, gateway_dispute_id: str, evidence: DisputeEvidence) -> None:
        # An answer there needs an uploaded file and its own words (paystack.com/docs/api/dispute#resolve): people's.
        raise GatewayRejected(
            "Paystack takes evidence as a file on its own pages. Download the document and upload it there."
        )


def _refund_of(refund: Refund) -> GatewayRefund:
    return GatewayRefund(
        gateway_refund_id=str(refund.id),
        reference=refund.merchant_note if reference_is_ours(refund.merchant_note) else "",
        status=_REFUND_STATUSES.get(refund.status, GatewayRefundStatus.PENDING),
        amount_minor=refund.amount_minor,
        currency=refund.currency,
        of_dispute=refund.of_dispute,
    )


def _dispute_of(dispute: Dispute) -> GatewayDispute:
    status = _dispute_status(dispute)
    return GatewayDispute(
        gateway_dispute_id=str(dispute.id),
        payment=dispute.transaction_reference,
        status=status,
        amount_minor=dispute.amount_minor,
        currency=dispute.currency,
        # Paystack takes the money only when the dispute is lost (paystack.com/docs/payments/disputes); it names no fee.
        withdrawn_minor=dispute.amount_minor if status == GatewayDisputeStatus.LOST else 0,
        gateway_fee_minor=0,
        reason=dispute.category,
        due_at=dispute.due_at,
        opened_at=dispute.created_at,
    )


def _payout_of(settlement: Settlement) -> GatewayPayout:
    return GatewayPayout(
        gateway_payout_id=str(settlement.id),
        status=_SETTLEMENT_STATUSES.get(settlement.status, GatewayPayoutStatus.PENDING),
        amount_minor=settlement.effective_minor,
        currency=settlement.currency,
        initiated_at=settlement.created_at,
        arrives_at=settlement.settled_on,
        rows_ready=settlement.status == "success",
        deducted_minor=settlement.total_minor - settlement.effective_minor,
    )


def _lines_of(settlement: Settlement) -> Iterator[GatewayLine]:
    if settlement.effective_minor:
        key, amount, currency = str(settlement.id), settlement.effective_minor, settlement.currency
        yield GatewayLine(GatewayLineKind.PAYOUT, key, amount, 0, currency, settlement.created_at)
        if _SETTLEMENT_STATUSES.get(settlement.status) == GatewayPayoutStatus.FAILED:
            yield GatewayLine(GatewayLineKind.PAYOUT_RETURN, key, amount, 0, currency, settlement.updated_at)


def _dispute_status(dispute: Dispute) -> GatewayDisputeStatus:
    if dispute.status != "resolved":
        return _DISPUTE_STATUSES.get(dispute.status, GatewayDisputeStatus.UNDER_REVIEW)
    if dispute.resolution.endswith("accepted"):
        return GatewayDisputeStatus.LOST
    # An end of which we do not know the word stays open, for people, rather than to move money the wrong way.
    return GatewayDisputeStatus.WON if dispute.resolution == "declined" else GatewayDisputeStatus.UNDER_REVIEW
