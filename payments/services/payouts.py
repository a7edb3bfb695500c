"""What the gateways pay out to our own bank, and take in from there: booked as they report it, not as a date came.

Stripe tells by event, Paystack only when asked; both are asked every hour for what they made lately, so that no lost
event is missed and a payout that comes back is seen. What creators withdraw is the business of wallets, not of this.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Sum

from learning247.kit.clock import now
from learning247.kit.money import EXPONENTS
from payments.enums import GatewayName, PayoutRowKind, PayoutStatus
from payments.errors import GatewayUnavailable, PayoutUnreadable
from payments.gateways import GatewayPayout, GatewayPayoutRow, gateway_named
from payments.locks import payout_lock
from payments.models import Payout, PayoutRow
from wallets.enums import GATEWAY_ACCOUNT_KINDS, AccountKind, EntryKind
from wallets.services.accounts import platform_account
from wallets.services.journal import Posting, entry_post, entry_restore

logger = structlog.get_logger(__name__)

# A payout arrives within days and may still come back some days after that (docs.stripe.com/payouts).
LOOK_BACK: Final = timedelta(days=21)
_CAME_BACK: Final = (PayoutStatus.FAILED, PayoutStatus.CANCELED)


def payout_refresh(*, gateway: GatewayName, gateway_payout_id: str) -> Payout:
    """Ask the gateway how a payout of ours stands and record it. Not in a transaction; safe at any time, in parallel.

    Raises PayoutNotFound, PayoutUnreadable, GatewayUnavailable (nothing changed).
    """
    asked_at = now()
    return _take_over(gateway, gateway_named(gateway).fetch_payout(gateway_payout_id), asked_at)


def payouts_find() -> int:
    """Read the gateways' own lists of late; how many payouts they named."""
    found = 0
    for gateway in GatewayName:
        try:
            found += _find_at(gateway)
        except GatewayUnavailable as error:
            logger.warning("payouts_not_listed", gateway=gateway.value, reason=error.detail)
    return found


def _find_at(gateway: GatewayName) -> int:
    asked_at, found = now(), 0
    for listed in gateway_named(gateway).list_payouts(since=asked_at - LOOK_BACK):
        try:
            _take_over(gateway, listed, asked_at)
        except PayoutUnreadable:
            logger.error("payout_unreadable", gateway=gateway.value, payout=listed.gateway_payout_id)
            continue
        found += 1
    return found


def _take_over(gateway: GatewayName, reported: GatewayPayout, asked_at: datetime) -> Payout:
    if reported.currency not in EXPONENTS:
        raise PayoutUnreadable
    payout = _record(gateway, reported, asked_at)
    if payout.status == PayoutStatus.PAID and reported.rows_ready and not _rows_complete(payout):
        payout = _rows_record(payout.pk, list(gateway_named(gateway).list_payout_rows(reported)))
    return payout


@transaction.atomic(durable=True)
def _record(gateway: GatewayName, reported: GatewayPayout, asked_at: datetime) -> Payout:
    """The payout as reported, unless the gateway was asked again since."""
    Payout.objects.bulk_create(
        [
            Payout(
                gateway=gateway,
                gateway_payout_id=reported.gateway_payout_id,
                currency=reported.currency,
                amount_minor=reported.amount_minor,
                initiated_at=reported.initiated_at,
                checked_at=asked_at,
            )
        ],
        ignore_conflicts=True,
    )
    known = Payout.objects.only("pk").get(gateway=gateway, gateway_payout_id=reported.gateway_payout_id)
    payout = payout_lock(known.pk)
    if payout.checked_at > asked_at:
        return payout
    payout.checked_at = asked_at
    if payout.entry_id is not None and _contradicts(payout, reported):
        logger.error("payout_contradicts_books", payout=str(payout), status=reported.status.value)
    else:
        _book(payout, reported)
    payout.save()
    return payout


def _contradicts(payout: Payout, reported: GatewayPayout) -> bool:
    """What was booked has another amount now, or what came back is on its way again: for people."""
    changed = (payout.amount_minor, payout.currency) != (reported.amount_minor, reported.currency)
    status = PayoutStatus(reported.status)
    return (
        changed
        or status == PayoutStatus.PENDING
        or (payout.returning_entry_id is not None and status not in _CAME_BACK)
    )


def _book(payout: Payout, reported: GatewayPayout) -> None:
    payout.status = PayoutStatus(reported.status)
    if payout.status not in _CAME_BACK:
        payout.closed_at = None
    elif payout.closed_at is None:
        payout.closed_at = now()
    payout.amount_minor, payout.currency = reported.amount_minor, reported.currency
    payout.arrives_at, payout.failure_reason = reported.arrives_at, reported.reason[:200]
    if payout.status == PayoutStatus.PAID and payout.entry_id is None and payout.amount_minor:
        payout.entry_id = entry_post(
            key=f"payout:{payout.pk}",
            kind=EntryKind.GATEWAY_PAYOUT if payout.amount_minor > 0 else EntryKind.GATEWAY_TOP_UP,
            currency=payout.currency,
            postings=[
                Posting(platform_account(AccountKind.BANK), -payout.amount_minor),
                Posting(platform_account(GATEWAY_ACCOUNT_KINDS[payout.gateway]), payout.amount_minor),
            ],
            source_kind="payout",
            source_id=str(payout.pk),
            reference=payout.gateway_payout_id[:64],
            description=f"{payout.get_gateway_display()} and our bank",
        )
    elif payout.status in _CAME_BACK and payout.entry_id is not None and payout.returning_entry_id is None:
        payout.returning_entry_id = entry_restore(
            entry_id=payout.entry_id,
            key=f"payout:{payout.pk}:returned",
            kind=EntryKind.GATEWAY_PAYOUT_RETURNED,
            description=f"Came back: {payout.failure_reason or payout.get_status_display()}"[:200],
        )
        logger.error("payout_came_back", payout=str(payout), reason=payout.failure_reason)


def _rows_complete(payout: Payout) -> bool:
    if payout.rows_read_at is None:
        return False
    total: int = payout.rows.aggregate(total=Sum("net_minor", default=0))["total"]
    return total == payout.amount_minor


@transaction.atomic(durable=True)
def _rows_record(payout_id: UUID, rows: Sequence[GatewayPayoutRow]) -> Payout:
    """What it consists of, as the gateway lists it now; read again until it sums to the payout."""
    payout = payout_lock(payout_id)
    if _rows_complete(payout):
        return payout  # another run was here first
    payout.rows.all().delete()
    PayoutRow.objects.bulk_create(
        [
            PayoutRow(
                payout=payout,
                kind=PayoutRowKind(row.kind),
                key=row.key[:255],
                amount_minor=row.amount_minor,
                fee_minor=row.fee_minor,
            )
            for row in rows
        ],
        batch_size=1_000,
    )
    payout.rows_read_at = now()
    payout.save(update_fields=["rows_read_at"])
    if not _rows_complete(payout):
        logger.error("payout_rows_do_not_sum", payout=str(payout))
    return payout
