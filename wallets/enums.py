"""The chart of accounts and the kinds of journal entry."""

from django.db import models


class AccountKind(models.TextChoices):
    # A person's accounts
    AVAILABLE = "available", "Available"
    CLEARING = "clearing", "Clearing"
    HELD = "held", "Held for withdrawals"
    DISPUTED = "disputed", "Disputed"
    # The platform's accounts
    GATEWAY_PAYSTACK = "gateway-paystack", "Held by Paystack"
    GATEWAY_STRIPE = "gateway-stripe", "Held by Stripe"
    FEES = "fees", "Platform fees"
    SALES = "sales", "Sales of platform-owned items"
    UNSETTLED = "unsettled", "Captured, not settled"
    DISPUTE_SUSPENSE = "dispute_suspense", "Withdrawn in disputes, not decided"
    LOSSES = "losses", "Losses and fees of disputes"
    GATEWAY_COSTS = "gateway_costs", "Paid to the gateways"
    PROMOTIONS = "promotions", "Discounts that the platform bears"
    BANK = "bank", "At the bank"


PERSON_ACCOUNT_KINDS = (AccountKind.AVAILABLE, AccountKind.CLEARING, AccountKind.HELD, AccountKind.DISPUTED)
GATEWAY_ACCOUNT_KINDS = {"paystack": AccountKind.GATEWAY_PAYSTACK, "stripe": AccountKind.GATEWAY_STRIPE}


class EntryKind(models.TextChoices):
    SALE = "sale", "Sale"
    UNSETTLED_CAPTURE = "unsettled_capture", "Captured, may not settle yet"
    UNSETTLED_RELEASE = "unsettled_release", "Captured payment released"
    REFUND = "refund", "Refund"
    REFUND_RESTORED = "refund_restored", "Refund failed, put back"
    DISPUTE = "dispute", "Disputed, set aside"
    DISPUTE_RELEASED = "dispute_released", "No longer disputed, put back"
    DISPUTE_LOST = "dispute_lost", "Dispute lost"
    DISPUTE_FUNDS = "dispute_funds", "Disputed funds withdrawn or reinstated"
    DISPUTE_FEE = "dispute_fee", "Fee of a dispute"
    WITHDRAWAL_HOLD = "withdrawal_hold", "Withdrawal confirmed"
    WITHDRAWAL_PAID = "withdrawal_paid", "Withdrawal paid"
    WITHDRAWAL_RETURNED = "withdrawal_returned", "Withdrawal not made, put back"
    WITHDRAWAL_REVERSED = "withdrawal_reversed", "Withdrawal came back"
    TRANSFER_FEE = "transfer_fee", "Fee of a transfer"
    TRANSFER_FEE_RETURNED = "transfer_fee_returned", "Fee of a transfer given back"
    GATEWAY_FEE = "gateway_fee", "Fee of a gateway"
    GATEWAY_PAYOUT = "gateway_payout", "Paid out to the bank by a gateway"
    GATEWAY_TOP_UP = "gateway_top_up", "Paid in to a gateway from the bank"
    GATEWAY_PAYOUT_RETURNED = "gateway_payout_returned", "Came back between a gateway and the bank"
    ADJUSTMENT = "adjustment", "Manual adjustment"


# Only these may take a person's available balance below zero (a refund or a dispute after the payout). The database
# keeps its own copy of this list in `ledger_place_line()`; a test compares the two.
DEBT_ENTRY_KINDS = (EntryKind.REFUND, EntryKind.DISPUTE)


class PayoutMethod(models.TextChoices):
    """How money leaves: the currency says which (PAYOUT_METHOD_BY_CURRENCY)."""

    PAYSTACK = "paystack", "Paystack transfer"
    STRIPE = "stripe", "Stripe Connect"
    BANK = "bank", "Bank transfer by finance"


class WithdrawalStatus(models.TextChoices):
    """The diagram is in `services/withdrawal_states.py`."""

    OTP_REQUIRED = "otp_required", "Waiting for its code"
    PROCESSING = "processing", "Processing"
    IN_REVIEW = "in_review", "In review"
    PAID = "paid", "Paid"
    FAILED = "failed", "Failed"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Expired"
    REVERSED = "reversed", "Reversed"


# What is held back in the owner's wallet for (I6).
WITHDRAWAL_HOLDING = (WithdrawalStatus.PROCESSING, WithdrawalStatus.IN_REVIEW)
# What may still become something else by what its owner, staff or a gateway do. `paid` may come back, too.
WITHDRAWAL_OPEN = (WithdrawalStatus.OTP_REQUIRED, *WITHDRAWAL_HOLDING)
# What counts against the limits: money that has left, or is on its way.
WITHDRAWAL_COUNTED = (*WITHDRAWAL_HOLDING, WithdrawalStatus.PAID)


class WithdrawalReason(models.TextChoices):
    """Why a withdrawal is as it is; in words for its owner: `wallets/explanations.py`."""

    NONE = "", ""
    CODE_NOT_ENTERED = "code_not_entered", "No code came in time"
    WRONG_CODES = "wrong_codes", "Too many wrong codes"
    BY_OWNER = "by_owner", "Cancelled by its owner"
    SENDING = "sending", "Being sent"
    AT_GATEWAY = "at_gateway", "On its way to the bank"
    OUTCOME_UNKNOWN = "outcome_unknown", "The gateway has not said what happened"
    GATEWAY_BALANCE_LOW = "gateway_balance_low", "Our balance at the gateway is too low"
    GATEWAY_PAUSED = "gateway_paused", "The gateway does not answer"
    PAYOUTS_PAUSED = "payouts_paused", "Payouts in its currency are paused"
    GATEWAY_CODE = "gateway_code", "The gateway wants a code of its account's owner"
    FINANCE_TRANSFERS = "finance_transfers", "For finance to transfer"
    REVIEW = "review", "For people to look at"
    REJECTED = "rejected", "Rejected by staff"
    REFUSED = "refused", "The gateway or the bank refused it"
    CAME_BACK = "came_back", "The bank sent it back"


class AdjustmentStatus(models.TextChoices):
    """The diagram is above `AdjustmentProposal`."""

    PROPOSED = "proposed", "Proposed"
    POSTED = "posted", "Posted"
    REJECTED = "rejected", "Rejected"
    OUTDATED = "outdated", "Outdated"


class PayoutTier(models.TextChoices):
    STANDARD = "standard", "Standard"
    VIP = "vip", "VIP"
    BUSINESS = "business", "Business"


class WithdrawalDoubt(models.TextChoices):
    """Why people look at a withdrawal; the first that applies."""

    LARGE = "large", "Large: two people decide"
    NO_LIMITS = "no_limits", "There are no limits in its currency"
    RISK = "risk", "The checker of fraud asks people"
