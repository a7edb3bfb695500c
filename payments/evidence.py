"""The evidence that a disputed payment was the buyer's own and that it got them what they paid for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import Session
from payments.models import Dispute, Entitlement
from payments.usage import usage_of

# Sign-ins this long before the payment say from where it was made.
SIGN_INS_BEFORE = timedelta(days=30)
MOST_SIGN_INS = 20


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a gateway asks for by name, and all of it as one document in plain text."""

    customer_name: str
    customer_email: str
    customer_phone: str
    purchase_ip: str
    product: str
    activity: str
    service_date: str
    document: str


def evidence_of(dispute: Dispute) -> Evidence:
    """Who bought, when, from which address and device, what was opened and used, what was charged and given back."""
    payment = dispute.payment
    buyer, product = payment.buyer, payment.product
    paid_at = payment.settled_at or payment.created_at
    sessions = list(
        Session.objects.filter(
            user=buyer, created_at__lte=paid_at, refreshed_at__gte=paid_at - SIGN_INS_BEFORE
        ).order_by("-refreshed_at")[:MOST_SIGN_INS]
    )
    entitlement = Entitlement.objects.filter(payment=payment).select_related("product").first()
    given = [f"{_time(entitlement.created_at)}  Access given: {entitlement}"] if entitlement else []
    used = [f"{_time(at)}  {what}" for at, what in usage_of(entitlement)] if entitlement else []
    activity = "\n".join([*given, *used]) or "Nothing is on record."
    parts = {
        "Dispute": [
            f"{dispute.gateway_dispute_id} at {payment.get_gateway_display()}, opened {_time(dispute.opened_at)}",
            f"{dispute.money}, given reason: {dispute.reason or 'none'}",
        ],
        "Bought by": [
            f"{buyer.full_name} <{buyer.email}>, account since {_time(buyer.created_at)}",
            f"Email address verified: {'yes' if buyer.email_verified else 'no'}",
        ],
        "Bought": [
            f"{product.get_kind_display()}: {product.title}",
            *([f"Price {payment.price}, less {payment.discount} by coupon"] if payment.discount_minor else []),
            f"{payment.reference} ({payment.gateway_payment_id}), {payment.money}, begun {_time(payment.created_at)},"
            f" captured {_time(payment.settled_at) if payment.settled_at else 'and in review'}",
        ],
        "Signed in before it, latest first": [
            f"{_time(session.created_at)} to {_time(session.refreshed_at)}  {session.ip or 'address unknown'}"
            f"  {session.user_agent or 'device unknown'}"
            for session in sessions
        ],
        "Opened and used": activity.splitlines(),
        "Given back": [
            f"{_time(refund.created_at)}  {refund.reference}  {refund.money}  {refund.get_status_display().lower()}"
            for refund in payment.refunds.order_by("id")
        ],
    }
    return Evidence(
        customer_name=buyer.full_name,
        customer_email=buyer.email,
        customer_phone=buyer.phone,
        purchase_ip=(sessions[0].ip or "") if sessions else "",
        product=f"{product.get_kind_display()}: {product.title}",
        activity=activity,
        service_date=f"{paid_at:%Y-%m-%d}",
        document=_document(parts),
    )


def _document(parts: dict[str, list[str]]) -> str:
    blocks = ["\n".join([name, *(f"  {line}" for line in lines or ["nothing"])]) for name, lines in parts.items()]
    return "\n\n".join(blocks) + "\n"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
