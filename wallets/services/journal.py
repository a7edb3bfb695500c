"""Posting to the ledger: one SQL statement an entry, so a sale costs one round trip."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, connection

from learning247.kit.ids import new_id
from wallets.enums import AccountKind, EntryKind
from wallets.errors import AlreadyPosted, InsufficientBalance, LedgerRefused
from wallets.locks import earnings_lock
from wallets.models import JournalEntry, JournalLine
from wallets.services.accounts import AccountRef, accounts_open, person_account


@dataclass(frozen=True, slots=True)
class Posting:
    """One line to be: `amount_minor` > 0 credits the account, < 0 debits it."""

    account: AccountRef
    amount_minor: int


# One call, one round trip: `ledger_post_entry()` (migration 0002) finds the accounts by their codes, writes the entry
# when all of them exist and the key is new, then the lines in the order in which accounts are locked.
_POST: Final = "SELECT entry_id, accounts_found FROM ledger_post_entry(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"


def entry_post(
    *,
    key: str,
    kind: EntryKind,
    currency: str,
    postings: Sequence[Posting],
    source_kind: str,
    source_id: str,
    reference: str,
    description: str,
) -> int:
    """Post one journal entry inside the caller's transaction and return its id.

    `postings` must sum to zero, all in `currency`; those of zero are left out (a fee of 0 %). Opens accounts that do
    not exist yet. Raises AlreadyPosted when `key` is in the books, InsufficientBalance when a person's account would
    be overdrawn, LedgerRefused for what no correct caller posts. After either of the last two the transaction is lost.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("An entry is posted in the transaction of the event that it books.")
    moving = [posting for posting in postings if posting.amount_minor]
    if not moving or sum(posting.amount_minor for posting in moving) != 0:
        raise LedgerRefused(f"{key}: the postings do not sum to zero, or there are none.")

    entry_id, found = _insert(key, kind, currency, moving, source_kind, source_id, reference, description)
    if found < len(moving):
        accounts_open(refs=[posting.account for posting in moving], currency=currency)
        entry_id, found = _insert(key, kind, currency, moving, source_kind, source_id, reference, description)
    if entry_id is None:
        raise AlreadyPosted(extra={"key": key})
    return entry_id


def entry_restore(*, entry_id: int, key: str, kind: EntryKind, description: str) -> int:
    """Post the opposite of a whole entry, line by line, inside the caller's transaction; the new entry's id.

    For what was booked ahead of an outcome that did not come. Raises as `entry_post`.
    """
    entry = JournalEntry.objects.get(pk=entry_id)
    lines = JournalLine.objects.filter(entry=entry).select_related("account").order_by("id")
    return entry_post(
        key=key,
        kind=kind,
        currency=entry.currency,
        postings=[
            Posting(AccountRef(line.account.owner_id, AccountKind(line.account.kind)), -line.amount_minor)
            for line in lines
        ],
        source_kind=entry.source_kind,
        source_id=entry.source_id,
        reference=entry.reference,
        description=description,
    )


def postings_from_earnings(*, owner_id: UUID, currency: str, amount_minor: int) -> list[Posting]:
    """Debits that take `amount_minor` from what a person has earned: what is still clearing first, then what is
    available, below zero if need be. In the caller's transaction, which then holds the accounts' locks."""
    clearing = max(earnings_lock(owner_id=owner_id, currency=currency).get(AccountKind.CLEARING, 0), 0)
    from_clearing = min(clearing, amount_minor)
    return [
        Posting(person_account(owner_id, AccountKind.CLEARING), -from_clearing),
        Posting(person_account(owner_id), from_clearing - amount_minor),
    ]


def _insert(
    key: str,
    kind: EntryKind,
    currency: str,
    postings: Sequence[Posting],
    source_kind: str,
    source_id: str,
    reference: str,
    description: str,
) -> tuple[int | None, int]:
    """(entry id or None, how many of the accounts exist)."""
    parameters: list[Any] = [
        [posting.account.code(currency) for posting in postings],
        [posting.amount_minor for posting in postings],
        new_id(),
        key,
        kind.value,
        currency,
        source_kind,
        source_id,
        reference,
        description,
    ]
    try:
        with connection.cursor() as cursor:
            cursor.execute(_POST, parameters)
            row = cursor.fetchone()
    except IntegrityError as error:
        raise _translated(error) from error
    assert row is not None
    return row[0], row[1]


def _translated(error: IntegrityError) -> Exception:
    diagnostics = getattr(error.__cause__, "diag", None)
    rule = getattr(diagnostics, "constraint_name", None)
    if rule == "ledger_no_overdraft":
        return InsufficientBalance()
    return LedgerRefused(f"The database refused the entry: {rule}.")
