"""The staff console's pages of the wallet."""

from wallets.admin.adjustments import AdjustmentProposalAdmin
from wallets.admin.ledger import JournalEntryAdmin, LedgerAccountAdmin, SealAdmin
from wallets.admin.limits import PayoutLimitAdmin, PayoutProfileAdmin
from wallets.admin.payout_freezes import PayoutFreezeAdmin
from wallets.admin.reviews import WithdrawalReviewAdmin
from wallets.admin.withdrawals import PayoutAccountAdmin, WithdrawalAdmin

__all__ = [
    "AdjustmentProposalAdmin",
    "JournalEntryAdmin",
    "LedgerAccountAdmin",
    "PayoutAccountAdmin",
    "PayoutFreezeAdmin",
    "PayoutLimitAdmin",
    "PayoutProfileAdmin",
    "SealAdmin",
    "WithdrawalAdmin",
    "WithdrawalReviewAdmin",
]
