"""What Paystack says about banks, recipients and transfers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from learning247.integrations.paystack.parsing import (
    count_in,
    currency_in,
    mapping_in,
    optional_count_in,
    optional_text_in,
    rows_in,
    text_in,
    time_in,
)


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank that takes transfers; `kind` is the type of recipient that its accounts are (nuban, ghipss, …)."""

    code: str
    name: str
    currency: str
    kind: str


@dataclass(frozen=True, slots=True)
class ResolvedAccount:
    """An account as its own bank names it."""

    account_number: str
    account_name: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer as Paystack sees it; the amount is in the currency's minor unit.

    `status`: otp, pending, success, failed or reversed. `fee_minor` is None where the answer does not name it: the one
    to creating a transfer never does, a list may not. `transferred_at` is when it reached the bank,
    `updated_at` when it was last changed.
    """

    id: int
    code: str
    reference: str
    status: str
    amount_minor: int
    currency: str
    fee_minor: int | None
    failure_reason: str
    created_at: datetime | None = None
    transferred_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TransferPage:
    """One page of transfers, newest first; `page_count` pages in all."""

    transfers: tuple[Transfer, ...]
    page: int
    page_count: int


def read_banks(answer: Mapping[str, Any]) -> list[Bank]:
    """The whole answer of GET /bank, without those that are closed. Raises MalformedAnswer."""
    return [
        Bank(code=text_in(row, "code"), name=text_in(row, "name"), currency=currency_in(row), kind=text_in(row, "type"))
        for row in rows_in(answer, "data")
        if row.get("active") is not False and row.get("is_deleted") is not True
    ]


def read_resolved(data: Mapping[str, Any]) -> ResolvedAccount:
    """`data` of GET /bank/resolve. Raises MalformedAnswer."""
    return ResolvedAccount(text_in(data, "account_number"), text_in(data, "account_name"))


def read_transfer(data: Mapping[str, Any]) -> Transfer:
    """`data` of POST /transfer or GET /transfer/verify/:reference, or a row of GET /transfer. Raises
    MalformedAnswer."""
    return Transfer(
        id=count_in(data, "id"),
        code=text_in(data, "transfer_code"),
        reference=text_in(data, "reference"),
        status=text_in(data, "status"),
        amount_minor=count_in(data, "amount"),
        currency=currency_in(data),
        fee_minor=optional_count_in(data, "fee_charged"),
        failure_reason=_reason_in(data),
        created_at=time_in(data, "createdAt", "created_at"),
        transferred_at=time_in(data, "transferred_at"),
        updated_at=time_in(data, "updatedAt", "updated_at"),
    )


def read_transfer_page(answer: Mapping[str, Any]) -> TransferPage:
    """The whole answer of GET /transfer. Raises MalformedAnswer."""
    meta = mapping_in(answer, "meta")
    return TransferPage(
        transfers=tuple(read_transfer(row) for row in rows_in(answer, "data")),
        page=count_in(meta, "page"),
        page_count=count_in(meta, "pageCount"),
    )


def _reason_in(data: Mapping[str, Any]) -> str:
    """Either field may be null, text, or an object that we know nothing about."""
    for name in ("gateway_response", "failures"):
        if isinstance(data.get(name), str):
            return optional_text_in(data, name)[:200]
    return ""
