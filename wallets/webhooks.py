"""What the gateways tell of transfers. The endpoints are those of payments; an event is a hint, and the gateway is
asked."""

from typing import Any

import orjson

from learning247.records.errors import EventNotReady
from learning247.records.models import InboundEvent
from learning247.records.registry import register_event_handler
from wallets.enums import PayoutMethod, WithdrawalStatus
from wallets.models import Withdrawal
from wallets.references import reference_is_ours
from wallets.services.stripe_accounts import stripe_account_refresh, stripe_payout_failed
from wallets.services.transfers import transfer_refresh

NOT_OURS = "ignored: no reference of ours"
CREATORS_PAYOUT = "ignored: the payout of a connected account"
LONGEST_REFERENCE = 64


def register_handlers() -> None:
    """Called from `apps.ready()`."""
    register_event_handler(PayoutMethod.PAYSTACK, "transfer.", paystack_transfer_changed)
    register_event_handler(PayoutMethod.STRIPE, "transfer.", stripe_transfer_changed)
    register_event_handler(PayoutMethod.STRIPE, "account.updated", stripe_account_changed)


def paystack_transfer_changed(event: InboundEvent) -> str:
    """`transfer.success`, `.failed` or `.reversed`; `data.reference` is ours."""
    reference = _text(_payload(event, "data"), "reference")
    outcome = _refresh(event, PayoutMethod.PAYSTACK, reference)
    announced = event.event_type.partition(".")[2]
    if announced in ("success", "failed") and outcome == WithdrawalStatus.PROCESSING:
        # It says that it is over, the gateway's own answer does not: ask again later, do not forget it.
        raise EventNotReady("Paystack announced the end of a transfer that it does not confirm yet.")
    return f"withdrawal {outcome}"


def stripe_transfer_changed(event: InboundEvent) -> str:
    """A transfer was created, changed or reversed; `transfer_group` is our reference."""
    reference = _text(_payload(event, "data", "object"), "transfer_group")
    outcome = _refresh(event, PayoutMethod.STRIPE, reference)
    if event.event_type == "transfer.reversed" and outcome in (WithdrawalStatus.PROCESSING, WithdrawalStatus.PAID):
        raise EventNotReady("Stripe announced a reversal that it does not confirm in full.")
    return f"withdrawal {outcome}"


def stripe_account_changed(event: InboundEvent) -> str:
    """Stripe knows more of somebody who is paid, or wants to."""
    gateway_account_id = _text(_payload(event, "data", "object"), "id")
    if not 0 < len(gateway_account_id) <= LONGEST_REFERENCE:
        return "ignored: no account"
    account = stripe_account_refresh(gateway_account_id=gateway_account_id)
    if account is None:
        return "ignored: no account of ours"
    return "account ready" if account.ready_at is not None else "account not ready"


def creators_payout_changed(event: InboundEvent) -> str:
    """From a creator's own account at Stripe (`account` at the top) to their bank: Stripe's business and theirs."""
    if event.event_type != "payout.failed":
        return CREATORS_PAYOUT
    gateway_account_id = _text(_payload(event), "account")[:LONGEST_REFERENCE]
    payout_id = _text(_payload(event, "data", "object"), "id")[:LONGEST_REFERENCE]
    told = stripe_payout_failed(gateway_account_id=gateway_account_id, payout_id=payout_id)
    return "its owner is told" if told else CREATORS_PAYOUT


def _refresh(event: InboundEvent, method: PayoutMethod, reference: str) -> str:
    if not reference_is_ours(reference):
        return NOT_OURS
    event.about = reference[:LONGEST_REFERENCE]  # kept when the event is stamped
    withdrawal = Withdrawal.objects.filter(reference=reference, method=method).first()
    if withdrawal is None:
        raise EventNotReady(f"No withdrawal with reference {reference[:40]!r} yet.")
    return transfer_refresh(withdrawal_id=withdrawal.pk).status


def _payload(event: InboundEvent, *path: str) -> dict[str, Any]:
    """The object at `path` of the event's body; {} where there is none."""
    found: Any = orjson.loads(bytes(event.body))
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) and "\x00" not in value else ""
