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
    GATEWAY_FEE = "gateway_fee", "Fee of a gateway"
    GATEWAY_PAYOUT = "gateway_payout", "Paid out to the bank by a gateway"
    GATEWAY_TOP_UP = "gateway_top_up", "Paid in to a gateway from the bank"
    ADJUSTMENT = "adjustment", "Manual adjustment"


# Only these may take a person's available balance below zero (a refund or a dispute after the payout). The database
# keeps its own copy of this list in `ledger_place_line()`; a test compares the two.
DEBT_ENTRY_KINDS = (EntryKind.REFUND, EntryKind.DISPUTE)
