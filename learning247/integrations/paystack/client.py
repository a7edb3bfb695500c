"""Calls to Paystack's API: one method per call, explicit timeouts, typed answers and errors, no retries.

A retry is the caller's business, because only the caller can look up what the first try did.
"""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import requests

from learning247.integrations.paystack.disputes import Dispute, DisputePage, read_dispute, read_dispute_page
from learning247.integrations.paystack.errors import (
    MalformedAnswer,
    PaystackBalanceTooLow,
    PaystackDuplicateReference,
    PaystackNotFound,
    PaystackRateLimited,
    PaystackRejected,
    PaystackUnauthorized,
    PaystackUnknownOutcome,
)
from learning247.integrations.paystack.parsing import mapping_in, text_in
from learning247.integrations.paystack.refunds import Refund, RefundPage, read_refund, read_refund_page
from learning247.integrations.paystack.settlements import SettlementPage, read_settlement_page
from learning247.integrations.paystack.transactions import (
    InitializedTransaction,
    Transaction,
    TransactionPage,
    read_initialized,
    read_transaction,
    read_transaction_page,
)
from learning247.integrations.paystack.transfers import (
    Bank,
    ResolvedAccount,
    Transfer,
    TransferPage,
    read_banks,
    read_resolved,
    read_transfer,
    read_transfer_page,
)

Timeout = tuple[float, float]
Json = dict[str, Any]

DEFAULT_RETRY_AFTER = 30
LONGEST_RETRY_AFTER = 3_600
_DUPLICATE = ("duplicate transaction reference", "please provide a unique reference")


class PaystackClient:
    """Safe to share between threads: each gets a connection of its own, kept open between calls.

    `timeout` is (seconds to connect, seconds between two bytes of the answer). Every method raises PaystackRejected
    (or one of its kinds) for a conclusive no, and PaystackUnknownOutcome where nobody can say what happened.
    """

    def __init__(self, secret_key: str, base_url: str, *, timeout: Timeout) -> None:
        if not secret_key:
            raise ValueError("Paystack needs a secret key.")
        self._secret_key = secret_key
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout
        # A requests.Session is not safe between threads; one per call would open a TLS connection per call.
        self._local = threading.local()

    def __repr__(self) -> str:
        return f"PaystackClient({self._base_url!r})"

    def transaction_initialize(
        self,
        *,
        email: str,
        amount_minor: int,
        currency: str,
        reference: str,
        callback_url: str,
        metadata: Mapping[str, Any],
    ) -> InitializedTransaction:
        """Open a hosted checkout under our own reference (alphanumerics and `-` `.` `=`, unique for ever).

        Raises PaystackDuplicateReference when this reference was opened before.
        """
        body = {
            "email": email,
            "amount": amount_minor,
            "currency": currency,
            "reference": reference,
            "callback_url": callback_url,
            "metadata": dict(metadata),
        }
        opened = read_initialized(mapping_in(self._call("POST", "/transaction/initialize", body=body), "data"))
        if opened.reference != reference:
            raise MalformedAnswer(f"reference is not the one that was sent: {opened.reference!r}")
        return opened

    def transaction_verify(self, reference: str) -> Transaction:
        """What became of the payment with this reference. Raises PaystackNotFound where Paystack never saw it."""
        answer = self._call("GET", f"/transaction/verify/{quote(reference, safe='')}")
        transaction = read_transaction(mapping_in(answer, "data"))
        if transaction.reference != reference:
            raise MalformedAnswer(f"reference is not the one that was asked for: {transaction.reference!r}")
        return transaction

    def transaction_list(
        self, *, since: datetime, until: datetime, page: int = 1, per_page: int = 100
    ) -> TransactionPage:
        """Payments created in since..until, newest first."""
        query = {
            "from": since.isoformat(),
            "to": until.isoformat(),
            "page": str(page),
            "perPage": str(per_page),
        }
        return read_transaction_page(self._call("GET", "/transaction", query=query))

    def refund_create(
        self, *, transaction_reference: str, amount_minor: int, currency: str, merchant_note: str
    ) -> Refund:
        """Give a part or all of a payment back. Paystack has no key against a second one: `merchant_note` is how
        `refund_list` tells whether a call whose answer was lost has worked."""
        body = {
            "transaction": transaction_reference,
            "amount": amount_minor,
            "currency": currency,
            "merchant_note": merchant_note,
        }
        return read_refund(mapping_in(self._call("POST", "/refund", body=body), "data"))

    def refund_fetch(self, refund_id: str) -> Refund:
        """What became of a refund. Raises PaystackNotFound."""
        refund = read_refund(mapping_in(self._call("GET", f"/refund/{quote(refund_id, safe='')}"), "data"))
        if str(refund.id) != refund_id:
            raise MalformedAnswer(f"id is not the one that was asked for: {refund.id!r}")
        return refund

    def refund_list(self, *, since: datetime, until: datetime, page: int = 1, per_page: int = 100) -> RefundPage:
        """Refunds created in since..until, newest first."""
        query = {
            "from": since.isoformat(),
            "to": until.isoformat(),
            "page": str(page),
            "perPage": str(per_page),
        }
        return read_refund_page(self._call("GET", "/refund", query=query))

    def dispute_fetch(self, dispute_id: str) -> Dispute:
        """How a dispute stands. Raises PaystackNotFound."""
        dispute = read_dispute(mapping_in(self._call("GET", f"/dispute/{quote(dispute_id, safe='')}"), "data"))
        if str(dispute.id) != dispute_id:
            raise MalformedAnswer(f"id is not the one that was asked for: {dispute.id!r}")
        return dispute

    def dispute_list(self, *, since: datetime, until: datetime, page: int = 1, per_page: int = 100) -> DisputePage:
        """Disputes created in since..until, newest first."""
        query = {
            "from": since.isoformat(),
            "to": until.isoformat(),
            "page": str(page),
            "perPage": str(per_page),
        }
        return read_dispute_page(self._call("GET", "/dispute", query=query))

    def bank_list(self, *, country: str, currency: str) -> list[Bank]:
        """The banks of a country (`nigeria`) that take transfers in `currency`."""
        return read_banks(self._call("GET", "/bank", query={"country": country, "currency": currency}))

    def bank_resolve(self, *, account_number: str, bank_code: str) -> ResolvedAccount:
        """What the bank itself calls the account. Raises PaystackRejected where there is none."""
        query = {"account_number": account_number, "bank_code": bank_code}
        return read_resolved(mapping_in(self._call("GET", "/bank/resolve", query=query), "data"))

    def recipient_create(self, *, kind: str, name: str, account_number: str, bank_code: str, currency: str) -> str:
        """The code under which transfers reach the account; the same account again has the same one."""
        body = {
            "type": kind,
            "name": name,
            "account_number": account_number,
            "bank_code": bank_code,
            "currency": currency,
        }
        return text_in(mapping_in(self._call("POST", "/transferrecipient", body=body), "data"), "recipient_code")

    def transfer_create(
        self, *, amount_minor: int, currency: str, recipient: str, reference: str, reason: str
    ) -> Transfer:
        """Pay out of our balance. `reference` is ours (16–50 of a–z, 0–9, `-`, `_`), unique for ever.

        Raises PaystackDuplicateReference where it was taken before, PaystackBalanceTooLow.
        """
        body = {
            "source": "balance",
            "amount": amount_minor,
            "currency": currency,
            "recipient": recipient,
            "reference": reference,
            "reason": reason,
        }
        return self._transfer(self._call("POST", "/transfer", body=body), reference)

    def transfer_verify(self, reference: str) -> Transfer:
        """What became of the transfer. Raises PaystackNotFound where Paystack never made one of this reference."""
        return self._transfer(self._call("GET", f"/transfer/verify/{quote(reference, safe='')}"), reference)

    def transfer_list(self, *, since: datetime, until: datetime, page: int = 1, per_page: int = 100) -> TransferPage:
        """Transfers made in since..until, newest first."""
        query = {
            "from": since.isoformat(),
            "to": until.isoformat(),
            "page": str(page),
            "perPage": str(per_page),
        }
        return read_transfer_page(self._call("GET", "/transfer", query=query))

    def _transfer(self, answer: Json, reference: str) -> Transfer:
        transfer = read_transfer(mapping_in(answer, "data"))
        if transfer.reference != reference:
            raise MalformedAnswer(f"reference is not the one that was asked for: {transfer.reference!r}")
        return transfer

    def settlement_list(
        self, *, since: datetime, until: datetime, page: int = 1, per_page: int = 100
    ) -> SettlementPage:
        """Settlements to our own account made in since..until, newest first."""
        query = {
            "from": since.isoformat(),
            "to": until.isoformat(),
            "subaccount": "none",
            "page": str(page),
            "perPage": str(per_page),
        }
        return read_settlement_page(self._call("GET", "/settlement", query=query))

    def settlement_transactions(self, settlement_id: str, *, page: int = 1, per_page: int = 100) -> TransactionPage:
        """The transactions that a settlement pays out. Raises PaystackNotFound."""
        query = {"page": str(page), "perPage": str(per_page)}
        path = f"/settlement/{quote(settlement_id, safe='')}/transactions"
        return read_transaction_page(self._call("GET", path, query=query))

    def _call(
        self, method: str, path: str, *, body: Json | None = None, query: Mapping[str, str] | None = None
    ) -> Json:
        """The answer's envelope, whose `status` is true. Raises every error there is."""
        try:
            response = self._session().request(
                method,
                self._base_url + path,
                json=body,
                params=query,
                timeout=self._timeout,
                # A redirect would carry the key to wherever it points.
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # The library's text may hold the address, never the key; its type says enough.
            raise PaystackUnknownOutcome(f"{method} {path}: {type(error).__name__}") from None
        return _read(response, f"{method} {path}")

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            # As `auth`, not as a header: a .netrc on the machine would replace that.
            session.auth = _Bearer(self._secret_key)
            session.headers["Accept"] = "application/json"
            self._local.session = session
        return session


class _Bearer(requests.auth.AuthBase):
    def __init__(self, secret_key: str) -> None:
        self._secret_key = secret_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._secret_key}"
        return request


def _read(response: requests.Response, call: str) -> Json:
    status = response.status_code
    if status >= 500 or 300 <= status < 400:
        raise PaystackUnknownOutcome(f"{call}: HTTP {status}")
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if 400 <= status < 500:
        raise _rejection(response, answer if isinstance(answer, dict) else {})
    if not isinstance(answer, dict):
        raise MalformedAnswer(f"{call}: HTTP {status} without a JSON object")
    if answer.get("status") is not True:
        raise PaystackUnknownOutcome(f"{call}: HTTP {status}, yet status is {answer.get('status')!r}")
    return answer


def _rejection(response: requests.Response, answer: Json) -> PaystackRejected:
    status = response.status_code
    code, message = str(answer.get("code") or ""), str(answer.get("message") or "")[:300]
    if status == 429:
        return PaystackRateLimited(retry_after=_seconds(response.headers.get("Retry-After", "")), message=message)
    kind = PaystackRejected
    if status in (401, 403):
        kind = PaystackUnauthorized
    elif status == 404 or code in ("transaction_not_found", "transfer_not_found"):
        kind = PaystackNotFound
    elif code == "duplicate_reference" or message.lower() in _DUPLICATE:
        kind = PaystackDuplicateReference
    elif code == "insufficient_balance" or "balance is not enough" in message.lower():
        kind = PaystackBalanceTooLow
    return kind(status=status, code=code, message=message)


def _seconds(retry_after: str) -> int:
    """A Retry-After in seconds; a date, nonsense or nothing is the default."""
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) <= 6:
        return max(1, min(int(retry_after), LONGEST_RETRY_AFTER))
    return DEFAULT_RETRY_AFTER
