"""Ledger accounts: named by owner and kind, opened on demand."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from wallets.enums import PERSON_ACCOUNT_KINDS, AccountKind


@dataclass(frozen=True, slots=True)
class AccountRef:
    """Which account, before its currency is known: `owner_id` None is the platform."""

    owner_id: UUID | None
    kind: AccountKind

    def code(self, currency: str) -> str:
        """The account's unique code, as the generated column has it."""
        return f"{self.owner_id or 'platform'}:{self.kind.value}:{currency}"


def person_account(owner_id: UUID, kind: AccountKind = AccountKind.AVAILABLE) -> AccountRef:
    if kind not in PERSON_ACCOUNT_KINDS:
        raise ValueError(f"{kind} is an account of the platform.")
    return AccountRef(owner_id, kind)


def platform_account(kind: AccountKind) -> AccountRef:
    if kind in PERSON_ACCOUNT_KINDS:
        raise ValueError(f"{kind} is an account of a person.")
    return AccountRef(None, kind)


def accounts_open(*, refs: Sequence[AccountRef], currency: str) -> None:
    """Open those that do not exist, in order of their code so that two openings never wait for each other crosswise.

    Two transactions that open the same account: the second waits until the first has committed, then finds it.
    """
    for ref in sorted(refs, key=lambda ref: ref.code(currency)):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO wallets_ledgeraccount (owner_id, kind, currency, balance_minor) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT (code) DO NOTHING",
                [ref.owner_id, ref.kind.value, currency, None if ref.owner_id is None else 0],
            )
