"""Why a withdrawal is as it is, in words for its owner: what there is to do, if anything."""

from typing import Final

from wallets.enums import WithdrawalReason

EXPLANATIONS: Final = {
    WithdrawalReason.CODE_NOT_ENTERED: "No code came in time, and nothing was taken. Begin again.",
    WithdrawalReason.WRONG_CODES: "Too many wrong codes, and nothing was taken. Begin again.",
    WithdrawalReason.BY_OWNER: "You cancelled it.",
    WithdrawalReason.SENDING: "It is being sent to your bank.",
    WithdrawalReason.AT_GATEWAY: "It is on its way to your bank.",
    WithdrawalReason.OUTCOME_UNKNOWN: "The payment service has not told us yet whether it went through. We keep asking;"
    " nothing is lost.",
    WithdrawalReason.GATEWAY_BALANCE_LOW: "The payment service waits for our own funds. It goes out by itself as soon"
    " as they have arrived.",
    WithdrawalReason.GATEWAY_PAUSED: "The payment service does not answer. It goes out by itself as soon as it does.",
    WithdrawalReason.PAYOUTS_PAUSED: "Payouts in this currency are paused while we check our books. It goes out by"
    " itself afterwards; you need do nothing.",
    WithdrawalReason.GATEWAY_CODE: "Our finance team has to release it at the payment service. You need do nothing.",
    WithdrawalReason.FINANCE_TRANSFERS: "Our finance team transfers it to your bank by hand.",
    WithdrawalReason.REVIEW: "Our team looks at it before it goes out. You need do nothing.",
    WithdrawalReason.REJECTED: "It was not approved, and the money is back in your wallet.",
    WithdrawalReason.REFUSED: "It could not be paid, and the money is back in your wallet. Check your bank account.",
    WithdrawalReason.CAME_BACK: "Your bank sent it back, and the money is in your wallet again. Check your bank"
    " account.",
}


def explanation_of(reason: str) -> str:
    """Empty where nothing needs explaining."""
    return EXPLANATIONS.get(WithdrawalReason(reason), "")
