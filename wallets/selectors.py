"""Reads of the wallet. Scoping to a person happens here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from accounts.models import User
from learning247.kit.errors import NotFound
from learning247.kit.money import EXPONENTS, Money
from wallets.enums import AccountKind
from wallets.errors import WithdrawalNotFound
from wallets.models import JournalLine, PayoutAccount, PayoutFreeze, Withdrawal, WithdrawalReview
from wallets.payouts import method_for


@dataclass(frozen=True, slots=True)
class Balance:
    """A person's money in one currency, in minor units."""

    currency: str
    available: int = 0
    clearing: int = 0
    held: int = 0
    disputed: int = 0

    @property
    def total(self) -> int:
        return self.available + self.clearing + self.held + self.disputed

    @property
    def debt(self) -> int:
        """How far `available` is below zero: a refund or a lost dispute took more than was there. Sales repay it."""
        return max(-self.available, 0)


def balances_of(*, user: User, currency: str | None = None) -> list[Balance]:
    """One Balance per currency in which the person has an account; zeros for a `currency` asked for by name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT currency, kind, balance_minor FROM wallets_ledgeraccount WHERE owner_id = %s", [user.pk])
        accounts = cursor.fetchall()
    by_currency: dict[str, dict[str, int]] = {currency: {}} if currency else {}
    for account_currency, kind, balance_minor in accounts:
        if currency in (None, account_currency):
            by_currency.setdefault(account_currency, {})[kind] = balance_minor or 0
    return [Balance(code, **by_currency[code]) for code in EXPONENTS if code in by_currency]


def balances_by_kind(*, owner_id: UUID, currency: str) -> dict[AccountKind, int]:
    """What a person has in a currency, minor units, as it is now: not locked. An account never opened is missing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, balance_minor FROM wallets_ledgeraccount WHERE owner_id = %s AND currency = %s",
            [owner_id, currency],
        )
        return {AccountKind(kind): balance_minor for kind, balance_minor in cursor.fetchall()}


def payouts_frozen(currency: str) -> bool:
    """Whether nothing may leave in this currency, because its books did not prove: asked wherever money would."""
    return PayoutFreeze.objects.filter(currency=currency, lifted_at__isnull=True).exists()


def frozen_currencies() -> list[str]:
    """In which payouts are paused."""
    open_ones = PayoutFreeze.objects.filter(lifted_at__isnull=True)
    return list(open_ones.order_by("currency").values_list("currency", flat=True))


def payout_account_list(*, user: User) -> QuerySet[PayoutAccount]:
    """Where the person's money may go, the newest first."""
    return PayoutAccount.objects.filter(owner=user, removed_at__isnull=True).order_by("-id")


def currencies_of(account: PayoutAccount) -> list[str]:
    """In which currencies money may go there."""
    if account.currency:
        return [account.currency]
    return [code for code in settings.PAYOUT_METHOD_BY_CURRENCY if method_for(code) == account.method]


def withdrawal_list(*, user: User) -> QuerySet[Withdrawal]:
    """The person's own withdrawals, newest first."""
    return Withdrawal.objects.filter(owner=user).select_related("account").order_by("-id")


def withdrawal_of(*, user: User, withdrawal_id: UUID) -> Withdrawal:
    """One of the person's own. Raises WithdrawalNotFound for anybody else's."""
    withdrawal = withdrawal_list(user=user).filter(pk=withdrawal_id).first()
    if withdrawal is None:
        raise WithdrawalNotFound
    return withdrawal


def withdrawal_review_list(*, status: str | None = None, assigned_to: User | None = None) -> QuerySet[WithdrawalReview]:
    """Cases of withdrawals, the oldest due first; None: any."""
    reviews = WithdrawalReview.objects.select_related(
        "withdrawal__owner", "withdrawal__account", "assigned_to", "decided_by"
    ).prefetch_related("approvals__person")
    if status is not None:
        reviews = reviews.filter(status=status)
    if assigned_to is not None:
        reviews = reviews.filter(assigned_to=assigned_to)
    return reviews.order_by("due_at", "id")


class Transaction(NamedTuple):
    """A movement of a person's available balance: `id` orders them, `entry` is the journal entry behind it."""

    id: int
    entry: UUID
    kind: str
    currency: str
    amount_minor: int
    balance_after_minor: int
    description: str
    reference: str
    posted_at: datetime


def transaction_list(
    *,
    user: User,
    currency: str | None = None,
    kind: str | None = None,
    since: datetime | None = None,
    before: datetime | None = None,
    falling: bool = True,
    bound: int | None = None,
    offset: int = 0,
    limit: int,
) -> list[Transaction]:
    """The movements of the person's available balances, newest first; posted in [since, before).

    Those with an id below `bound`; with `falling` false the oldest first, with an id above it.
    """
    order, beyond = ("DESC", "<") if falling else ("ASC", ">")
    of_account: dict[str, Any] = {
        "a.owner_id = %s": user.pk,
        "a.kind = %s": AccountKind.AVAILABLE.value,
        "a.currency = %s": currency,
    }
    of_line: dict[str, Any] = {
        f"l.id {beyond} %s": bound,
        "e.kind = %s": kind,
        "e.posted_at >= %s": since,
        "e.posted_at < %s": before,
    }
    accounts = {condition: value for condition, value in of_account.items() if value not in (None, "")}
    lines = {condition: value for condition, value in of_line.items() if value not in (None, "")}
    # A page of each of the few accounts by its index on (account, id), then the best of those: nothing reads or sorts
    # a whole history.
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT page.* FROM wallets_ledgeraccount a CROSS JOIN LATERAL (
                SELECT l.id, e.uuid, e.kind, l.currency, l.amount_minor, l.balance_after_minor, e.description,
                       e.reference, e.posted_at
                  FROM wallets_journalline l JOIN wallets_journalentry e ON e.id = l.entry_id
                 WHERE {" AND ".join(["l.account_id = a.id", *lines])}
                 ORDER BY l.id {order} LIMIT %s
            ) page
             WHERE {" AND ".join(accounts)}
             ORDER BY page.id {order} LIMIT %s OFFSET %s
            """,  # noqa: S608 - of constants
            [*lines.values(), offset + limit, *accounts.values(), limit, offset],
        )
        return [Transaction._make(row) for row in cursor.fetchall()]


def entry_detail(*, user: User, entry_uuid: UUID) -> dict[str, Any]:
    """An entry that touches one of the person's accounts: what, when, its source, and its lines.

    Other people's lines are left out; the platform's are shown without its balance. NotFound for anything else.
    """
    lines = list(JournalLine.objects.filter(entry__uuid=entry_uuid).select_related("entry", "account").order_by("id"))
    if not any(line.account.owner_id == user.pk for line in lines):
        raise NotFound("This transaction is not in your history.")
    entry = lines[0].entry
    return {
        "id": entry.uuid,
        "type": entry.kind,
        "currency": entry.currency,
        "description": entry.description,
        "reference": entry.reference,
        "created_at": entry.posted_at,
        "source": {"kind": entry.source_kind, "id": entry.source_id},
        "lines": [_line_detail(line) for line in lines if line.account.owner_id in (None, user.pk)],
    }


def _line_detail(line: JournalLine) -> dict[str, Any]:
    balance = line.balance_after_minor
    return {
        "account": line.account.kind,
        "yours": line.account.owner_id is not None,
        "amount": Money(line.amount_minor, line.currency).amount,
        "balance_after": None if balance is None else Money(balance, line.currency).amount,
    }


def platform_balance(*, kind: AccountKind, currency: str) -> int:
    """Minor units in a platform account: its checkpoint plus the lines after it. Zero when it is not open."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(c.balance_minor, 0) + coalesce(sum(l.amount_minor), 0)
              FROM wallets_ledgeraccount a
              LEFT JOIN wallets_accountcheckpoint c ON c.account_id = a.id
              LEFT JOIN wallets_journalline l ON l.account_id = a.id AND l.id > coalesce(c.last_line_id, 0)
             WHERE a.code = %s GROUP BY c.balance_minor
            """,
            [f"platform:{kind.value}:{currency}"],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0
