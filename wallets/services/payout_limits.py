"""How much a person may withdraw: once, in a day, in a month; by tier and currency, unless staff said otherwise.

What was confirmed counts, from the moment of its confirmation, unless it came to nothing. Days and months are those of
WITHDRAWAL_TIME_ZONE, so a day with a clock change has 23 or 25 hours. Under the wallet's lock nothing else is
confirmed in the same currency, so the sums hold; they are read from the withdrawals, in no counter that could be lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from accounts.models import User
from learning247.kit.clock import now
from learning247.kit.money import Money
from learning247.records.reasons import required_reason
from learning247.records.services.audit import audit_record
from wallets.enums import WITHDRAWAL_COUNTED, PayoutTier
from wallets.errors import OwnWithdrawal, WithdrawalLimitExceeded, WithdrawalsSuspended
from wallets.models import PayoutLimit, PayoutProfile, Withdrawal

SINGLE: Final = "single"
DAILY: Final = "daily"
MONTHLY: Final = "monthly"


@dataclass(frozen=True, slots=True)
class Limits:
    """In minor units of one currency."""

    single: int
    daily: int
    monthly: int


def limits_of(*, owner_id: UUID, currency: str) -> Limits | None:
    """None: there are none in this currency, and people look at each withdrawal."""
    standard = settings.WITHDRAWAL_LIMITS.get(currency)
    own = PayoutLimit.objects.filter(owner_id=owner_id, currency=currency).first()
    if standard is None:
        if own is None or None in (own.single_minor, own.daily_minor, own.monthly_minor):
            return None
        standard = (0, 0, 0)
    profile = PayoutProfile.objects.filter(pk=owner_id).first()
    times = settings.WITHDRAWAL_TIERS[profile.tier if profile else PayoutTier.STANDARD]
    single, daily, monthly = standard[0] * times, standard[1] * times, standard[2]
    if own is not None:
        single = single if own.single_minor is None else own.single_minor
        daily = daily if own.daily_minor is None else own.daily_minor
        monthly = monthly if own.monthly_minor is None else own.monthly_minor
    return Limits(single, daily, monthly)


def suspension_check(*, owner_id: UUID) -> None:
    """Raises WithdrawalsSuspended."""
    if PayoutProfile.objects.filter(pk=owner_id, suspended_at__isnull=False).exists():
        raise WithdrawalsSuspended


def limits_check(*, owner_id: UUID, amount: Money) -> None:
    """That so much more may be confirmed now. Raises WithdrawalLimitExceeded, which names limit, used and left."""
    limits = limits_of(owner_id=owner_id, currency=amount.currency)
    if limits is None:
        return
    day, month = period_starts(now())
    _refuse(SINGLE, limits.single, 0, amount, None)
    _refuse(DAILY, limits.daily, used_since(owner_id, amount.currency, day), amount, _next_day(day))
    _refuse(MONTHLY, limits.monthly, used_since(owner_id, amount.currency, month), amount, _next_month(month))


def used_since(owner_id: UUID, currency: str, since: datetime) -> int:
    """What was confirmed since then and has left, or may yet; minor units."""
    counted = Withdrawal.objects.filter(
        owner_id=owner_id, currency=currency, confirmed_at__gte=since, status__in=WITHDRAWAL_COUNTED
    )
    return int(counted.aggregate(total=Sum("amount_minor", default=0))["total"])


def period_starts(moment: datetime) -> tuple[datetime, datetime]:
    """When the day and the month of `moment` began, in WITHDRAWAL_TIME_ZONE."""
    local = moment.astimezone(ZoneInfo(settings.WITHDRAWAL_TIME_ZONE))
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return day, day.replace(day=1)


def _next_day(day: datetime) -> datetime:
    # Arithmetic within a time zone is by the wall clock, which is what is wanted here.
    return day + timedelta(days=1)


def _next_month(month: datetime) -> datetime:
    return (month + timedelta(days=32)).replace(day=1)


def _refuse(which: str, limit: int, used: int, amount: Money, until: datetime | None) -> None:
    if used + amount.minor <= limit:
        return
    most, gone, left = (Money(minor, amount.currency) for minor in (limit, used, max(limit - used, 0)))
    spent = f", of which {left.grouped} is left" if until is not None else ""
    raise WithdrawalLimitExceeded(
        f"Your {which} limit is {most.grouped}{spent}. Withdraw less, or write to support for a higher one.",
        extra={
            "period": which,
            "limit": most.amount,
            "used": gone.amount,
            "left": left.amount,
            "currency": amount.currency,
            "resets_at": until,
        },
    )


@transaction.atomic(durable=True)
def payout_profile_set(*, owner: User, actor: User | None, tier: PayoutTier, reason: str) -> PayoutProfile:
    """Another tier; on record. `actor` None is an operator at the machine, here and below. Raises ReasonRequired,
    OwnWithdrawal."""
    reason = required_reason(reason)
    profile = _profile_of(owner, actor)
    before, profile.tier = profile.tier, tier
    _save(profile, actor, "payout_profile.tier", reason, {"tier": before}, {"tier": tier})
    return profile


@transaction.atomic(durable=True)
def payouts_suspend(*, owner: User, actor: User | None, reason: str) -> PayoutProfile:
    """Nothing of theirs leaves any more: what waits for its code cannot be confirmed, what is on its way arrives. On
    record. Raises ReasonRequired, OwnWithdrawal."""
    reason = required_reason(reason)
    profile = _profile_of(owner, actor)
    before, profile.suspended_at, profile.suspended_reason = profile.suspended_at, now(), reason[:200]
    after = {"suspended_at": profile.suspended_at}
    _save(profile, actor, "payout_profile.suspended", reason, {"suspended_at": before}, after)
    return profile


@transaction.atomic(durable=True)
def payouts_resume(*, owner: User, actor: User | None, reason: str) -> PayoutProfile:
    """The opposite of `payouts_suspend`. Raises ReasonRequired, OwnWithdrawal."""
    reason = required_reason(reason)
    profile = _profile_of(owner, actor)
    before, profile.suspended_at, profile.suspended_reason = profile.suspended_at, None, ""
    _save(profile, actor, "payout_profile.resumed", reason, {"suspended_at": before}, {"suspended_at": None})
    return profile


@transaction.atomic(durable=True)
def payout_limit_set(
    *,
    owner: User,
    actor: User | None,
    currency: str,
    single: int | None,
    daily: int | None,
    monthly: int | None,
    reason: str,
) -> PayoutLimit:
    """What this person may withdraw in `currency`, minor units; None: what their tier says. On record. Raises
    ReasonRequired, OwnWithdrawal."""
    reason = required_reason(reason)
    _refuse_own(owner, actor)
    values = {"single_minor": single, "daily_minor": daily, "monthly_minor": monthly}
    mine = PayoutLimit.objects.filter(owner=owner, currency=currency)
    before = mine.values("single_minor", "daily_minor", "monthly_minor").first()
    limit, _ = PayoutLimit.objects.update_or_create(owner=owner, currency=currency, defaults=values)
    audit_record(
        actor=actor,
        action="payout_limit.set",
        subject_kind="payout_profile",
        subject_id=owner.pk,
        reason=reason,
        before=before or {},
        after={"currency": currency, **values},
    )
    return limit


def _profile_of(owner: User, actor: User | None) -> PayoutProfile:
    _refuse_own(owner, actor)
    PayoutProfile.objects.bulk_create([PayoutProfile(owner=owner)], ignore_conflicts=True)
    return PayoutProfile.objects.select_for_update(no_key=True).get(pk=owner.pk)


def _refuse_own(owner: User, actor: User | None) -> None:
    if actor is not None and owner.pk == actor.pk:
        raise OwnWithdrawal


def _save(
    profile: PayoutProfile,
    actor: User | None,
    action: str,
    reason: str,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    profile.changed_at = now()
    profile.save()
    audit_record(
        actor=actor,
        action=action,
        subject_kind="payout_profile",
        subject_id=profile.pk,
        reason=reason,
        before=before,
        after=after,
    )
