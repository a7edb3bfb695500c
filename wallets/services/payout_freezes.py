"""Pausing payouts of a currency whose books do not prove, loudly; and letting them go on, by two people.

Sales go on, and so does what is under way at a gateway: it is asked about, and its outcome is booked. Nothing else is
confirmed or sent in that currency (`wallets.selectors.payouts_frozen`).
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from accounts.models import User
from learning247.kit.clock import now
from learning247.kit.money import CURRENCIES
from learning247.records.reasons import required_reason
from learning247.records.services.audit import audit_record
from learning247.records.services.mail import mail_queue
from learning247.records.services.prove import CheckResult, checks_run
from wallets.errors import SecondPersonRequired
from wallets.locks import payout_freeze_lock
from wallets.models import PayoutFreeze
from wallets.selectors import frozen_currencies

logger = structlog.get_logger(__name__)

# What the ledger proves of itself and of withdrawals. Where one of these fails, a balance may be wrong.
FREEZING: Final = frozenset({"I1", "I2", "I3", "I4", "I5", "I6", "I12", "I13"})
_BREACH = 500


def books_check() -> list[PayoutFreeze]:
    """Run the invariants in FREEZING and pause what they speak against; the new freezes. For the schedule: safe to run
    twice, and beside itself."""
    return payouts_freeze(results=list(checks_run(only=FREEZING)))


def payouts_freeze(*, results: Iterable[CheckResult]) -> list[PayoutFreeze]:
    """Pause the currencies of every breach; all of them where a breach is of no currency, such as a guard that is gone.

    What is paused already stays as it is, quietly. A check that could not be run proves nothing and pauses nothing: it
    is logged by whoever ran it. Logs an error and mails OPERATORS_EMAIL once per freeze.
    """
    found: dict[str, CheckResult] = {}
    for result in results:
        if result.breaches:
            for currency in CURRENCIES if result.unplaced else result.currencies:
                found.setdefault(currency, result)
    return [made for currency in sorted(found) if (made := _freeze(currency, found[currency])) is not None]


@transaction.atomic(durable=True)
def _freeze(currency: str, result: CheckResult) -> PayoutFreeze | None:
    if currency in frozen_currencies():
        return None
    freeze = PayoutFreeze(currency=currency, check_code=result.code, breach=result.named[0][:_BREACH])
    PayoutFreeze.objects.bulk_create([freeze], ignore_conflicts=True)
    if not PayoutFreeze.objects.filter(pk=freeze.pk).exists():
        return None  # another process was quicker
    audit_record(
        actor=None,
        action="payouts.frozen",
        subject_kind="payout_freeze",
        subject_id=freeze.pk,
        reason=f"{result.code}: {result.title}",
        before={"frozen": False},
        after={"frozen": True, "currency": currency, "breaches": result.breaches},
    )
    mail_queue(
        key=f"payout_freeze:{freeze.pk}",
        to=settings.OPERATORS_EMAIL,
        template="payouts_frozen",
        context={"freeze": freeze, "title": result.title, "breaches": result.breaches},
    )
    logger.error("payouts_frozen", currency=currency, check=result.code, breaches=result.breaches)
    return freeze


@transaction.atomic(durable=True)
def payouts_unfreeze(*, freeze_id: UUID, actor: User, reason: str) -> PayoutFreeze:
    """Agree that payouts of its currency go on: the first person leaves it frozen, a second, different one lifts it.
    Both on record. Who agreed first and is disabled since no longer counts: the next one is the first. One that was
    lifted stays so, quietly. Raises ReasonRequired, SecondPersonRequired."""
    reason = required_reason(reason)
    freeze = payout_freeze_lock(freeze_id)
    if freeze.lifted_at is not None:
        return freeze
    if freeze.first_by_id == actor.pk:
        raise SecondPersonRequired
    if freeze.first_by is None or not freeze.first_by.is_active:
        before: dict[str, object] = {"first_by": freeze.first_by_id}
        freeze.first_by = actor
        freeze.save(update_fields=["first_by"])
        _record(freeze, actor, "payouts.unfreeze_agreed", reason, before=before)
        return freeze
    freeze.lifted_by, freeze.lifted_at = actor, now()
    freeze.save(update_fields=["lifted_by", "lifted_at"])
    _record(freeze, actor, "payouts.unfrozen", reason, before={"frozen": True})
    logger.warning("payouts_unfrozen", currency=freeze.currency)
    return freeze


def _record(freeze: PayoutFreeze, actor: User, action: str, reason: str, *, before: dict[str, object]) -> None:
    audit_record(
        actor=actor,
        action=action,
        subject_kind="payout_freeze",
        subject_id=freeze.pk,
        reason=reason,
        before=before,
        after={"frozen": freeze.lifted_at is None, "currency": freeze.currency, "first_by": freeze.first_by_id},
    )
