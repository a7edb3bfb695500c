"""Limits by tier, single, daily and monthly, in the configured time zone; overrides and suspension by staff."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from accounts.tests.builders import build_admin
from learning247.records.errors import ReasonRequired
from learning247.records.models import AuditEntry
from wallets.enums import PayoutTier, WithdrawalReason, WithdrawalStatus
from wallets.errors import OwnWithdrawal
from wallets.locks import withdrawal_lock
from wallets.models import Withdrawal
from wallets.services import payout_limits
from wallets.services.payout_limits import (
    payout_limit_set,
    payout_profile_set,
    payouts_resume,
    payouts_suspend,
    period_starts,
)
from wallets.services.withdrawal_states import withdrawal_move
from wallets.tests.withdrawing import Creator, build_account, error_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return Creator(available_minor=100_000_000_000)


@pytest.fixture
def account(ada):
    return build_account(ada.user)


def refused(answer):
    """(which limit, limit, used, left)."""
    assert error_of(answer) == (422, "withdrawal_limit_exceeded"), answer.text
    extra = answer.json()["extra"]
    return extra["period"], extra["limit"], extra["used"], extra["left"]


@pytest.mark.parametrize(
    ("tier", "most", "beyond"),
    [
        (None, "1000000.00", "1000000.01"),
        (PayoutTier.VIP, "5000000.00", "5000000.01"),
        (PayoutTier.BUSINESS, "25000000.00", "25000000.01"),
    ],
)
def test_the_single_limit_is_the_tiers(ada, account, tier, most, beyond):
    if tier:
        payout_profile_set(owner=ada.user, actor=build_admin(), tier=tier, reason="Known for years")

    assert ada.withdraw(most, account.pk).status_code == 202
    assert refused(ada.withdraw(beyond, account.pk)) == ("single", most, "0.00", most)


def test_the_daily_limit_counts_what_was_confirmed_and_not_what_waits_or_came_to_nothing(ada, account):
    ada.begun("1000000.00", account.pk)
    ada.confirmed("1000000.00", account.pk)
    failed = ada.confirmed("900000.00", account.pk)
    assert refused(ada.withdraw("100000.01", account.pk)) == ("daily", "2000000.00", "1900000.00", "100000.00")

    with transaction.atomic():
        withdrawal_move(withdrawal_lock(failed.pk), WithdrawalStatus.FAILED, reason=WithdrawalReason.REFUSED)

    assert ada.withdraw("1000000.00", account.pk).status_code == 202


def test_the_limit_is_looked_at_again_when_it_is_confirmed(ada, account):
    waiting = [ada.begun("1000000.00", account.pk) for _ in range(3)]

    answers = [ada.confirm(withdrawal_id) for withdrawal_id in waiting]

    assert [answer.status_code for answer in answers] == [200, 200, 422]
    assert refused(answers[2]) == ("daily", "2000000.00", "2000000.00", "0.00")
    assert ada.has(available=100_000_000_000 - 200_000_000, held=200_000_000)


def test_the_monthly_limit_is_the_same_for_every_tier(ada, account):
    payout_profile_set(owner=ada.user, actor=build_admin(), tier=PayoutTier.BUSINESS, reason="Known for years")
    earlier = ada.confirmed("1000000.00", account.pk)
    _, month = period_starts(datetime.now(tz=UTC))
    Withdrawal.objects.filter(pk=earlier.pk).update(amount_minor=4_990_000_000, confirmed_at=month)

    status = error_of(ada.withdraw("100000.01", account.pk))[1]

    assert status == "withdrawal_limit_exceeded"


@pytest.mark.parametrize(
    ("zone", "at", "day", "month"),
    [
        ("Africa/Lagos", "2026-03-01T00:30:00+01:00", "2026-03-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00"),
        ("Africa/Lagos", "2026-02-28T23:30:00+00:00", "2026-03-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00"),
        ("UTC", "2026-02-28T23:59:59+00:00", "2026-02-28T00:00:00+00:00", "2026-02-01T00:00:00+00:00"),
        ("Europe/Berlin", "2026-03-29T12:00:00+02:00", "2026-03-29T00:00:00+01:00", "2026-03-01T00:00:00+01:00"),
        ("Europe/Berlin", "2026-10-25T23:30:00+01:00", "2026-10-25T00:00:00+02:00", "2026-10-01T00:00:00+02:00"),
    ],
)
def test_days_and_months_begin_where_the_platform_is_also_when_clocks_change(settings, zone, at, day, month):
    settings.WITHDRAWAL_TIME_ZONE = zone

    began = period_starts(datetime.fromisoformat(at))

    assert [one.isoformat() for one in began] == [day, month]


@pytest.mark.parametrize(
    ("at", "hours"),
    [("2026-03-29T12:00:00+02:00", 23), ("2026-10-25T12:00:00+01:00", 25), ("2026-06-01T12:00:00Z", 24)],
)
def test_a_day_on_which_clocks_change_is_as_long_as_it_is(settings, at, hours):
    settings.WITHDRAWAL_TIME_ZONE = "Europe/Berlin"
    day, _ = period_starts(datetime.fromisoformat(at))

    assert payout_limits._next_day(day).astimezone(UTC) - day.astimezone(UTC) == timedelta(hours=hours)


def test_what_staff_allow_one_person_goes_before_the_tier_and_is_on_record(ada, account):
    staff = build_admin()

    payout_limit_set(
        owner=ada.user,
        actor=staff,
        currency="NGN",
        single=500_000,
        daily=None,
        monthly=None,
        reason="Asked to be careful",
    )

    assert refused(ada.withdraw("5000.01", account.pk)) == ("single", "5000.00", "0.00", "5000.00")
    assert ada.withdraw("5000.00", account.pk).status_code == 202
    assert AuditEntry.objects.get(action="payout_limit.set").reason == "Asked to be careful"


def test_a_currency_without_limits_goes_to_people_until_one_person_has_some():
    ada = Creator(currency="GHS")
    account = build_account(ada.user, "GHS")
    first = ada.confirmed("50.00", account.pk)
    assert first.status == WithdrawalStatus.IN_REVIEW
    assert ada.shown(first.pk)["detail"].startswith("Our team looks at it")

    staff = build_admin()
    limits = {"single": 10_000, "daily": 10_000, "monthly": 10_000}
    payout_limit_set(owner=ada.user, actor=staff, currency="GHS", **limits, reason="Known for years")

    assert ada.confirmed("50.00", account.pk).status == WithdrawalStatus.PROCESSING
    assert refused(ada.withdraw("1.00", account.pk)) == ("daily", "100.00", "100.00", "0.00")


def test_who_is_suspended_begins_nothing_confirms_nothing_and_may_again_afterwards(ada, account):
    waiting, staff = ada.begun("5000.00", account.pk), build_admin()
    payouts_suspend(owner=ada.user, actor=staff, reason="The mailbox was taken over")

    assert error_of(ada.withdraw("5000.00", account.pk)) == (403, "withdrawals_suspended")
    assert error_of(ada.confirm(waiting)) == (403, "withdrawals_suspended")
    assert ada.has(available=100_000_000_000)

    payouts_resume(owner=ada.user, actor=staff, reason="The owner is back")
    assert ada.confirm(waiting).status_code == 200
    actions = AuditEntry.objects.filter(subject_kind="payout_profile").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["payout_profile.suspended", "payout_profile.resumed"]


def test_nobody_sets_their_own_limits_and_nobody_without_a_reason(ada):
    staff = build_admin()
    with pytest.raises(OwnWithdrawal):
        payout_profile_set(owner=staff, actor=staff, tier=PayoutTier.VIP, reason="Me")
    with pytest.raises(ReasonRequired):
        payouts_suspend(owner=ada.user, actor=staff, reason=" ")
    assert not AuditEntry.objects.filter(subject_kind="payout_profile").exists()


def test_an_operator_at_the_machine_sets_them_by_a_command(ada, account, capsys):
    call_command("payout_limits", ada.user.email, "--tier", "vip", "--reason", "Known for years")
    call_command("payout_limits", ada.user.email, "--currency", "NGN", "--single", "2000.00", "--reason", "Asked")

    assert refused(ada.withdraw("2000.01", account.pk)) == ("single", "2000.00", "0.00", "2000.00")
    assert AuditEntry.objects.filter(action__in=("payout_profile.tier", "payout_limit.set"), actor_id=None).count() == 2
    with pytest.raises(CommandError, match="There is no account"):
        call_command("payout_limits", "nobody@example.com", "--suspend", "--reason", "x")
    call_command("payout_limits", ada.user.email, "--suspend", "--reason", "Asked")
    assert error_of(ada.withdraw("2000.00", account.pk)) == (403, "withdrawals_suspended")
