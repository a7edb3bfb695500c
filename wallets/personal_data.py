"""What the ledger holds about people: their accounts and what moved them."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from learning247.records.personal_tables import PersonalTable, register_impersonal, register_personal_data
from wallets.models import JournalLine, LedgerAccount


def register_tables() -> None:
    """Called from `apps.ready()`."""
    register_personal_data(
        PersonalTable("wallet_accounts", LedgerAccount, lambda user: [LedgerAccount.objects.filter(owner_id=user.id)]),
        PersonalTable(
            "wallet_movements",
            JournalLine,
            movements_of,
            also=("entry__uuid", "entry__kind", "entry__reference", "entry__description", "entry__posted_at"),
            currencies={"balance_after_minor": "currency"},
        ),
    )
    register_impersonal(
        {
            "wallets.JournalEntry": "Business events, in words about items. Whose accounts they moved, the lines say.",
            "wallets.Seal": "Digests over the journal.",
            "wallets.SealHorizon": "Numbers of the journal.",
            "wallets.AccountCheckpoint": "Sums of the platform's own accounts.",
        }
    )


def movements_of(user: User) -> Iterator[QuerySet[Any]]:
    """Account by account: each is walked along its index."""
    for account_id in LedgerAccount.objects.filter(owner_id=user.id).order_by("id").values_list("id", flat=True):
        yield JournalLine.objects.filter(account_id=account_id)
