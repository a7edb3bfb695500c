"""What the ledger holds about people: their accounts and what moved them. It forgets nothing: it names nobody."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from learning247.kit.money import Money
from learning247.records.personal_tables import (
    Obstacle,
    PersonalTable,
    register_erasure_guard,
    register_impersonal,
    register_personal_data,
)
from wallets.models import JournalLine, LedgerAccount

_BY_LAW = (
    "The books, which the law of accounting and of taxes keeps for years. They name no person, only an account's id."
)


def register_tables() -> None:
    """Called from `apps.ready()`."""
    register_personal_data(
        PersonalTable(
            "wallet_accounts",
            LedgerAccount,
            lambda user: [LedgerAccount.objects.filter(owner_id=user.id)],
            kept=_BY_LAW,
        ),
        PersonalTable(
            "wallet_movements",
            JournalLine,
            movements_of,
            also=("entry__uuid", "entry__kind", "entry__reference", "entry__description", "entry__posted_at"),
            kept=_BY_LAW,
        ),
    )
    register_erasure_guard(money_left)
    register_impersonal(
        {
            "wallets.JournalEntry": "Business events, in words about items. Whose accounts they moved, the lines say.",
            "wallets.Seal": "Digests over the journal.",
            "wallets.SealHorizon": "Numbers of the journal.",
            "wallets.AccountCheckpoint": "Sums of the platform's own accounts.",
        }
    )


def money_left(user: User) -> Iterator[Obstacle]:
    """Whoever has money here, or owes some, would lose sight of it with the account."""
    accounts = LedgerAccount.objects.filter(owner_id=user.id).exclude(balance_minor=0).order_by("currency", "kind")
    for account in accounts:
        money = Money(account.balance_minor or 0, account.currency)
        if money.minor < 0:
            step = "That is owed to the platform: later sales repay it, or write to support."
        else:
            step = "Withdraw what is available, and wait for what is not yet."
        yield Obstacle(
            "wallet_not_empty", f"{money.grouped} is {account.get_kind_display().lower()} in your wallet. {step}"
        )


def movements_of(user: User) -> Iterator[QuerySet[Any]]:
    """Account by account: each is walked along its index."""
    for account_id in LedgerAccount.objects.filter(owner_id=user.id).order_by("id").values_list("id", flat=True):
        yield JournalLine.objects.filter(account_id=account_id)
