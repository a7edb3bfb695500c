"""What Paystack says about a refund."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from learning247.integrations.paystack.parsing import (
    count_in,
    currency_in,
    mapping_in,
    optional_text_in,
    rows_in,
    text_in,
    time_in,
)


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as Paystack sees it; the amount is in the currency's minor unit.

    `status`: pending, processing, needs-attention, processed or failed. `transaction_reference` is the payment's, or ""
    where the answer holds the payment's number only. `merchant_note` comes back as it was sent. `of_dispute`: Paystack
    made it because a dispute was lost.
    """

    id: int
    status: str
    amount_minor: int
    currency: str
    transaction_reference: str
    merchant_note: str
    of_dispute: bool
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class RefundPage:
    """One page of refunds, newest first; `page_count` pages in all."""

    refunds: tuple[Refund, ...]
    page: int
    page_count: int


def read_refund(data: Mapping[str, Any]) -> Refund:
    """`data` of POST /refund, GET /refund/:id, or a row of GET /refund. Raises MalformedAnswer."""
    transaction = data.get("transaction")
    reference = optional_text_in(data, "transaction_reference")
    if not reference and isinstance(transaction, dict):
        reference = text_in(transaction, "reference")
    return Refund(
        id=count_in(data, "id"),
        status=text_in(data, "status"),
        amount_minor=count_in(data, "amount"),
        currency=currency_in(data),
        transaction_reference=reference,
        merchant_note=optional_text_in(data, "merchant_note"),
        of_dispute=bool(data.get("dispute")),
        created_at=time_in(data, "createdAt", "created_at"),
    )


def read_refund_page(answer: Mapping[str, Any]) -> RefundPage:
    """The whole answer of GET /refund. Raises MalformedAnswer."""
    meta = mapping_in(answer, "meta")
    return RefundPage(
        refunds=tuple(read_refund(row) for row in rows_in(answer, "data")),
        page=count_in(meta, "page"),
        page_count=count_in(meta, "pageCount"),
    )
