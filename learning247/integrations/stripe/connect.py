"""Connected accounts and transfers to them as Stripe reports them, read strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from learning247.integrations.stripe.errors import MalformedAnswer
from learning247.integrations.stripe.parsing import amount_in, count_in, hint_in, metadata_in, optional_text_in, text_in


@dataclass(frozen=True, slots=True)
class ConnectedAccount:
    """`transfers_active`: money may be sent there; `payouts_enabled`: it goes on to a bank. `disabled_reason` says why
    not, in Stripe's own word ("requirements.past_due"), "" where it says nothing."""

    id: str
    transfers_active: bool
    payouts_enabled: bool
    details_submitted: bool
    disabled_reason: str


@dataclass(frozen=True, slots=True)
class AccountLink:
    """A page of Stripe's where the person answers its questions; good for some minutes, once."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ConnectTransfer:
    """Money sent to a connected account; amounts in our minor units, the currency in capitals."""

    id: str
    amount_minor: int
    reversed_minor: int
    currency: str
    destination: str
    transfer_group: str
    metadata: dict[str, str]


def read_account(data: Mapping[str, Any]) -> ConnectedAccount:
    """An account's JSON. Raises MalformedAnswer."""
    return ConnectedAccount(
        id=text_in(data, "id"),
        transfers_active=hint_in(data, "capabilities", "transfers") == "active",
        payouts_enabled=_flag_in(data, "payouts_enabled"),
        details_submitted=_flag_in(data, "details_submitted"),
        disabled_reason=hint_in(data, "requirements", "disabled_reason"),
    )


def read_account_link(data: Mapping[str, Any]) -> AccountLink:
    """An account link's JSON. Raises MalformedAnswer."""
    return AccountLink(text_in(data, "url"), datetime.fromtimestamp(count_in(data, "expires_at"), tz=UTC))


def read_transfer(data: Mapping[str, Any]) -> ConnectTransfer:
    """A transfer's JSON. Raises MalformedAnswer."""
    currency = text_in(data, "currency").upper()
    return ConnectTransfer(
        id=text_in(data, "id"),
        amount_minor=amount_in(data, "amount", currency),
        reversed_minor=amount_in(data, "amount_reversed", currency),
        currency=currency,
        destination=text_in(data, "destination"),
        transfer_group=optional_text_in(data, "transfer_group"),
        metadata=metadata_in(data),
    )


def _flag_in(data: Mapping[str, Any], field: str) -> bool:
    value = data.get(field)
    if not isinstance(value, bool):
        raise MalformedAnswer(f"{field} is no boolean: {value!r:.60}")
    return value
