"""What Paystack says about a settlement: what it paid out to our bank."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from learning247.integrations.paystack.errors import MalformedAnswer
from learning247.integrations.paystack.parsing import (
    count_in,
    currency_in,
    mapping_in,
    rows_in,
    text_in,
    time_in,
)


@dataclass(frozen=True, slots=True)
class Settlement:
    """A settlement as Paystack sees it (paystack.com/docs/api/settlement); amounts in the currency's minor unit.

    `status`: success, processing, pending or failed. `total_minor` is what its transactions bring after their fees,
    `effective_minor` what reaches the bank: less than that where refunds or disputes were deducted.
    """

    id: int
    status: str
    currency: str
    total_minor: int
    effective_minor: int
    settled_on: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SettlementPage:
    """One page of settlements, newest first; `page_count` pages in all."""

    settlements: tuple[Settlement, ...]
    page: int
    page_count: int


def read_settlement(data: Mapping[str, Any]) -> Settlement:
    """A row of GET /settlement. Raises MalformedAnswer."""
    created_at = time_in(data, "createdAt", "created_at")
    if created_at is None:
        raise MalformedAnswer("createdAt is no time")
    return Settlement(
        id=count_in(data, "id"),
        status=text_in(data, "status"),
        currency=currency_in(data),
        total_minor=count_in(data, "total_amount"),
        effective_minor=count_in(data, "effective_amount"),
        settled_on=time_in(data, "settlement_date"),
        created_at=created_at,
        updated_at=time_in(data, "updatedAt", "updated_at") or created_at,
    )


def read_settlement_page(answer: Mapping[str, Any]) -> SettlementPage:
    """The whole answer of GET /settlement. Raises MalformedAnswer."""
    meta = mapping_in(answer, "meta")
    return SettlementPage(
        settlements=tuple(read_settlement(row) for row in rows_in(answer, "data")),
        page=count_in(meta, "page"),
        page_count=count_in(meta, "pageCount"),
    )
