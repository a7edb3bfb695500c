"""Doors for Celery; each calls one service and is safe to run twice."""

from uuid import UUID

from celery import shared_task

from wallets.services.payout_freezes import books_check
from wallets.services.seals import ledger_seal
from wallets.services.transfers import paid_withdrawals_recheck, transfer_carry_on, withdrawals_sweep
from wallets.services.withdrawal_reviews import withdrawal_reviews_escalate


@shared_task(name="wallets.seal_ledger")
def seal_ledger() -> int:
    """Seal what can be sealed; returns how many entries that were."""
    return ledger_seal().entries


@shared_task(name="wallets.check_books")
def check_books() -> int:
    """Prove the ledger, and pause payouts of the currencies that do not prove; returns how many that are now."""
    return len(books_check())


@shared_task(name="wallets.carry_on_withdrawal")
def carry_on_withdrawal(withdrawal_id: str) -> None:
    """Take a confirmed withdrawal one step further at its gateway."""
    transfer_carry_on(withdrawal_id=UUID(withdrawal_id))


@shared_task(name="wallets.sweep_withdrawals")
def sweep_withdrawals() -> int:
    """Go on with withdrawals that are due; returns how many."""
    return withdrawals_sweep()


@shared_task(name="wallets.escalate_withdrawal_reviews")
def escalate_withdrawal_reviews() -> int:
    """Make overdue reviews urgent and tell who looks after them; returns how many."""
    return withdrawal_reviews_escalate()


@shared_task(name="wallets.recheck_paid_withdrawals")
def recheck_paid_withdrawals() -> int:
    """Ask about what was paid lately, in case it came back unheard; returns how many."""
    return paid_withdrawals_recheck()
