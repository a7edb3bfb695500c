"""What sellers are told of by their webhooks: never more about a buyer than that there is one."""

from typing import Any

from learning247.kit.money import Money
from learning247.outbound_webhooks.services.events import event_publish
from payments.models import Dispute, Payment, Product, Refund

EVENT_TYPES = {
    "sale.settled": "Something of yours was bought, and your share is in your wallet.",
    "refund.started": "Money of a sale goes back to the buyer; your share of it has left your wallet.",
    "refund.done": "That money has arrived.",
    "refund.failed": "It could not be paid out; your share of it is back in your wallet.",
    "dispute.opened": "The buyer's bank asks the money of a sale back; your share of it is set aside until it decides.",
    "dispute.won": "It is over and the sale stands; your share of it is available again.",
    "dispute.lost": "The bank took the money back, and your share of it with it.",
}


def sale_publish(payment: Payment) -> None:
    """In the settling transaction."""
    share = payment.gross.minor - (payment.platform_fee_minor or 0)
    event_publish(
        key=f"payment:{payment.pk}:sale",
        event_type="sale.settled",
        owner_id=payment.product.seller_id,
        data={
            "payment_reference": payment.reference,
            "item": _item(payment.product),
            "currency": payment.currency,
            "amount": payment.gross.amount,
            "buyer_paid": payment.money.amount,
            "your_share": Money(share, payment.currency).amount,
            "settled_at": payment.settled_at,
        },
    )


def refund_publish(refund: Refund, what: str) -> None:
    """`what`: started, done or failed. In the transaction in which it became that. What was never a sale is nobody's
    business but the buyer's."""
    payment = refund.payment
    if payment.settled_at is None:
        return
    event_publish(
        key=f"refund:{refund.pk}:{what}",
        event_type=f"refund.{what}",
        owner_id=payment.product.seller_id,
        data={
            "refund_reference": refund.reference,
            "payment_reference": payment.reference,
            "item": _item(payment.product),
            "currency": refund.currency,
            "amount": refund.money.amount,
            "your_share": Money(refund.seller_minor, refund.currency).amount,
        },
    )


def dispute_publish(dispute: Dispute, what: str, *, share: Money) -> None:
    """`what`: opened, won or lost. In the transaction in which it became that. `share` is what is set aside, available
    again, or gone."""
    payment = dispute.payment
    if payment.settled_at is None:
        return
    event_publish(
        key=f"dispute:{dispute.pk}:{what}:{dispute.revision}",
        event_type=f"dispute.{what}",
        owner_id=payment.product.seller_id,
        data={
            "payment_reference": payment.reference,
            "item": _item(payment.product),
            "currency": dispute.currency,
            "amount": dispute.money.amount,
            "your_share": share.amount,
        },
    )


def _item(product: Product) -> dict[str, Any]:
    return {"type": product.kind, "id": product.item_id, "title": product.title}
