"""Paystack's wire, without Django: `PaystackClient`, typed answers, typed errors, signatures, event keys.

Facts and their sources: docs/gateways.md.
"""

from learning247.integrations.paystack.client import PaystackClient
from learning247.integrations.paystack.disputes import Dispute, DisputePage
from learning247.integrations.paystack.errors import (
    MalformedAnswer,
    PaystackBalanceTooLow,
    PaystackDuplicateReference,
    PaystackError,
    PaystackNotFound,
    PaystackRateLimited,
    PaystackRejected,
    PaystackUnauthorized,
    PaystackUnknownOutcome,
)
from learning247.integrations.paystack.events import UnreadableEvent, event_key, event_type
from learning247.integrations.paystack.refunds import Refund, RefundPage
from learning247.integrations.paystack.settlements import Settlement, SettlementPage
from learning247.integrations.paystack.signature import SIGNATURE_HEADER, verify_signature
from learning247.integrations.paystack.transactions import (
    InitializedTransaction,
    Transaction,
    TransactionPage,
)
from learning247.integrations.paystack.transfers import Bank, ResolvedAccount, Transfer, TransferPage

__all__ = [
    "SIGNATURE_HEADER",
    "Bank",
    "Dispute",
    "DisputePage",
    "InitializedTransaction",
    "MalformedAnswer",
    "PaystackBalanceTooLow",
    "PaystackClient",
    "PaystackDuplicateReference",
    "PaystackError",
    "PaystackNotFound",
    "PaystackRateLimited",
    "PaystackRejected",
    "PaystackUnauthorized",
    "PaystackUnknownOutcome",
    "Refund",
    "RefundPage",
    "ResolvedAccount",
    "Settlement",
    "SettlementPage",
    "Transaction",
    "TransactionPage",
    "Transfer",
    "TransferPage",
    "UnreadableEvent",
    "event_key",
    "event_type",
    "verify_signature",
]
