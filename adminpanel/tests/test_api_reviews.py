"""/api/admin/reviews: payments and withdrawals in one queue, each for those who may decide over its kind."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from accounts.tests.builders import build_admin, build_user, sign_in
from courses.tests.builders import build_course
from learning247.kit.clock import now
from payments.tests.builders import build_review
from wallets.enums import WithdrawalStatus
from wallets.models import Withdrawal, WithdrawalReview
from wallets.tests.withdrawing import Creator, build_account, error_of

pytestmark = pytest.mark.django_db


def in_review(ada):
    """A case about NGN 5,000.00 to an account that somebody else withdraws to as well."""
    other = Creator()
    for creator in (other, ada):
        withdrawal = creator.confirmed("5000.00", build_account(creator.user, number="5555555555").pk)
    return WithdrawalReview.objects.get(withdrawal=withdrawal)


def test_one_queue_over_the_api_holds_payments_and_withdrawals_the_oldest_due_first():
    withdrawal = in_review(Creator())
    payment = build_review(build_course().product, buyer=Creator().user)
    WithdrawalReview.objects.update(due_at=now() - timedelta(hours=1))
    client = APIClient()
    sign_in(client, build_admin())

    listed = client.get("/api/admin/reviews").json()

    assert [(row["kind"], row["id"]) for row in listed["results"]] == [
        ("withdrawal", str(withdrawal.pk)),
        ("payment", str(payment.pk)),
    ]
    assert listed["count"] == 2
    first, second = listed["results"]
    assert (first["payment"], second["withdrawal"]) == (None, None)
    assert (first["withdrawal"]["amount"], first["withdrawal"]["to"]) == ("5000.00", "Guaranty Trust Bank ••••5555")
    approved = client.post(f"/api/admin/reviews/{withdrawal.pk}/approve", {"reason": "Her sister"}, format="json")
    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    assert Withdrawal.objects.get(pk=withdrawal.withdrawal_id).status == WithdrawalStatus.PROCESSING
    rejected = client.post(f"/api/admin/reviews/{withdrawal.pk}/reject", {"reason": "No"}, format="json")
    assert error_of(rejected) == (409, "already_decided")


def test_who_may_decide_over_one_kind_sees_that_kind_alone():
    withdrawal, payment = in_review(Creator()), build_review(build_course().product, buyer=build_user())
    staff, client = build_user(is_staff=True, verified=True), APIClient()
    staff.user_permissions.add(*Permission.objects.filter(codename__in=("view_paymentreview", "change_paymentreview")))
    sign_in(client, staff)

    listed = client.get("/api/admin/reviews").json()

    assert [row["id"] for row in listed["results"]] == [str(payment.pk)]
    assert error_of(client.get(f"/api/admin/reviews/{withdrawal.pk}")) == (404, "review_not_found")
    approved = client.post(f"/api/admin/reviews/{withdrawal.pk}/approve", {"reason": "Yes"}, format="json")
    assert error_of(approved) == (404, "review_not_found")
    assert Withdrawal.objects.get(pk=withdrawal.withdrawal_id).status == WithdrawalStatus.IN_REVIEW
