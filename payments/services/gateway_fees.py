"""What the gateways keep of each payment: booked as they report it, never computed from a tariff.

Most fees are known when a payment settles; the others are asked for until the gateway names them. A fee in another
currency than what was captured is shown with the payment and not booked: nobody but the gateway knows its rate.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction

from learning247.kit.clock import now
from learning247.kit.money import EXPONENTS
from payments.errors import GatewayUnavailable
from payments.gateways import GatewayPayment, gateway_named
from payments.locks import payment_lock
from payments.models import Payment
from wallets.enums import GATEWAY_ACCOUNT_KINDS, AccountKind, EntryKind
from wallets.services.accounts import platform_account
from wallets.services.journal import Posting, entry_post

logger = structlog.get_logger(__name__)

# Stripe names a fee once the charge has a balance transaction, for some ways to pay days later.
ASK_FIRST_AFTER = timedelta(minutes=10)
ASK_AT_LEAST_EVERY = timedelta(days=1)


def gateway_fee_record(*, payment: Payment, reported: GatewayPayment, moment: datetime) -> None:
    """Keep the fee of a captured payment and book it, in the caller's transaction and under the payment's lock.

    The caller saves the payment. A fee that the gateway has not named yet becomes due to be asked for again.
    """
    if reported.gateway_fee_minor is None:
        payment.fee_due_at = moment + _spacing(payment, moment)
        return
    payment.gateway_fee_minor = reported.gateway_fee_minor
    payment.gateway_fee_currency = reported.gateway_fee_currency
    payment.fee_due_at = None
    cost = payment.gateway_cost_minor
    if not cost or not payment.captured_minor or payment.captured_currency not in EXPONENTS:
        return
    payment.fee_entry_id = entry_post(
        key=f"payment:{payment.pk}:gateway_fee",
        kind=EntryKind.GATEWAY_FEE,
        currency=payment.captured_currency,
        postings=[
            Posting(platform_account(AccountKind.GATEWAY_COSTS), -cost),
            Posting(platform_account(GATEWAY_ACCOUNT_KINDS[payment.gateway]), cost),
        ],
        source_kind="payment",
        source_id=str(payment.pk),
        reference=payment.reference,
        description=f"Fee of {payment.get_gateway_display()}",
    )


def gateway_fees_sweep(*, limit: int = 100) -> int:
    """Ask for the fees that are due, the longest waiting first; how many were asked for.

    A gateway that is away is left alone for the rest of the run.
    """
    asked, away = 0, set()
    due = Payment.objects.filter(fee_due_at__lte=now()).order_by("fee_due_at")
    for payment_id, gateway in list(due.values_list("pk", "gateway")[:limit]):
        if gateway in away:
            continue
        asked += 1
        try:
            gateway_fee_ask(payment_id=payment_id)
        except GatewayUnavailable:
            away.add(gateway)
            logger.warning("gateway_unavailable", gateway=gateway)
    return asked


def gateway_fee_ask(*, payment_id: UUID) -> None:
    """Ask the gateway what it kept of a payment. Safe any number of times. Raises GatewayUnavailable."""
    payment = Payment.objects.get(pk=payment_id)
    reported = gateway_named(payment.gateway).fetch(
        reference=payment.reference, gateway_reference=payment.gateway_reference
    )
    _record(payment_id, reported)


@transaction.atomic(durable=True)
def _record(payment_id: UUID, reported: GatewayPayment) -> None:
    payment, moment = payment_lock(payment_id), now()
    if payment.fee_due_at is None:
        return  # another run was here first
    gateway_fee_record(payment=payment, reported=reported, moment=moment)
    payment.save(update_fields=["gateway_fee_minor", "gateway_fee_currency", "fee_entry", "fee_due_at"])


def _spacing(payment: Payment, moment: datetime) -> timedelta:
    """As long again as it has been since the payment began: minutes at first, days at last."""
    return min(max(moment - payment.created_at, ASK_FIRST_AFTER), ASK_AT_LEAST_EVERY)
