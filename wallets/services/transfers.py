"""Carrying a confirmed withdrawal out: claimed, sent, recorded, in three steps with nothing open between them.

    transfer_carry_on:  take it (commit) → tell or ask the gateway → record what it says (lock, look again, commit)

A withdrawal has one reference at its gateway for ever. What was sent once is asked about before it is sent again, and
its money stays held until the gateway says conclusively what happened: paid, failed, or that it has made no such
transfer. A worker that dies leaves a lease that runs out, and the sweeper goes on.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from learning247.kit.clock import now
from learning247.records.services.leases import retry_delay
from learning247.records.services.mail import mail_queue
from wallets.enums import PayoutMethod, WithdrawalReason, WithdrawalStatus
from wallets.errors import GatewayBalanceLow, PayoutGatewayUnavailable, PayoutRefused, PayoutsPaused
from wallets.locks import withdrawal_lock
from wallets.models import Withdrawal
from wallets.payouts import (
    PayoutGateway,
    TransferReport,
    TransferRequest,
    TransferStatus,
    payout_gateway_named,
)
from wallets.selectors import payouts_frozen
from wallets.services.circuits import circuit_answered, circuit_failed, circuit_open_until
from wallets.services.withdrawal_states import mail_context, withdrawal_move
from wallets.services.withdrawals import withdrawal_expire

logger = structlog.get_logger(__name__)

LEASE: Final = timedelta(minutes=2)
FIRST_DELAY: Final = timedelta(seconds=15)
# A transfer that the gateway does not know shows there by then, if it ever was.
SEND_AGAIN_AFTER: Final = timedelta(minutes=10)
ASK_PENDING_AFTER: Final = timedelta(minutes=5)
ASK_PARKED_AFTER: Final = timedelta(hours=1)
# Banks send back what they cannot credit within days (paystack.com/docs/transfers).
MAY_COME_BACK_FOR: Final = timedelta(days=7)
RETRY_LOW_BALANCE_AFTER: Final = timedelta(minutes=15)
RETRY_PAUSED_AFTER: Final = timedelta(minutes=5)


def transfer_carry_on(*, withdrawal_id: UUID) -> Withdrawal | None:
    """Take the withdrawal one step further at its gateway: send it, or ask what became of it.

    Not in a transaction. Safe any number of times, in parallel: one at a time has it, the others return None, as for
    one that is not processing. A gateway that does not answer changes nothing but the reason and when it is asked next.
    """
    withdrawal = _take(withdrawal_id)
    if withdrawal is None:
        return None
    log = logger.bind(withdrawal=withdrawal.reference, method=withdrawal.method)
    method = PayoutMethod(withdrawal.method)
    open_until = circuit_open_until(method)
    if open_until is not None:
        return _put_off(withdrawal, _waiting(withdrawal), max(open_until - now(), timedelta(0)))
    try:
        report = _told(payout_gateway_named(withdrawal.method), withdrawal)
    except PayoutGatewayUnavailable as error:
        circuit_failed(method)
        log.warning("transfer_outcome_unknown", reason=error.detail, attempts=withdrawal.attempts)
        return _put_off(withdrawal, _waiting(withdrawal), retry_delay(withdrawal.attempts, first=FIRST_DELAY))
    except PayoutsPaused:
        log.warning("transfer_paused", currency=withdrawal.currency)
        return _put_off(withdrawal, WithdrawalReason.PAYOUTS_PAUSED, RETRY_PAUSED_AFTER)
    except GatewayBalanceLow:
        circuit_answered(method)
        log.error("gateway_balance_low", currency=withdrawal.currency)
        return _refused(withdrawal, "", waits=True)
    except PayoutRefused as error:
        circuit_answered(method)
        return _refused(withdrawal, error.detail, waits=False)
    circuit_answered(method)
    return transfer_record(withdrawal_id=withdrawal_id, report=report)


def transfer_refresh(*, withdrawal_id: UUID) -> Withdrawal:
    """Ask the gateway how the transfer stands, also one that is paid: it may come back for days. For its events.

    Not in a transaction. Raises PayoutGatewayUnavailable.
    """
    withdrawal = Withdrawal.objects.get(pk=withdrawal_id)
    report = payout_gateway_named(withdrawal.method).fetch_transfer(
        reference=withdrawal.reference, gateway_transfer_id=withdrawal.gateway_transfer_id
    )
    return transfer_record(withdrawal_id=withdrawal_id, report=report)


@transaction.atomic(durable=True)
def transfer_record(*, withdrawal_id: UUID, report: TransferReport) -> Withdrawal:
    """Write down what the gateway says, whatever was written down before: again, late, or in any order."""
    withdrawal = withdrawal_lock(withdrawal_id)
    if report.status == TransferStatus.UNKNOWN_THERE:
        return _not_there(withdrawal)
    if withdrawal.status not in (WithdrawalStatus.PROCESSING, WithdrawalStatus.PAID):
        if report.status in (TransferStatus.PAID, TransferStatus.PENDING):
            logger.error("transfer_of_ended_withdrawal", withdrawal=withdrawal.reference, there=report.status.value)
        return withdrawal
    if (report.amount_minor, report.currency) != (withdrawal.net.minor, withdrawal.currency):
        logger.error(
            "transfer_differs", withdrawal=withdrawal.reference, there=f"{report.amount_minor} {report.currency}"
        )
        return _stays(withdrawal, WithdrawalReason.OUTCOME_UNKNOWN, ASK_PARKED_AFTER)
    withdrawal.gateway_transfer_id = report.gateway_transfer_id
    if withdrawal.status == WithdrawalStatus.PAID:
        if report.status in (TransferStatus.REVERSED, TransferStatus.FAILED):
            withdrawal_move(
                withdrawal, WithdrawalStatus.REVERSED, reason=WithdrawalReason.CAME_BACK, note=report.reason
            )
        return withdrawal
    if report.status == TransferStatus.PAID:
        withdrawal.gateway_fee_minor = report.fee_minor
        withdrawal_move(withdrawal, WithdrawalStatus.PAID, reason=WithdrawalReason.NONE)
    elif report.status in (TransferStatus.FAILED, TransferStatus.REVERSED):
        withdrawal_move(withdrawal, WithdrawalStatus.FAILED, reason=WithdrawalReason.REFUSED, note=report.reason)
    elif report.status == TransferStatus.NEEDS_CODE:
        _park(withdrawal)
    else:
        _stays(withdrawal, WithdrawalReason.AT_GATEWAY, ASK_PENDING_AFTER)
    return withdrawal


@transaction.atomic(durable=True)
def _take(withdrawal_id: UUID) -> Withdrawal | None:
    moment = now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=moment)
    taken = (
        Withdrawal.objects.filter(free, pk=withdrawal_id, status=WithdrawalStatus.PROCESSING)
        .exclude(method=PayoutMethod.BANK)
        .update(lease_until=moment + LEASE, attempts=F("attempts") + 1)
    )
    return Withdrawal.objects.select_related("account").get(pk=withdrawal_id) if taken else None


def _told(gateway: PayoutGateway, withdrawal: Withdrawal) -> TransferReport:
    """Ask first where it may have been sent; then send, having written down that it will have been."""
    if withdrawal.sent_at is not None:
        report = gateway.fetch_transfer(
            reference=withdrawal.reference, gateway_transfer_id=withdrawal.gateway_transfer_id
        )
        if report.status != TransferStatus.UNKNOWN_THERE:
            return report
    if payouts_frozen(withdrawal.currency):
        raise PayoutsPaused
    told_before = withdrawal.sent_at
    long_ago = told_before is not None and told_before + SEND_AGAIN_AFTER <= now()
    # Only while it is still ours: asking may have taken longer than the lease, and whoever has it now has perhaps sent
    # it.
    mine = Withdrawal.objects.filter(
        pk=withdrawal.pk,
        status=WithdrawalStatus.PROCESSING,
        lease_until=withdrawal.lease_until,
        attempts=withdrawal.attempts,
    )
    withdrawal.sent_at, withdrawal.refusals = now(), withdrawal.refusals + long_ago
    if not mine.update(sent_at=withdrawal.sent_at, refusals=withdrawal.refusals):
        raise PayoutGatewayUnavailable("Another worker has it by now.")
    try:
        return gateway.create_transfer(
            TransferRequest(
                reference=withdrawal.reference,
                idempotency_key=f"{withdrawal.reference}.{withdrawal.refusals}",
                amount_minor=withdrawal.net.minor,
                currency=withdrawal.currency,
                destination=withdrawal.account.gateway_account_id,
                reason=f"Withdrawal {withdrawal.reference}",
            )
        )
    except PayoutRefused:
        # To a first try it means that nothing happened. An earlier one, whose answer nobody saw, may still be under
        # way.
        if told_before is not None and not long_ago:
            raise PayoutGatewayUnavailable("Refused, but an earlier try may still show.") from None
        raise


def _waiting(withdrawal: Withdrawal) -> WithdrawalReason:
    """Why one waits whose gateway does not answer: what was sent may have arrived."""
    return WithdrawalReason.OUTCOME_UNKNOWN if withdrawal.sent_at else WithdrawalReason.GATEWAY_PAUSED


@transaction.atomic(durable=True)
def _put_off(taken: Withdrawal, reason: WithdrawalReason, delay: timedelta) -> Withdrawal:
    withdrawal = withdrawal_lock(taken.pk)
    if withdrawal.attempts != taken.attempts or withdrawal.status != WithdrawalStatus.PROCESSING:
        return withdrawal  # the lease ran out, and is somebody else's; or an event was quicker
    return _stays(withdrawal, reason, delay)


@transaction.atomic(durable=True)
def _refused(taken: Withdrawal, why: str, *, waits: bool) -> Withdrawal:
    """A conclusive no. Where our funds there are too low it is sent again later, else the money goes back."""
    withdrawal = withdrawal_lock(taken.pk)
    if withdrawal.attempts != taken.attempts or withdrawal.status != WithdrawalStatus.PROCESSING:
        return withdrawal
    withdrawal.refusals += 1
    if not waits:
        withdrawal_move(withdrawal, WithdrawalStatus.FAILED, reason=WithdrawalReason.REFUSED, note=why)
        return withdrawal
    return _stays(withdrawal, WithdrawalReason.GATEWAY_BALANCE_LOW, RETRY_LOW_BALANCE_AFTER)


def _not_there(withdrawal: Withdrawal) -> Withdrawal:
    """The gateway has made none of this reference: said by an event's sake, so the worker's own asking decides."""
    if withdrawal.status == WithdrawalStatus.PROCESSING and withdrawal.lease_until is None:
        return _stays(withdrawal, WithdrawalReason(withdrawal.reason), FIRST_DELAY)
    return withdrawal


def _park(withdrawal: Withdrawal) -> None:
    """Paystack wants a code that it sent to whoever owns the account there."""
    mail_queue(
        key=f"withdrawal:{withdrawal.pk}:gateway-code",
        to=settings.FINANCE_EMAIL,
        template="withdrawal_needs_code",
        context={**mail_context(withdrawal), "transfer": withdrawal.gateway_transfer_id},
    )
    _stays(withdrawal, WithdrawalReason.GATEWAY_CODE, ASK_PARKED_AFTER)


def _stays(withdrawal: Withdrawal, reason: WithdrawalReason, delay: timedelta) -> Withdrawal:
    withdrawal.reason, withdrawal.lease_until, withdrawal.due_at = reason, None, now() + delay
    withdrawal.save(update_fields=["reason", "lease_until", "due_at", "gateway_transfer_id", "sent_at", "refusals"])
    return withdrawal


def withdrawals_sweep(*, limit: int = 100) -> int:
    """Go on with what is due, the longest waiting first: transfers to send or to ask about, withdrawals whose code
    never came. How many."""
    moment = now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=moment)
    due = Withdrawal.objects.filter(
        free, status__in=(WithdrawalStatus.OTP_REQUIRED, WithdrawalStatus.PROCESSING), due_at__lte=moment
    )
    found = list(due.order_by("due_at").values_list("pk", "status")[:limit])
    for withdrawal_id, status in found:
        if status == WithdrawalStatus.OTP_REQUIRED:
            withdrawal_expire(withdrawal_id=withdrawal_id, reason=WithdrawalReason.CODE_NOT_ENTERED)
        else:
            transfer_carry_on(withdrawal_id=withdrawal_id)
    return len(found)


def paid_withdrawals_recheck() -> int:
    """Ask about what was paid lately, in case it came back and its event was lost; how many were asked about. One that
    the gateway does not answer for waits for the next run."""
    recent = Withdrawal.objects.filter(status=WithdrawalStatus.PAID, paid_at__gte=now() - MAY_COME_BACK_FOR)
    ids = list(recent.exclude(method=PayoutMethod.BANK).order_by("paid_at").values_list("pk", flat=True))
    asked = 0
    for withdrawal_id in ids:
        try:
            transfer_refresh(withdrawal_id=withdrawal_id)
        except (PayoutGatewayUnavailable, PayoutRefused) as error:
            logger.warning("paid_withdrawal_not_rechecked", withdrawal=str(withdrawal_id), reason=error.detail)
            continue
        asked += 1
    return asked
