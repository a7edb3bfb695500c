"""What creators are told of by their webhooks when they withdraw."""

from typing import Final

from learning247.outbound_webhooks.services.events import event_publish
from wallets.enums import WithdrawalStatus
from wallets.models import Withdrawal

EVENT_TYPES: Final = {
    "withdrawal.in_review": "A withdrawal of yours is confirmed, and our team looks at it before it goes out.",
    "withdrawal.paid": "A withdrawal of yours is paid.",
    "withdrawal.failed": "A withdrawal of yours could not be paid; the money is back in your wallet.",
    "withdrawal.rejected": "A withdrawal of yours was not approved; the money is back in your wallet.",
    "withdrawal.reversed": "Your bank sent a withdrawal of yours back; the money is in your wallet again.",
}


def withdrawal_publish(withdrawal: Withdrawal, status: WithdrawalStatus) -> None:
    """In the transaction in which it became that; quiet for what nobody waits to hear of."""
    event_type = f"withdrawal.{status.value}"
    if event_type in EVENT_TYPES:
        event_publish(
            key=f"withdrawal:{withdrawal.pk}:{status.value}",
            event_type=event_type,
            owner_id=withdrawal.owner_id,
            data={
                "withdrawal_id": withdrawal.pk,
                "reference": withdrawal.reference,
                "status": status.value,
                "currency": withdrawal.currency,
                "amount": withdrawal.money.amount,
                "net": withdrawal.net.amount,
                "reason": withdrawal.reason or None,
            },
        )
