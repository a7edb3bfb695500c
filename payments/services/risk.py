"""What payments tells the checker of fraud about a purchase, when it begins and when its money has come.

The amount is what is shared out: what the platform bears of a discount reaches the creator like what the buyer pays.
"""

from accounts.devices import Device
from learning247.risk.enums import Purpose
from learning247.risk.facts import Facts, Subject
from learning247.risk.models import Decision
from learning247.risk.services.decisions import risk_check
from payments.enums import PaymentStatus
from payments.gateways import GatewayPayment, GatewayPaymentStatus
from payments.models import Payment

PAYMENT = "payment"


def checkout_check(*, payment: Payment, device: Device) -> Decision:
    """Whether this purchase may begin. Once for each payment; before any gateway hears of it."""
    return risk_check(
        purpose=Purpose.CHECKOUT,
        subject=Subject(PAYMENT, payment.pk),
        facts=Facts(
            person=payment.buyer_id,
            counterparty=payment.product.seller_id,
            account_opened_at=payment.buyer.created_at,
            account_country=payment.buyer.country,
            amount_minor=payment.gross.minor,
            currency=payment.currency,
            ip=device.network or "",
            device=device_name(device),
        ),
    )


def settlement_check(*, payment: Payment, reported: GatewayPayment) -> Decision | None:
    """Whether what the gateway captured may settle, and a decline counted. None where there is nothing to look at yet,
    or the gateway speaks of another payment."""
    purpose = _PURPOSES.get(reported.status)
    if purpose is None or reported.reference != payment.reference:
        return None
    if purpose == Purpose.DECLINE and payment.status == PaymentStatus.FAILED:
        return None  # counted when it failed
    return risk_check(
        purpose=purpose,
        subject=Subject(PAYMENT, payment.pk),
        facts=Facts(
            person=payment.buyer_id,
            counterparty=payment.product.seller_id,
            account_opened_at=payment.buyer.created_at,
            account_country=payment.buyer.country,
            amount_minor=payment.gross.minor,
            currency=payment.currency,
            card=f"{payment.gateway} {reported.card}" if reported.card else "",
            card_country=reported.card_country,
            declines=reported.declines,
        ),
    )


def device_name(device: Device) -> str:
    """A program at a network: the nearest to one device that a request tells of. Empty where either is not known."""
    return f"{device.user_agent} at {device.network}" if device.user_agent and device.network else ""


_PURPOSES = {
    GatewayPaymentStatus.CAPTURED: Purpose.SETTLEMENT,
    GatewayPaymentStatus.FAILED: Purpose.DECLINE,
}
