"""Withdrawals that finance transfers by hand: paid, not payable, or come back, as people say who have seen the bank.

Each step has a reason on record, and nobody takes one for their own money.
"""

from uuid import UUID

from django.db import transaction

from accounts.models import User
from learning247.records.reasons import required_reason
from wallets.enums import PayoutMethod, WithdrawalReason, WithdrawalStatus
from wallets.errors import NotByHand, OwnWithdrawal
from wallets.locks import withdrawal_lock
from wallets.models import Withdrawal
from wallets.services.withdrawal_states import withdrawal_move


@transaction.atomic(durable=True)
def finance_transfer_done(*, withdrawal_id: UUID, actor: User, bank_reference: str, reason: str) -> Withdrawal:
    """The bank transfer was made; `bank_reference` is what the bank calls it, one for each. Quiet where it was said
    before. Raises NotByHand, OwnWithdrawal, ReasonRequired."""
    withdrawal, reason = _locked(withdrawal_id, actor), required_reason(reason)
    if withdrawal.status == WithdrawalStatus.PAID:
        return withdrawal
    _refuse_unless(withdrawal, WithdrawalStatus.PROCESSING)
    taken = Withdrawal.objects.filter(method=PayoutMethod.BANK, gateway_transfer_id=bank_reference)
    if taken.exclude(pk=withdrawal.pk).exists():
        raise NotByHand("This bank reference stands with another withdrawal. Look at your bank's list again.")
    withdrawal.gateway_transfer_id = bank_reference
    withdrawal_move(withdrawal, WithdrawalStatus.PAID, reason=WithdrawalReason.NONE, actor=actor, note=reason)
    return withdrawal


@transaction.atomic(durable=True)
def finance_transfer_refuse(*, withdrawal_id: UUID, actor: User, reason: str) -> Withdrawal:
    """It cannot be transferred: the money is back in its owner's wallet, who reads `reason`. Quiet where it was said
    before. Raises as `finance_transfer_done`."""
    withdrawal, reason = _locked(withdrawal_id, actor), required_reason(reason)
    if withdrawal.status == WithdrawalStatus.FAILED:
        return withdrawal
    _refuse_unless(withdrawal, WithdrawalStatus.PROCESSING)
    withdrawal_move(withdrawal, WithdrawalStatus.FAILED, reason=WithdrawalReason.REFUSED, actor=actor, note=reason)
    return withdrawal


@transaction.atomic(durable=True)
def finance_transfer_return(*, withdrawal_id: UUID, actor: User, reason: str) -> Withdrawal:
    """The bank sent it back after it was paid. Quiet where it was said before. Raises as `finance_transfer_done`."""
    withdrawal, reason = _locked(withdrawal_id, actor), required_reason(reason)
    if withdrawal.status == WithdrawalStatus.REVERSED:
        return withdrawal
    _refuse_unless(withdrawal, WithdrawalStatus.PAID)
    withdrawal_move(withdrawal, WithdrawalStatus.REVERSED, reason=WithdrawalReason.CAME_BACK, actor=actor, note=reason)
    return withdrawal


def _locked(withdrawal_id: UUID, actor: User) -> Withdrawal:
    withdrawal = withdrawal_lock(withdrawal_id)
    if withdrawal.method != PayoutMethod.BANK:
        raise NotByHand
    if withdrawal.owner_id == actor.pk:
        raise OwnWithdrawal
    return withdrawal


def _refuse_unless(withdrawal: Withdrawal, status: WithdrawalStatus) -> None:
    if withdrawal.status != status:
        raise NotByHand(f"This withdrawal is {withdrawal.get_status_display().lower()}. Nothing was changed.")
