"""Calls to Stripe through its official SDK: explicit timeouts, our own idempotency keys, typed answers and errors."""

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from datetime import datetime
from functools import partial
from math import ceil
from typing import Any, TypeVar

import stripe

from learning247.integrations.stripe.amounts import to_stripe_amount
from learning247.integrations.stripe.balance import BalanceTransaction, read_balance_transaction
from learning247.integrations.stripe.connect import (
    AccountLink,
    ConnectedAccount,
    ConnectTransfer,
    read_account,
    read_account_link,
    read_transfer,
)
from learning247.integrations.stripe.disputes import Dispute, read_dispute
from learning247.integrations.stripe.errors import (
    MalformedAnswer,
    StripeBalanceTooLow,
    StripeGatewayError,
    StripeIdempotencyMismatch,
    StripeNotFound,
    StripeRateLimited,
    StripeRejected,
    StripeUnauthorized,
    StripeUnknownOutcome,
)
from learning247.integrations.stripe.parsing import text_in
from learning247.integrations.stripe.payouts import Payout, read_payout, read_topup
from learning247.integrations.stripe.refunds import Refund, read_refund
from learning247.integrations.stripe.sessions import CheckoutSession, read_session

Read = TypeVar("Read")
Timeout = tuple[float, float]

DEFAULT_RETRY_AFTER = 30
LONGEST_RETRY_AFTER = 3_600
TOP_UP = "tu_"
_WITH_FEE = ["payment_intent.latest_charge.balance_transaction"]


class StripeGatewayClient:
    """Safe to share between threads. `timeout` is (seconds to connect, seconds between two bytes of the answer).

    The SDK repeats a call at most `max_network_retries` times, under the same idempotency key. Every method raises
    StripeRejected (or one of its kinds) for a conclusive no, StripeUnknownOutcome where nobody can say what happened.
    """

    def __init__(self, secret_key: str, api_base: str, *, timeout: Timeout, max_network_retries: int = 1) -> None:
        if not secret_key:
            raise ValueError("Stripe needs a secret key.")
        self._api_base = api_base.rstrip("/")
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": self._api_base},
            max_network_retries=max_network_retries,
            http_client=stripe.RequestsClient(timeout=timeout),
        )

    def __repr__(self) -> str:
        return f"StripeGatewayClient({self._api_base!r})"

    def checkout_session_create(
        self,
        *,
        reference: str,
        amount_minor: int,
        currency: str,
        title: str,
        customer_email: str,
        success_url: str,
        cancel_url: str,
        expires_at: datetime,
        metadata: Mapping[str, str],
    ) -> CheckoutSession:
        """Open a hosted checkout for one thing. `reference` (<= 200 characters) is ours and the idempotency key too.

        `expires_at` lies 30 minutes to 24 hours ahead. The same reference with other parameters raises
        StripeIdempotencyMismatch; an amount that Stripe cannot charge raises AmountNotChargeable.
        """
        kept = {**metadata, "reference": reference}
        params: Any = {
            "mode": "payment",
            "line_items": [
                {
                    "price_data": {
                        "currency": currency.lower(),
                        "unit_amount": to_stripe_amount(amount_minor, currency),
                        "product_data": {"name": title},
                    },
                    "quantity": 1,
                }
            ],
            "client_reference_id": reference,
            "metadata": kept,
            # Stripe copies no metadata to the PaymentIntent, and refund and dispute events carry that one's.
            "payment_intent_data": {"metadata": kept},
            "customer_email": customer_email,
            "success_url": success_url,
            "cancel_url": cancel_url,
            "expires_at": int(expires_at.timestamp()),
        }
        session = self._call(
            lambda: self._client.v1.checkout.sessions.create(params, {"idempotency_key": reference}), read_session
        )
        if session.client_reference_id != reference:
            raise MalformedAnswer(f"client_reference_id is not the one that was sent: {session.client_reference_id!r}")
        return session

    def checkout_session_retrieve(self, session_id: str) -> CheckoutSession:
        """The session as it stands now, with what Stripe booked as its fee. Raises StripeNotFound."""
        params: Any = {"expand": _WITH_FEE}
        session = self._call(lambda: self._client.v1.checkout.sessions.retrieve(session_id, params), read_session)
        if session.id != session_id:
            raise MalformedAnswer(f"id is not the one that was asked for: {session.id!r}")
        return session

    def refund_create(
        self,
        *,
        payment_intent_id: str,
        amount_minor: int,
        currency: str,
        idempotency_key: str,
        metadata: Mapping[str, str],
    ) -> Refund:
        """Give a part or all of a payment back. The same key within a day gives the same refund again
        (docs.stripe.com/api/idempotent_requests); after that, `refund_list` tells by the metadata."""
        params: Any = {
            "payment_intent": payment_intent_id,
            "amount": to_stripe_amount(amount_minor, currency),
            "metadata": dict(metadata),
        }
        return self._call(
            lambda: self._client.v1.refunds.create(params, {"idempotency_key": idempotency_key}), read_refund
        )

    def refund_retrieve(self, refund_id: str) -> Refund:
        """The refund as it stands now. Raises StripeNotFound."""
        refund = self._call(lambda: self._client.v1.refunds.retrieve(refund_id), read_refund)
        if refund.id != refund_id:
            raise MalformedAnswer(f"id is not the one that was asked for: {refund.id!r}")
        return refund

    def refund_list(self, payment_intent_id: str) -> list[Refund]:
        """Every refund of a payment, newest first."""
        return [
            read_refund(row) for row in self._listed(self._client.v1.refunds, {"payment_intent": payment_intent_id})
        ]

    def dispute_retrieve(self, dispute_id: str) -> Dispute:
        """The dispute as it stands now. Raises StripeNotFound."""
        dispute = self._call(lambda: self._client.v1.disputes.retrieve(dispute_id), read_dispute)
        if dispute.id != dispute_id:
            raise MalformedAnswer(f"id is not the one that was asked for: {dispute.id!r}")
        return dispute

    def dispute_submit(self, dispute_id: str, *, evidence: Mapping[str, str]) -> Dispute:
        """Send evidence to the bank, by the names of docs.stripe.com/api/disputes/evidence_object; it is final."""
        params: Any = {"evidence": dict(evidence), "submit": True}
        return self._call(lambda: self._client.v1.disputes.update(dispute_id, params), read_dispute)

    def dispute_list(self, *, since: datetime) -> list[Dispute]:
        """Every dispute that began at `since` or later, newest first."""
        params = {"created": {"gte": int(since.timestamp())}}
        return [read_dispute(row) for row in self._listed(self._client.v1.disputes, params)]

    def payout_retrieve(self, payout_id: str) -> Payout:
        """A payout or top-up of ours as it stands now. Raises StripeNotFound."""
        if payout_id.startswith(TOP_UP):
            payout = self._call(lambda: self._client.v1.topups.retrieve(payout_id), read_topup)
        else:
            payout = self._call(lambda: self._client.v1.payouts.retrieve(payout_id), read_payout)
        if payout.id != payout_id:
            raise MalformedAnswer(f"id is not the one that was asked for: {payout.id!r}")
        return payout

    def payout_list(self, *, since: datetime) -> list[Payout]:
        """Every payout, then every top-up of ours that was made at `since` or later, newest first."""
        params = {"created": {"gte": int(since.timestamp())}}
        payouts = [read_payout(row) for row in self._listed(self._client.v1.payouts, params)]
        return payouts + [read_topup(row) for row in self._listed(self._client.v1.topups, params)]

    def payout_transaction_list(self, payout_id: str) -> Iterator[BalanceTransaction]:
        """The movements of our balance that an automatic payout pays out, and its own; newest first
        (docs.stripe.com/payouts/reconciliation)."""
        params = {"payout": payout_id, "expand": ["data.source"]}
        yield from map(read_balance_transaction, self._listed(self._client.v1.balance_transactions, params))

    def account_create(
        self, *, country: str, email: str, idempotency_key: str, metadata: Mapping[str, str]
    ) -> ConnectedAccount:
        """A connected account (Express) that money may be sent to once its owner has answered Stripe's questions."""
        params: Any = {
            "type": "express",
            "country": country,
            "email": email,
            "capabilities": {"transfers": {"requested": True}},
            "metadata": dict(metadata),
        }
        return self._call(
            lambda: self._client.v1.accounts.create(params, {"idempotency_key": idempotency_key}), read_account
        )

    def account_retrieve(self, account_id: str) -> ConnectedAccount:
        """The account as it stands now. Raises StripeNotFound."""
        account = self._call(lambda: self._client.v1.accounts.retrieve(account_id), read_account)
        if account.id != account_id:
            raise MalformedAnswer(f"id is not the one that was asked for: {account.id!r}")
        return account

    def account_link_create(self, account_id: str, *, refresh_url: str, return_url: str) -> AccountLink:
        """Where the account's owner answers Stripe's questions."""
        params: Any = {
            "account": account_id,
            "refresh_url": refresh_url,
            "return_url": return_url,
            "type": "account_onboarding",
        }
        return self._call(lambda: self._client.v1.account_links.create(params), read_account_link)

    def transfer_create(
        self,
        *,
        amount_minor: int,
        currency: str,
        destination: str,
        transfer_group: str,
        description: str,
        idempotency_key: str,
        metadata: Mapping[str, str],
    ) -> ConnectTransfer:
        """Send money from our balance to a connected account. The same key within a day gives the same transfer again;
        after that, `transfer_list` tells by the group. Raises StripeBalanceTooLow."""
        params: Any = {
            "amount": to_stripe_amount(amount_minor, currency),
            "currency": currency.lower(),
            "destination": destination,
            "transfer_group": transfer_group,
            "description": description,
            "metadata": dict(metadata),
        }
        return self._call(
            lambda: self._client.v1.transfers.create(params, {"idempotency_key": idempotency_key}), read_transfer
        )

    def transfer_list(self, *, transfer_group: str) -> list[ConnectTransfer]:
        """Every transfer of that group, newest first."""
        return [
            read_transfer(row) for row in self._listed(self._client.v1.transfers, {"transfer_group": transfer_group})
        ]

    def _listed(self, service: Any, params: dict[str, Any]) -> list[Mapping[str, Any]]:
        """All rows of a list, page by page."""
        found: list[Mapping[str, Any]] = []
        after: dict[str, Any] = {}
        while True:
            rows, has_more = self._call(partial(service.list, {**params, "limit": 100, **after}), _read_page)
            found += rows
            if not has_more or not rows:
                return found
            after = {"starting_after": text_in(rows[-1], "id")}

    def balance_transaction_list(self, *, since: datetime, until: datetime) -> Iterator[BalanceTransaction]:
        """Every movement of our balance in [since, until), newest first, with the charge or refund behind it."""
        params: Any = {
            "created": {"gte": ceil(since.timestamp()), "lt": ceil(until.timestamp())},
            "limit": 100,
            "expand": ["data.source"],
        }
        while True:
            rows, has_more = self._call(partial(self._client.v1.balance_transactions.list, copy(params)), _read_page)
            found = [read_balance_transaction(row) for row in rows]
            yield from found
            if not has_more or not found:
                return
            params["starting_after"] = found[-1].id

    def _call(self, call: Callable[[], Any], read: Callable[[Mapping[str, Any]], Read]) -> Read:
        try:
            answer = call()
        except stripe.StripeError as error:
            raise _translated(error) from None
        except ValueError:  # the SDK decodes a 2xx body without looking
            raise MalformedAnswer("The answer is no UTF-8.") from None
        if not isinstance(answer, stripe.StripeObject):
            raise MalformedAnswer("The answer is no object.")
        return read(answer.to_dict())


def _read_page(answer: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], bool]:
    """A list's rows, and whether there are more."""
    rows = answer.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise MalformedAnswer("data is no list of objects")
    return rows, answer.get("has_more") is True


def _translated(error: stripe.StripeError) -> StripeGatewayError:
    status = error.http_status or 0
    code, message = error.code or "", _without_key(error)
    if isinstance(error, stripe.IdempotencyError):
        return StripeIdempotencyMismatch(status=status, code=code or "idempotency_error", message=message)
    if isinstance(error, stripe.RateLimitError) or status == 429:
        headers = error.headers or {}
        return StripeRateLimited(retry_after=_seconds(str(headers.get("Retry-After", ""))), message=message)
    # 409 is a twin under the same key that is still running.
    if not 400 <= status < 500 or status == 409:
        return StripeUnknownOutcome(f"{type(error).__name__}, HTTP {status or 'without an answer'}")
    kind = StripeRejected
    if status in (401, 403):
        kind = StripeUnauthorized
    elif status == 404 or code == "resource_missing":
        kind = StripeNotFound
    elif code == "balance_insufficient":
        kind = StripeBalanceTooLow
    return kind(status=status, code=code, message=message)


def _without_key(error: stripe.StripeError) -> str:
    """Stripe's own text, except for the one that repeats a part of the key ("Invalid API Key provided: sk_…")."""
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return "the API key was refused"
    return (error.user_message or "")[:300]


def _seconds(retry_after: str) -> int:
    """A Retry-After in seconds; a date, nonsense or nothing is the default."""
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) <= 6:
        return max(1, min(int(retry_after), LONGEST_RETRY_AFTER))
    return DEFAULT_RETRY_AFTER
