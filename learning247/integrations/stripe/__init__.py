"""Stripe's wire, without Django: a thin `StripeGatewayClient` over the official SDK, typed answers and errors.

Facts and their sources: docs/gateways.md.
"""

from learning247.integrations.stripe.amounts import AmountNotChargeable, from_stripe_amount, to_stripe_amount
from learning247.integrations.stripe.balance import BalanceTransaction
from learning247.integrations.stripe.client import StripeGatewayClient
from learning247.integrations.stripe.connect import AccountLink, ConnectedAccount, ConnectTransfer
from learning247.integrations.stripe.disputes import Dispute
from learning247.integrations.stripe.errors import (
    MalformedAnswer,
    StripeBalanceTooLow,
    StripeGatewayError,
    StripeIdempotencyMismatch,
    StripeNotFound,
    StripeRateLimited,
    StripeRejected,
    StripeUnauthorized,
    StripeUnknownOutcome,
)
from learning247.integrations.stripe.events import UnreadableEvent, event_key, event_type
from learning247.integrations.stripe.payouts import Payout
from learning247.integrations.stripe.refunds import Refund
from learning247.integrations.stripe.sessions import CheckoutSession
from learning247.integrations.stripe.signature import SIGNATURE_HEADER, verify_signature

__all__ = [
    "SIGNATURE_HEADER",
    "AccountLink",
    "AmountNotChargeable",
    "BalanceTransaction",
    "CheckoutSession",
    "ConnectTransfer",
    "ConnectedAccount",
    "Dispute",
    "MalformedAnswer",
    "Payout",
    "Refund",
    "StripeBalanceTooLow",
    "StripeGatewayClient",
    "StripeGatewayError",
    "StripeIdempotencyMismatch",
    "StripeNotFound",
    "StripeRateLimited",
    "StripeRejected",
    "StripeUnauthorized",
    "StripeUnknownOutcome",
    "UnreadableEvent",
    "event_key",
    "event_type",
    "from_stripe_amount",
    "to_stripe_amount",
    "verify_signature",
]
