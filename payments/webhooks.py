"""The gateways' callbacks. A webhook is a hint: it names a payment, and the gateway itself is asked about it."""

from typing import Any

import orjson
from django.conf import settings

from learning247.integrations import paystack, stripe
from learning247.records.errors import EventNotReady
from learning247.records.models import InboundEvent
from learning247.records.registry import register_event_handler
from learning247.records.webhooks import EventIdentity, webhook_view
from payments.enums import UNSETTLED_STATUSES, GatewayName
from payments.errors import DisputeNotFound, DisputeUnreadable, PaymentNotFound, PayoutNotFound, PayoutUnreadable
from payments.models import Payment
from payments.references import reference_is_ours
from payments.services.disputes import dispute_refresh, payment_disputed
from payments.services.payouts import payout_refresh
from payments.services.refunds import payment_refunds_refresh
from payments.services.settlement import gateway_reference_learn, payment_settle
from wallets.webhooks import creators_payout_changed

# Somebody else may use the same gateway account, for invoices say: what was never ours is not waited for.
UNSETTLED_OUTCOMES = tuple(f"payment {status.value}" for status in UNSETTLED_STATUSES)
LONGEST_GATEWAY_REFERENCE = 255
LONGEST_OWN_REFERENCE = 64
NOT_OURS = "ignored: no reference of ours"


def register_handlers() -> None:
    """Called from `apps.ready()`."""
    register_event_handler(GatewayName.PAYSTACK, "charge.success", paystack_charge_succeeded)
    register_event_handler(GatewayName.PAYSTACK, "refund.", paystack_refund_changed)
    register_event_handler(GatewayName.PAYSTACK, "charge.dispute.", paystack_dispute_changed)
    register_event_handler(GatewayName.STRIPE, "charge.dispute.", stripe_dispute_changed)
    register_event_handler(GatewayName.STRIPE, "checkout.session.", stripe_checkout_changed)
    register_event_handler(GatewayName.STRIPE, "refund.", stripe_refund_changed)
    register_event_handler(GatewayName.STRIPE, "charge.refund.updated", stripe_refund_changed)
    register_event_handler(GatewayName.STRIPE, "payout.", stripe_payout_changed)
    register_event_handler(GatewayName.STRIPE, "topup.", stripe_payout_changed)


paystack_webhook = webhook_view(
    GatewayName.PAYSTACK,
    verify=lambda body, headers: paystack.verify_signature(
        body, headers.get(paystack.SIGNATURE_HEADER, ""), settings.PAYSTACK_SECRET_KEY
    ),
    identify=lambda payload: EventIdentity(paystack.event_key(payload), paystack.event_type(payload)),
    secrets_configured=lambda: bool(settings.PAYSTACK_SECRET_KEY),
)

stripe_webhook = webhook_view(
    GatewayName.STRIPE,
    verify=lambda body, headers: stripe.verify_signature(
        body,
        headers.get(stripe.SIGNATURE_HEADER, ""),
        settings.STRIPE_WEBHOOK_SECRETS,
        tolerance=settings.STRIPE_WEBHOOK_TOLERANCE,
    ),
    identify=lambda payload: EventIdentity(stripe.event_key(payload), stripe.event_type(payload)),
    secrets_configured=lambda: bool(settings.STRIPE_WEBHOOK_SECRETS),
)


def paystack_charge_succeeded(event: InboundEvent) -> str:
    """`data.reference` is ours. An unknown one waits: the event may be quicker than our own row."""
    outcome = _settle(event, _text(_payload(event, "data"), "reference"))
    if outcome in UNSETTLED_OUTCOMES:
        # It says that the money came, the gateway's own answer does not: ask again later, do not forget it.
        raise EventNotReady(f"Paystack announced a charge that it does not confirm yet ({outcome}).")
    return outcome


def stripe_checkout_changed(event: InboundEvent) -> str:
    """A Checkout Session was completed, paid later, failed later or expired; `client_reference_id` is ours."""
    session = _payload(event, "data", "object")
    reference = _text(session, "client_reference_id")
    if not reference_is_ours(reference):
        return NOT_OURS
    session_id = _text(session, "id")
    if len(session_id) <= LONGEST_GATEWAY_REFERENCE:
        gateway_reference_learn(gateway=GatewayName.STRIPE, reference=reference, gateway_reference=session_id)
    return _settle(event, reference)


def paystack_refund_changed(event: InboundEvent) -> str:
    """`data.transaction_reference` is ours. The event names the refund by other numbers than the API does."""
    data = _payload(event, "data")
    reference = _text(data, "transaction_reference")
    if not reference_is_ours(reference):
        return NOT_OURS
    return _refresh_refunds(event, _settled_first(event, reference), "")


def stripe_refund_changed(event: InboundEvent) -> str:
    """A refund of ours, or one that somebody made on Stripe's pages; `payment_intent` says of which payment."""
    refund = _payload(event, "data", "object")
    intent = _text(refund, "payment_intent")
    payment = Payment.objects.filter(gateway=GatewayName.STRIPE, gateway_payment_id=intent).first() if intent else None
    event.about = intent[:LONGEST_OWN_REFERENCE]  # what is handled at once when that payment settles
    return _refresh_refunds(event, payment, _text(refund, "id"))


def _settled_first(event: InboundEvent, reference: str) -> Payment | None:
    """The payment, settled now where its own event is still on its way: what happened to it since is found after."""
    event.about = reference[:LONGEST_OWN_REFERENCE]
    try:
        return payment_settle(reference=reference)
    except PaymentNotFound:
        return None


def _refresh_refunds(event: InboundEvent, payment: Payment | None, announced_id: str) -> str:
    if payment is None or payment.status in UNSETTLED_STATUSES:
        raise EventNotReady("No captured payment for this refund yet.")
    event.about = payment.reference  # kept when the event is stamped
    refunds = payment_refunds_refresh(payment=payment, announced_id=announced_id)
    return f"refunds {', '.join(refund.status for refund in refunds) or 'none'}"[:100]


def paystack_dispute_changed(event: InboundEvent) -> str:
    """`data.transaction.reference` is ours; `data.transaction_reference` is always null."""
    reference = _text(_payload(event, "data", "transaction"), "reference")
    if not reference_is_ours(reference):
        return NOT_OURS
    _settled_first(event, reference)
    number = _payload(event, "data").get("id")
    dispute_id = str(number) if isinstance(number, int) and not isinstance(number, bool) else ""
    return _refresh_dispute(event, GatewayName.PAYSTACK, reference, dispute_id)


def stripe_dispute_changed(event: InboundEvent) -> str:
    """A dispute began, changed, moved money or closed; `payment_intent` says of which payment."""
    dispute = _payload(event, "data", "object")
    intent = _text(dispute, "payment_intent")
    event.about = intent[:LONGEST_OWN_REFERENCE]  # what is handled at once when that payment settles
    return _refresh_dispute(event, GatewayName.STRIPE, intent, _text(dispute, "id"))


def stripe_payout_changed(event: InboundEvent) -> str:
    """A payout to our own bank, or a top-up from there, was made, paid, came back, or is complete to the last row. Of a
    connected account (`account` at the top, docs.stripe.com/connect/webhooks) it is a creator's, and none of ours."""
    if _text(_payload(event), "account"):
        return creators_payout_changed(event)
    payout_id = _text(_payload(event, "data", "object"), "id")
    if not 0 < len(payout_id) <= LONGEST_OWN_REFERENCE:
        raise EventNotReady("The event does not say which payout it is about.")
    try:
        payout = payout_refresh(gateway=GatewayName.STRIPE, gateway_payout_id=payout_id)
    except (PayoutNotFound, PayoutUnreadable) as error:
        raise EventNotReady(error.detail) from None
    return f"payout {payout.status}"


def _refresh_dispute(event: InboundEvent, gateway: GatewayName, named: str, dispute_id: str) -> str:
    payment = payment_disputed(gateway=gateway, named=named)
    if payment is None:
        raise EventNotReady("No captured payment for this dispute yet.")
    if not 0 < len(dispute_id) <= LONGEST_OWN_REFERENCE:
        raise EventNotReady("The event does not say which dispute it is about.")
    event.about = payment.reference  # kept when the event is stamped
    try:
        dispute = dispute_refresh(payment=payment, gateway_dispute_id=dispute_id)
    except (DisputeNotFound, DisputeUnreadable) as error:
        raise EventNotReady(error.detail) from None
    return f"dispute {dispute.status}"


def _settle(event: InboundEvent, reference: str) -> str:
    if not reference_is_ours(reference):
        return NOT_OURS
    event.about = reference[:LONGEST_OWN_REFERENCE]  # kept when the event is stamped
    try:
        payment = payment_settle(reference=reference)
    except PaymentNotFound:
        raise EventNotReady(f"No payment with reference {reference[:40]!r} yet.") from None
    return f"payment {payment.status}"


def _payload(event: InboundEvent, *path: str) -> dict[str, Any]:
    """The object at `path` of the event's body; {} where there is none."""
    found: Any = orjson.loads(bytes(event.body))
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) and "\x00" not in value else ""
