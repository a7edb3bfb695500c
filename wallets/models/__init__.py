"""The ledger, where money may go, and what is on its way there."""

from wallets.models.adjustments import AdjustmentLine, AdjustmentProposal
from wallets.models.circuits import GatewayCircuit
from wallets.models.ledger import (
    CURRENCY_CHOICES,
    PERSON_KIND_VALUES,
    AccountCheckpoint,
    JournalEntry,
    JournalLine,
    LedgerAccount,
    Seal,
    SealHorizon,
)
from wallets.models.payout_accounts import PayoutAccount
from wallets.models.payout_freezes import PayoutFreeze
from wallets.models.payout_limits import PayoutLimit, PayoutProfile
from wallets.models.reviews import WithdrawalApproval, WithdrawalReview
from wallets.models.withdrawals import Withdrawal

__all__ = [
    "CURRENCY_CHOICES",
    "PERSON_KIND_VALUES",
    "AccountCheckpoint",
    "AdjustmentLine",
    "AdjustmentProposal",
    "GatewayCircuit",
    "JournalEntry",
    "JournalLine",
    "LedgerAccount",
    "PayoutAccount",
    "PayoutFreeze",
    "PayoutLimit",
    "PayoutProfile",
    "Seal",
    "SealHorizon",
    "Withdrawal",
    "WithdrawalApproval",
    "WithdrawalReview",
]
