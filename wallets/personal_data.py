"""What the wallet holds about people: what moved their money, and where it went.

The ledger forgets nothing, as it names nobody; a bank account is forgotten but for what tells which one it was.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from accounts.models import User
from learning247.kit.clock import now
from learning247.kit.money import Money
from learning247.records.personal_tables import (
    ErasureSubject,
    Obstacle,
    PersonalTable,
    register_audit_subject,
    register_erasure_guard,
    register_event_subject,
    register_impersonal,
    register_mail_keys,
    register_personal_data,
)
from learning247.records.services.personal_data import FORGOTTEN
from wallets.enums import WITHDRAWAL_OPEN
from wallets.locks import withdrawals_lock_of
from wallets.models import (
    AdjustmentLine,
    AdjustmentProposal,
    JournalLine,
    LedgerAccount,
    PayoutAccount,
    PayoutFreeze,
    PayoutLimit,
    PayoutProfile,
    Withdrawal,
    WithdrawalApproval,
    WithdrawalReview,
)

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
        PersonalTable(
            "adjustments",
            AdjustmentProposal,
            lambda user: [
                AdjustmentProposal.objects.filter(Q(first_by_id=user.id) | Q(second_by_id=user.id)),
                AdjustmentProposal.objects.filter(rejected_by_id=user.id).exclude(
                    Q(first_by_id=user.id) | Q(second_by_id=user.id)
                ),
            ],
            kept=_BY_LAW,
        ),
        PersonalTable(
            "adjustment_lines",
            AdjustmentLine,
            lambda user: [AdjustmentLine.objects.filter(owner_id=user.id)],
            kept=_BY_LAW,
        ),
    )
    register_personal_data(
        PersonalTable(
            "payout_accounts",
            PayoutAccount,
            lambda user: [PayoutAccount.objects.filter(owner_id=user.id)],
            withheld={
                "sealed_number": "The account's number, sealed: you gave it to us, and its last digits are here.",
                "number_digest": "By which the same number is recognised; without our key it says nothing.",
            },
            forget=payout_accounts_forget,
            kept="To which bank your money went, and the last digits of the account: a part of the evidence of what was"
            " paid.",
        ),
        PersonalTable(
            "withdrawals",
            Withdrawal,
            lambda user: [Withdrawal.objects.filter(owner_id=user.id)],
            forget=withdrawals_forget,
            kept="What was paid out to you, when and where: the law of accounting and of taxes keeps it for years.",
        ),
    )
    register_personal_data(
        PersonalTable(
            "payout_profile",
            PayoutProfile,
            lambda user: [PayoutProfile.objects.filter(owner_id=user.id)],
            withheld={"suspended_reason": "What staff noted while they looked for fraud: it would help those who try."},
            deleted=True,
        ),
        PersonalTable(
            "payout_limits", PayoutLimit, lambda user: [PayoutLimit.objects.filter(owner_id=user.id)], deleted=True
        ),
        PersonalTable(
            "withdrawal_reviews",
            WithdrawalReview,
            lambda user: [
                WithdrawalReview.objects.filter(withdrawal__owner_id=user.id),
                WithdrawalReview.objects.filter(Q(decided_by_id=user.id) | Q(assigned_to_id=user.id)).exclude(
                    withdrawal__owner_id=user.id
                ),
            ],
            withheld={"notes": "What staff noted while they looked for fraud: it would help those who try."},
            forget=reviews_forget,
            kept="That a withdrawal of yours was looked at, and what was decided: a part of its evidence.",
        ),
        PersonalTable(
            "withdrawal_approvals",
            WithdrawalApproval,
            lambda user: [WithdrawalApproval.objects.filter(person_id=user.id)],
            kept="That you approved somebody's withdrawal: a part of its evidence.",
        ),
    )
    register_personal_data(
        PersonalTable(
            "payout_freezes",
            PayoutFreeze,
            lambda user: [PayoutFreeze.objects.filter(Q(first_by_id=user.id) | Q(lifted_by_id=user.id))],
            withheld={"breach": "Which row of the books did not prove: other people's."},
            kept="That you agreed that payouts go on: a part of the evidence of why they did.",
        )
    )
    register_audit_subject("payout_profile", lambda user: [user.id])
    register_audit_subject(
        "withdrawal", lambda user: Withdrawal.objects.filter(owner_id=user.id).values_list("id", flat=True)
    )
    register_audit_subject(
        "payout_account", lambda user: PayoutAccount.objects.filter(owner_id=user.id).values_list("id", flat=True)
    )
    register_mail_keys(mails_about)
    register_event_subject(withdrawal_references)
    register_erasure_guard(money_left)
    register_erasure_guard(withdrawals_open)
    register_impersonal(
        {
            "wallets.JournalEntry": "Business events, in words about items. Whose accounts they moved, the lines say.",
            "wallets.GatewayCircuit": "Whether gateways answer.",
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


def withdrawals_open(user: User) -> Iterator[Obstacle]:
    """Money on its way out. What waits for its code holds nothing yet, but would after the account is gone."""
    for withdrawal in withdrawals_lock_of(user.id):
        if withdrawal.status in WITHDRAWAL_OPEN:
            yield Obstacle(
                "withdrawal_open",
                f"Your withdrawal of {withdrawal.money.grouped} is {withdrawal.get_status_display().lower()}. Cancel "
                f"it, or"
                " wait until it has arrived.",
            )


def payout_accounts_forget(erasure: ErasureSubject) -> None:
    """Whose account it was and its number, which nobody needs to pay to any more."""
    accounts = PayoutAccount.objects.filter(owner_id=erasure.user.pk)
    accounts.filter(removed_at__isnull=True).update(removed_at=now())
    accounts.update(
        account_name=FORGOTTEN,
        sealed_number="",
        gateway_account_id="",
        number_digest=Concat(Value("forgotten-"), Cast("pk", CharField())),
    )


def withdrawals_forget(erasure: ErasureSubject) -> None:
    """The keys, which clients make up, and the words of gateways and staff where they name the person."""
    withdrawals = Withdrawal.objects.filter(owner_id=erasure.user.pk)
    withdrawals.update(idempotency_key=Concat(Value(f"{FORGOTTEN} "), Cast("pk", CharField())))
    for withdrawal in withdrawals.exclude(note=""):
        if erasure.mentioned_in(withdrawal.note):
            Withdrawal.objects.filter(pk=withdrawal.pk).update(note=FORGOTTEN)


def reviews_forget(erasure: ErasureSubject) -> None:
    """What staff noted about the person, and the reasons where they name them."""
    reviews = WithdrawalReview.objects.filter(withdrawal__owner_id=erasure.user.pk)
    reviews.exclude(notes="").update(notes=FORGOTTEN)
    for review in reviews.exclude(decision_reason=""):
        if erasure.mentioned_in(review.decision_reason):
            WithdrawalReview.objects.filter(pk=review.pk).update(decision_reason=FORGOTTEN)


def withdrawal_references(user: User) -> list[str]:
    """By which gateways' events name this person's withdrawals."""
    return list(Withdrawal.objects.filter(owner_id=user.id).values_list("reference", flat=True))


def mails_about(user: User) -> Iterator[str]:
    """By the first two parts of their keys; also those to finance."""
    for pk in Withdrawal.objects.filter(owner_id=user.id).values_list("pk", flat=True):
        yield f"withdrawal:{pk}"
    for pk in PayoutAccount.objects.filter(owner_id=user.id).values_list("pk", flat=True):
        yield f"payout_account:{pk}"


def movements_of(user: User) -> Iterator[QuerySet[Any]]:
    """Account by account: each is walked along its index."""
    for account_id in LedgerAccount.objects.filter(owner_id=user.id).order_by("id").values_list("id", flat=True):
        yield JournalLine.objects.filter(account_id=account_id)
