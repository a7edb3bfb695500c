"""Withdrawals that people decide over: why they wait, who may decide, two people for large ones."""

from datetime import timedelta

import pytest

from accounts.models import User
from accounts.tests.builders import build_admin
from learning247.kit.clock import now
from learning247.records.models import AuditEntry, OutboundMail
from wallets.enums import PayoutTier, WithdrawalStatus
from wallets.errors import OwnWithdrawal, SecondPersonNeeded, WithdrawalDecided, WithdrawalsSuspended
from wallets.models import WithdrawalReview
from wallets.services.payout_limits import payout_profile_set, payouts_suspend
from wallets.services.withdrawal_reviews import (
    withdrawal_approve,
    withdrawal_reject,
    withdrawal_review_edit,
    withdrawal_reviews_escalate,
)
from wallets.tests.races import breaches
from wallets.tests.withdrawing import Creator, build_account

pytestmark = pytest.mark.django_db
CHECKS = ("I5", "I6", "I10", "I15")


@pytest.fixture
def ada():
    return Creator(available_minor=10_000_000_000)


@pytest.fixture(autouse=True)
def proved():
    yield
    assert breaches(*CHECKS) == []


def in_review(ada):
    """A case about NGN 5,000.00 to an account that somebody else withdraws to as well."""
    other = Creator()
    other.confirmed("5000.00", build_account(other.user, number="5555555555").pk)
    withdrawal = ada.confirmed("5000.00", build_account(ada.user, number="5555555555").pk)
    assert withdrawal.status == WithdrawalStatus.IN_REVIEW
    return WithdrawalReview.objects.get(withdrawal=withdrawal)


def large(ada):
    payout_profile_set(owner=ada.user, actor=build_admin(), tier=PayoutTier.BUSINESS, reason="Known for years")
    withdrawal = ada.confirmed("10000000.00", build_account(ada.user).pk)
    return WithdrawalReview.objects.get(withdrawal=withdrawal)


def status_of(review):
    review.withdrawal.refresh_from_db()
    return review.withdrawal.status


def test_a_risky_withdrawal_waits_with_its_money_held_and_says_why(ada):
    review = in_review(ada)

    shown = ada.shown(review.withdrawal_id)
    assert (shown["status"], shown["reason"]) == ("in_review", "review")
    assert ada.has(available=10_000_000_000 - 500_000, held=500_000)
    (mail,) = OutboundMail.objects.filter(key=f"withdrawal:{review.withdrawal_id}:in_review")
    assert mail.subject == "We look at your withdrawal of NGN 5,000.00"
    assert review.told == ["There was unusually much activity in a short time."]


def test_approved_it_goes_out_and_approving_again_changes_nothing(ada):
    review, staff = in_review(ada), build_admin()

    for _ in range(2):
        withdrawal_approve(review_id=review.pk, actor=staff, reason="Her sister")

    assert status_of(review) == WithdrawalStatus.PROCESSING
    assert ada.has(available=10_000_000_000 - 500_000, held=500_000)
    assert AuditEntry.objects.get(action="withdrawal_review.approved").reason == "Her sister"
    with pytest.raises(WithdrawalDecided):
        withdrawal_reject(review_id=review.pk, actor=staff, reason="No")


def test_rejected_the_money_is_back_and_its_owner_reads_why(ada):
    review, staff = in_review(ada), build_admin()

    for _ in range(2):
        withdrawal_reject(review_id=review.pk, actor=staff, reason="The account is somebody else's")

    shown = ada.shown(review.withdrawal_id)
    assert (shown["status"], shown["reason"]) == ("rejected", "rejected")
    assert ada.has(available=10_000_000_000)
    (mail,) = OutboundMail.objects.filter(key=f"withdrawal:{review.withdrawal_id}:rejected")
    assert "The account is somebody else's" in mail.text
    with pytest.raises(WithdrawalDecided):
        withdrawal_approve(review_id=review.pk, actor=staff)


def test_its_owner_may_cancel_it_meanwhile_and_then_nobody_decides(ada):
    review = in_review(ada)

    assert ada.cancel(review.withdrawal_id).json()["status"] == "cancelled"

    assert ada.has(available=10_000_000_000)
    with pytest.raises(WithdrawalDecided):
        withdrawal_approve(review_id=review.pk, actor=build_admin())


def test_a_large_one_needs_two_different_people(ada):
    review, first, second = large(ada), build_admin(), build_admin()
    assert (review.reason, review.approvals_needed) == ("large", 2)

    withdrawal_approve(review_id=review.pk, actor=first, reason="I called her")
    assert status_of(review) == WithdrawalStatus.IN_REVIEW
    with pytest.raises(SecondPersonNeeded):
        withdrawal_approve(review_id=review.pk, actor=first, reason="Again")
    assert status_of(review) == WithdrawalStatus.IN_REVIEW

    withdrawal_approve(review_id=review.pk, actor=second, reason="I called her, too")
    assert status_of(review) == WithdrawalStatus.PROCESSING


def test_the_approval_of_somebody_disabled_since_does_not_count(ada):
    review, first = large(ada), build_admin()
    withdrawal_approve(review_id=review.pk, actor=first, reason="I called her")
    User.objects.filter(pk=first.pk).update(is_active=False)

    withdrawal_approve(review_id=review.pk, actor=build_admin(), reason="I called her, too")
    assert status_of(review) == WithdrawalStatus.IN_REVIEW

    withdrawal_approve(review_id=review.pk, actor=build_admin(), reason="So did I")
    assert status_of(review) == WithdrawalStatus.PROCESSING


def test_one_person_is_enough_to_reject_a_large_one(ada):
    review = large(ada)
    withdrawal_approve(review_id=review.pk, actor=build_admin(), reason="I called her")

    withdrawal_reject(review_id=review.pk, actor=build_admin(), reason="She did not ask for it")

    assert status_of(review) == WithdrawalStatus.REJECTED


def test_nobody_decides_over_their_own_money():
    staff = build_admin(created_at=now() - timedelta(days=90))
    review = in_review(Creator(user=staff, available_minor=10_000_000_000))

    for decide in (withdrawal_approve, withdrawal_reject):
        with pytest.raises(OwnWithdrawal):
            decide(review_id=review.pk, actor=staff, reason="Mine")
    assert status_of(review) == WithdrawalStatus.IN_REVIEW


def test_of_who_is_suspended_nothing_is_approved(ada):
    review, staff = in_review(ada), build_admin()
    payouts_suspend(owner=ada.user, actor=staff, reason="The mailbox was taken over")

    with pytest.raises(WithdrawalsSuspended):
        withdrawal_approve(review_id=review.pk, actor=staff)
    assert status_of(review) == WithdrawalStatus.IN_REVIEW


def test_what_nobody_decides_in_time_becomes_urgent_and_is_told_once(ada, settings):
    settings.REVIEW_ESCALATION_EMAIL = "lead@learning247.example"
    review = in_review(ada)
    assert withdrawal_reviews_escalate() == 0
    WithdrawalReview.objects.update(due_at=now() - timedelta(seconds=1))

    assert [withdrawal_reviews_escalate(), withdrawal_reviews_escalate()] == [1, 0]

    review.refresh_from_db()
    assert review.priority == 40
    assert OutboundMail.objects.get(to="lead@learning247.example").key == f"withdrawal_review:{review.pk}:overdue"


def test_notes_and_whose_turn_it_is_are_kept_while_it_is_open(ada):
    review, staff = in_review(ada), build_admin()

    withdrawal_review_edit(review_id=review.pk, actor=staff, notes="Called", assigned_to=staff)
    withdrawal_approve(review_id=review.pk, actor=staff)

    review.refresh_from_db()
    assert (review.notes, review.assigned_to) == ("Called", staff)
    with pytest.raises(WithdrawalDecided):
        withdrawal_review_edit(review_id=review.pk, actor=staff, notes="Late")
