"""Decisions at the same moment: one of them holds, and what it moves is moved once."""

import pytest
from django.db import connection

from learning247.kit.errors import DomainError
from learning247.records.tests.races import at_once
from payments.models import Entitlement, Payment, PaymentReview, Refund
from payments.services import decisions
from payments.services.decisions import payment_approve, payment_reject
from payments.tests.buying import build_reviewer, buy_into_review
from wallets.models import JournalEntry

pytestmark = pytest.mark.race


def decide(review, reviewer, number):
    """Every second one approves, the others reject; what came of it."""
    try:
        if number % 2:
            return payment_approve(review_id=review.pk, actor=reviewer).status
        return payment_reject(review_id=review.pk, actor=reviewer, reason="Stolen card.").status
    except DomainError as error:
        return error.code
    finally:
        connection.close()


def test_of_32_who_approve_and_reject_at_once_one_decision_holds(gateways):
    review, reviewer = buy_into_review(gateways), build_reviewer()

    outcomes = at_once(32, lambda number: decide(review, reviewer, number))

    review.refresh_from_db()
    held = str(review.status)
    assert held in ("approved", "rejected")
    assert (outcomes.count(held), outcomes.count("already_decided")) == (16, 16)
    granted, given_back = Entitlement.objects.count(), Refund.objects.count()
    assert (granted, given_back) == ((1, 0) if held == "approved" else (0, 1))


@pytest.mark.usefixtures("breaks_the_books")
def test_without_the_lock_both_would_hold(gateways, monkeypatch):
    """The negative control: whoever looked before the other one committed decides as well."""
    review, reviewer = buy_into_review(gateways), build_reviewer()
    stale = PaymentReview.objects.select_related("payment__product__seller", "payment__buyer")
    seen = [stale.get(pk=review.pk), stale.get(pk=review.pk)]
    monkeypatch.setattr(decisions, "review_lock", lambda review_id: seen.pop())

    payment_approve(review_id=review.pk, actor=reviewer)
    payment_reject(review_id=review.pk, actor=reviewer, reason="Stolen card.")

    assert (Entitlement.objects.count(), Refund.objects.count()) == (1, 1)
    assert JournalEntry.objects.exclude(kind="gateway_fee").count() == 3
    assert Payment.objects.get().refunded_minor == 2_500_000
