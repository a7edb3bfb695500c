"""What Paystack says about a dispute."""

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
class Dispute:
    """A dispute as Paystack sees it; the amount is in the currency's minor unit, and what the customer wants back.

    `status`: awaiting-merchant-feedback, awaiting-bank-feedback, pending or resolved; `resolution` of a resolved one:
    merchant-accepted and auto-accepted give the money to the customer, declined leaves it with us.
    """

    id: int
    status: str
    resolution: str
    amount_minor: int
    currency: str
    transaction_reference: str
    category: str
    due_at: datetime | None
    created_at: datetime | None
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class DisputePage:
    """One page of disputes, newest first; `page_count` pages in all."""

    disputes: tuple[Dispute, ...]
    page: int
    page_count: int


def read_dispute(data: Mapping[str, Any]) -> Dispute:
    """`data` of GET /dispute/:id, or a row of GET /dispute. Raises MalformedAnswer."""
    return Dispute(
        id=count_in(data, "id"),
        status=text_in(data, "status"),
        resolution=optional_text_in(data, "resolution"),
        amount_minor=count_in(data, "refund_amount"),
        currency=currency_in(data),
        # `transaction_reference` is null in every official sample; ours stands in the transaction.
        transaction_reference=text_in(mapping_in(data, "transaction"), "reference"),
        category=optional_text_in(data, "category"),
        due_at=time_in(data, "dueAt", "due_at"),
        created_at=time_in(data, "createdAt", "created_at"),
        resolved_at=time_in(data, "resolvedAt", "resolved_at"),
    )


def read_dispute_page(answer: Mapping[str, Any]) -> DisputePage:
    """The whole answer of GET /dispute. Raises MalformedAnswer."""
    meta = mapping_in(answer, "meta")
    return DisputePage(
        disputes=tuple(read_dispute(row) for row in rows_in(answer, "data")),
        page=count_in(meta, "page"),
        page_count=count_in(meta, "pageCount"),
    )
