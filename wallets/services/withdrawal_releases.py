"""Letting a withdrawal go out, once it is confirmed or people have approved it."""

from django.conf import settings

from accounts.models import User
from learning247.kit.clock import now
from learning247.kit.jobs import enqueue_on_commit
from learning247.records.services.mail import mail_queue
from wallets.enums import PayoutMethod, WithdrawalReason, WithdrawalStatus
from wallets.models import Withdrawal
from wallets.services.withdrawal_states import mail_context, withdrawal_move


def withdrawal_release(withdrawal: Withdrawal, *, actor: User) -> None:
    """Let it go out, in the caller's transaction, which has locked it: by its gateway, or by finance's hand."""
    by_hand = withdrawal.method == PayoutMethod.BANK
    withdrawal.due_at = None if by_hand else now()
    reason = WithdrawalReason.FINANCE_TRANSFERS if by_hand else WithdrawalReason.SENDING
    withdrawal_move(withdrawal, WithdrawalStatus.PROCESSING, reason=reason, actor=actor)
    if by_hand:
        mail_queue(
            key=f"withdrawal:{withdrawal.pk}:by-hand",
            to=settings.FINANCE_EMAIL,
            template="withdrawal_by_hand",
            context=mail_context(withdrawal),
        )
    else:
        enqueue_on_commit("wallets.carry_on_withdrawal", withdrawal.pk, queue="money")
