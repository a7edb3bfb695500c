"""Doors for Celery; each calls one service and is safe to run twice."""

from uuid import UUID

from celery import shared_task

from payments.services.disputes import disputes_find, disputes_sweep
from payments.services.gateway_fees import gateway_fees_sweep
from payments.services.payouts import payouts_find
from payments.services.refunds import refund_carry_on, refunds_sweep
from payments.services.reviews import reviews_escalate
from payments.services.settlement import unsettled_sweep


@shared_task(name="payments.sweep_unsettled")
def sweep_unsettled() -> int:
    """Ask the gateways about payments that may be paid; returns how many."""
    return unsettled_sweep()


@shared_task(name="payments.carry_on_refund")
def carry_on_refund(refund_id: str) -> None:
    """Take a refund one step further at its gateway."""
    refund_carry_on(refund_id=UUID(refund_id))


@shared_task(name="payments.sweep_gateway_fees")
def sweep_gateway_fees() -> int:
    """Ask for fees that the gateways had not named when the payment settled; returns how many."""
    return gateway_fees_sweep()


@shared_task(name="payments.sweep_refunds")
def sweep_refunds() -> int:
    """Carry on with refunds that are under way; returns how many."""
    return refunds_sweep()


@shared_task(name="payments.sweep_disputes")
def sweep_disputes() -> int:
    """Ask the gateways how the open disputes stand; returns how many."""
    return disputes_sweep()


@shared_task(name="payments.find_disputes")
def find_disputes() -> int:
    """Look in the gateways' lists for disputes that nobody told us of; returns how many there were."""
    return disputes_find()


@shared_task(name="payments.find_payouts")
def find_payouts() -> int:
    """Ask the gateways what they paid out to our bank lately; returns how many payouts they named."""
    return payouts_find()


@shared_task(name="payments.escalate_reviews")
def escalate_reviews() -> int:
    """Make overdue reviews urgent and tell who looks after them; returns how many."""
    return reviews_escalate()
