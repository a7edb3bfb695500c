"""What the wallet refuses, and what its owner can do next."""

from learning247.kit.errors import Conflict, Forbidden, NotFound, Unavailable, Unprocessable


class InsufficientBalance(Unprocessable):
    code = "insufficient_balance"
    detail = "The available balance is too small for this."


class AlreadyPosted(Conflict):
    """The key has a journal entry already: the event behind it was booked before (I5)."""

    code = "already_posted"
    detail = "This was booked before."


class LedgerRefused(Exception):
    """The database refused an entry that no correct caller would post (not zero-sum, mixed currency, no account)."""


class PayoutGatewayUnavailable(Unavailable):
    """It may have happened or not."""

    code = "payout_gateway_unavailable"
    detail = "The payment service does not answer. Nothing is lost: try again in a moment."


class PayoutRefused(Unprocessable):
    """The gateway's conclusive no: it did not happen."""

    code = "payout_refused"
    detail = "The payment service refused this. Nothing was paid."


class GatewayBalanceLow(PayoutRefused):
    """The gateway's conclusive no, because our own funds there do not cover it."""

    code = "gateway_balance_low"
    detail = "Our balance at the payment service is too low at the moment. Nothing was paid."


class BankAccountUnknown(Unprocessable):
    code = "bank_account_unknown"
    detail = "The bank knows no such account. Check the number and the bank."


class BankAccountNotFound(NotFound):
    code = "bank_account_not_found"
    detail = "You have no such bank account. GET /api/wallet/bank-accounts lists yours."


class BankAccountNotReady(Unprocessable):
    code = "bank_account_not_ready"
    detail = "This account cannot be paid to yet. Finish setting it up first."


class BankAccountCooling(Unprocessable):
    code = "bank_account_cooling"
    detail = "This bank account is new. For a day after it was added, only small amounts go to it."


class PayoutCurrencyNotAvailable(Unprocessable):
    code = "currency_not_available"
    detail = "This currency cannot be paid out in this way."


class CurrencyMismatch(Unprocessable):
    code = "currency_mismatch"
    detail = "This bank account takes another currency. Choose one that takes this one."


class WithdrawalNotFound(NotFound):
    code = "withdrawal_not_found"
    detail = "You have no such withdrawal. GET /api/wallet/withdrawals lists yours."


class WithdrawalTooSmall(Unprocessable):
    code = "withdrawal_below_minimum"
    detail = "This is less than the least that can be withdrawn."


class WithdrawalLimitExceeded(Unprocessable):
    code = "withdrawal_limit_exceeded"
    detail = "This is more than you may withdraw at the moment."


class WithdrawalsSuspended(Forbidden):
    code = "withdrawals_suspended"
    detail = "Withdrawals from your wallet are suspended. Write to support."


class PayoutsPaused(Conflict):
    code = "payouts_paused"
    detail = "Payouts in this currency are paused while we check our books. Your money stays yours: try again later."


class WithdrawalKeyReused(Unprocessable):
    code = "idempotency_key_reused"
    detail = "This Idempotency-Key began another withdrawal. Send a new key for a new withdrawal."


class WithdrawalOver(Conflict):
    code = "withdrawal_over"
    detail = "This withdrawal is over, and nothing was taken by it. Begin a new one: POST /api/wallet/withdraw."


class WithdrawalConfirmed(Conflict):
    code = "withdrawal_confirmed"
    detail = "This withdrawal was confirmed already; it needs no code any more."


class WithdrawalNotCancellable(Conflict):
    code = "withdrawal_not_cancellable"
    detail = "This withdrawal is on its way to your bank, or there already. It cannot be called back."


class CodeComesFromApp(Conflict):
    code = "code_comes_from_app"
    detail = "Your second factor is on: confirm with a code of your authenticator app. No code is mailed."


class AdjustmentUnbalanced(Unprocessable):
    code = "adjustment_unbalanced"
    detail = "An adjustment has two lines or more, in one currency that we know, and they sum to zero."


class SecondPersonRequired(Forbidden):
    code = "second_person_required"
    detail = "You agreed to this already. Somebody else has to approve it now."


class AdjustmentOfSetAside(Unprocessable):
    code = "adjustment_of_set_aside"
    detail = "What is held or disputed follows its withdrawals and disputes. Adjust what is available instead."


class OwnAdjustment(Forbidden):
    code = "own_adjustment"
    detail = "This moves money of your own. Two others have to decide over it."


class AdjustmentDecided(Conflict):
    code = "already_decided"
    detail = "This was rejected, or needs no repair any more. Open it to see why."


class WithdrawalReviewNotFound(NotFound):
    code = "review_not_found"
    detail = "There is no such review."


class WithdrawalDecided(Conflict):
    code = "already_decided"
    detail = "This was decided already, or needs no decision any more. Open it to see how."


class OwnWithdrawal(Forbidden):
    code = "own_withdrawal"
    detail = "This is your own money. Somebody else has to decide over it."


class SecondPersonNeeded(Conflict):
    code = "second_person_needed"
    detail = "You approved this already. It is large: somebody else has to approve it too."


class NotByHand(Conflict):
    code = "not_by_hand"
    detail = "Finance confirms only what it transfers by hand. A gateway says by itself what became of its own."
