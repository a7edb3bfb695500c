"""Posting to the ledger: one SQL statement an entry, so a sale costs one round trip."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import IntegrityError, connection

from learning247.kit.ids import new_id
from wallets.enums import EntryKind
from wallets.errors import AlreadyPosted, InsufficientBalance, LedgerRefused
from wallets.services.accounts import AccountRef, accounts_open


@dataclass(frozen=True, slots=True)
class Posting:
    """One line to be: `amount_minor` > 0 credits the account, < 0 debits it."""

    account: AccountRef
    amount_minor: int


# Accounts are found by their unique code; the entry is written only when all of them exist; the lines go in by
# account id, which is the order in which the database locks the persons' accounts, so two entries never deadlock.
_POST: Final = """
WITH wanted AS (
    SELECT code, amount_minor FROM unnest(%s::text[], %s::bigint[]) AS w (code, amount_minor)
), found AS (
    SELECT account.id, wanted.amount_minor FROM wanted JOIN wallets_ledgeraccount account USING (code)
), entry AS (
    INSERT INTO wallets_journalentry (uuid, key, kind, currency, source_kind, source_id, reference, description)
    SELECT %s, %s, %s, %s, %s, %s, %s, %s WHERE (SELECT count(*) FROM found) = %s
    ON CONFLICT (key) DO NOTHING
    RETURNING id
), line AS (
    INSERT INTO wallets_journalline (entry_id, account_id, amount_minor, currency)
    SELECT entry.id, found.id, found.amount_minor, %s FROM entry, found ORDER BY found.id
)
SELECT (SELECT id FROM entry), (SELECT count(*) FROM found)
"""


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
        len(postings),
        currency,
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
