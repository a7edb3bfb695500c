"""What Paystack says about a payment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from learning247.integrations.paystack.parsing import (
    LARGEST,
    count_in,
    currency_in,
    hint_in,
    mapping_in,
    metadata_in,
    optional_count_in,
    optional_text_in,
    rows_in,
    text_in,
    time_in,
)

SUCCESS = "success"


@dataclass(frozen=True, slots=True)
class InitializedTransaction:
    """A hosted checkout that waits for the buyer at `authorization_url`."""

    authorization_url: str
    access_code: str
    reference: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """A payment as Paystack sees it. Amounts are in the currency's minor unit.

    `status`: success, failed, abandoned, ongoing, pending, processing, queued or reversed. `amount_minor` may exceed
    what was asked for when the buyer bears the fee: compare `asked_minor` with our own payment, book `fees_minor`.
    `card_signature` is the same for the same card, whoever uses it; it and `card_country` (ISO 3166-1 alpha-2) are ""
    where no card was used. `failed_attempts` are those of the buyer at this transaction.
    """

    id: int
    reference: str
    status: str
    amount_minor: int
    requested_amount_minor: int | None
    currency: str
    fees_minor: int | None
    paid_at: datetime | None
    channel: str
    gateway_response: str
    customer_email: str
    card_signature: str
    card_country: str
    failed_attempts: int
    metadata: dict[str, Any]
    raw: dict[str, Any] = field(repr=False)

    @property
    def asked_minor(self) -> int:
        """What we asked for: `requested_amount` where Paystack sends it, else `amount`."""
        return self.amount_minor if self.requested_amount_minor is None else self.requested_amount_minor


@dataclass(frozen=True, slots=True)
class TransactionPage:
    """One page of transactions, newest first; `page_count` pages in all."""

    transactions: tuple[Transaction, ...]
    page: int
    page_count: int
    total: int


def read_initialized(data: Mapping[str, Any]) -> InitializedTransaction:
    """`data` of POST /transaction/initialize. Raises MalformedAnswer."""
    return InitializedTransaction(
        authorization_url=text_in(data, "authorization_url"),
        access_code=text_in(data, "access_code"),
        reference=text_in(data, "reference"),
    )


def read_transaction(data: Mapping[str, Any]) -> Transaction:
    """`data` of GET /transaction/verify/:reference, a row of a list, or of a charge event. Raises MalformedAnswer."""
    customer = data.get("customer")
    log = data.get("log")
    errors = log.get("errors") if isinstance(log, dict) else None
    return Transaction(
        id=count_in(data, "id"),
        reference=text_in(data, "reference"),
        status=text_in(data, "status"),
        amount_minor=count_in(data, "amount"),
        requested_amount_minor=optional_count_in(data, "requested_amount"),
        currency=currency_in(data),
        fees_minor=optional_count_in(data, "fees"),
        paid_at=time_in(data, "paid_at", "paidAt"),
        channel=optional_text_in(data, "channel"),
        gateway_response=optional_text_in(data, "gateway_response"),
        customer_email=optional_text_in(customer, "email") if isinstance(customer, dict) else "",
        card_signature=hint_in(data, "authorization", "signature"),
        card_country=hint_in(data, "authorization", "country_code").upper(),
        failed_attempts=errors if isinstance(errors, int) and 0 < errors <= LARGEST else 0,
        metadata=metadata_in(data),
        raw=dict(data),
    )


def read_transaction_page(answer: Mapping[str, Any]) -> TransactionPage:
    """The whole answer of GET /transaction. Raises MalformedAnswer."""
    meta = mapping_in(answer, "meta")
    return TransactionPage(
        transactions=tuple(read_transaction(row) for row in rows_in(answer, "data")),
        page=count_in(meta, "page"),
        page_count=count_in(meta, "pageCount"),
        total=count_in(meta, "total"),
    )
