"""The rows that the wallet contends for, in the order in which they are locked: the person, their withdrawal, its
review, its account, then ledger accounts (by id, as the posting function locks them)."""

from uuid import UUID

from django.db import connection

from learning247.kit.locks import bound_lock_wait
from wallets.enums import PERSON_ACCOUNT_KINDS, AccountKind
from wallets.errors import WithdrawalNotFound
from wallets.models import AdjustmentProposal, PayoutAccount, PayoutFreeze, Withdrawal, WithdrawalReview

_EARNINGS = (AccountKind.CLEARING, AccountKind.AVAILABLE, AccountKind.DISPUTED)


def earnings_lock(*, owner_id: UUID, currency: str) -> dict[AccountKind, int]:
    """The balances (minor units) of what a person has earned, cleared or not or disputed, locked until the transaction
    ends.

    In the order of the accounts' ids, in which `ledger_post_entry()` locks them too: whoever posts several entries to
    them in one transaction begins with this. An account that was never opened is missing.
    """
    return _balances_lock(owner_id, currency, _EARNINGS)


def wallet_lock(*, owner_id: UUID, currency: str) -> dict[AccountKind, int]:
    """As `earnings_lock`, with what is held for withdrawals: all that a person has in a currency."""
    return _balances_lock(owner_id, currency, PERSON_ACCOUNT_KINDS)


def withdrawal_lock(withdrawal_id: UUID) -> Withdrawal:
    """The withdrawal, locked until the transaction ends; its owner and account come along unlocked."""
    bound_lock_wait()
    locked = Withdrawal.objects.select_for_update(of=("self",), no_key=True).filter(pk=withdrawal_id)
    withdrawal = locked.select_related("owner", "account").first()
    if withdrawal is None:
        raise WithdrawalNotFound
    return withdrawal


def withdrawal_review_lock(review_id: UUID) -> WithdrawalReview:
    """The case and before it its withdrawal (`review.withdrawal`), both locked until the transaction ends."""
    withdrawal = withdrawal_lock(WithdrawalReview.objects.values_list("withdrawal_id", flat=True).get(pk=review_id))
    review = WithdrawalReview.objects.select_for_update(of=("self",), no_key=True).get(pk=review_id)
    review.withdrawal = withdrawal
    return review


def payout_account_lock(account_id: UUID) -> PayoutAccount:
    """The account, locked until the transaction ends; its owner comes along unlocked."""
    bound_lock_wait()
    locked = PayoutAccount.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("owner").get(pk=account_id)


def withdrawals_lock_of(owner_id: UUID) -> list[Withdrawal]:
    """All withdrawals of that person, locked by id until the transaction ends."""
    bound_lock_wait()
    return list(
        Withdrawal.objects.select_for_update(of=("self",), no_key=True).filter(owner_id=owner_id).order_by("id")
    )


def _balances_lock(owner_id: UUID, currency: str, kinds: tuple[AccountKind, ...]) -> dict[AccountKind, int]:
    bound_lock_wait()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, balance_minor FROM wallets_ledgeraccount WHERE owner_id = %s AND currency = %s"
            " AND kind = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [owner_id, currency, [kind.value for kind in kinds]],
        )
        return {AccountKind(kind): balance_minor for kind, balance_minor in cursor.fetchall()}


def payout_freeze_lock(freeze_id: UUID) -> PayoutFreeze:
    """The freeze, locked until the transaction ends."""
    bound_lock_wait()
    return PayoutFreeze.objects.select_for_update(of=("self",), no_key=True).get(pk=freeze_id)


def adjustment_lock(proposal_id: UUID) -> AdjustmentProposal:
    """The proposal, locked until the transaction ends; the ledger's accounts are locked after it."""
    bound_lock_wait()
    return AdjustmentProposal.objects.select_for_update(of=("self",), no_key=True).get(pk=proposal_id)
