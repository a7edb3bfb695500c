"""People with money, for tests. Every call books something of its own, so tests never share rows."""

import time
from uuid import UUID

from django.db import transaction

from accounts.models import User
from learning247.kit.ids import new_id
from wallets.enums import AccountKind, EntryKind
from wallets.services.accounts import person_account, platform_account
from wallets.services.journal import Posting, entry_post
from wallets.services.seals import ledger_seal


def build_person(**fields: object) -> User:
    values = {"first_name": "Ada", "last_name": "Obi"} | fields
    return User.objects.create(email=f"{new_id().hex}@learning247.example", password="!", **values)


def post_sale(
    creator_id: UUID, *, gross_minor: int, fee_minor: int, currency: str = "NGN", key: str | None = None
) -> int:
    """The three lines of a sale through Paystack, committed or in the caller's transaction; the entry's id."""
    sale = new_id().hex
    with transaction.atomic():
        return entry_post(
            key=key or f"test:{sale}:sale",
            kind=EntryKind.SALE,
            currency=currency,
            postings=[
                Posting(platform_account(AccountKind.GATEWAY_PAYSTACK), -gross_minor),
                Posting(person_account(creator_id), gross_minor - fee_minor),
                Posting(platform_account(AccountKind.FEES), fee_minor),
            ],
            source_kind="test",
            source_id=sale,
            reference=sale[:12],
            description="A sale",
        )


def post_between(
    owner_id: UUID,
    *,
    amount_minor: int,
    source: AccountKind = AccountKind.AVAILABLE,
    target: AccountKind = AccountKind.HELD,
    kind: EntryKind = EntryKind.WITHDRAWAL_HOLD,
    currency: str = "NGN",
) -> int:
    """Move money between two accounts of one person."""
    movement = new_id().hex
    with transaction.atomic():
        return entry_post(
            key=f"test:{movement}:move",
            kind=kind,
            currency=currency,
            postings=[
                Posting(person_account(owner_id, source), -amount_minor),
                Posting(person_account(owner_id, target), amount_minor),
            ],
            source_kind="test",
            source_id=movement,
            reference=movement[:12],
            description="A movement",
        )


def seal_all(*, entries: int) -> None:
    """Seal until `entries` more are covered. A horizon matures when older transactions of the whole server have ended,
    and a run of the suite beside this one may hold some, so it is tried until then."""
    deadline, sealed = time.monotonic() + 30, 0
    while sealed < entries:
        assert time.monotonic() < deadline, f"only {sealed} of {entries} entries were sealed within 30 s"
        sealed += ledger_seal().entries
