"""Payments that people decide over: how they come into the queue, what a decision does, and that nothing undoes it."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.records.models import AuditEntry, OutboundMail
from learning247.risk.enums import ReviewPriority
from payments.access import explain
from payments.errors import AlreadyDecided, ApprovalImpossible, OwnPayment, RejectionImpossible
from payments.models import Entitlement, Payment, PaymentReview, Refund
from payments.services.decisions import payment_approve, payment_reject
from payments.services.refunds import refunds_sweep
from payments.services.reviews import review_edit, reviews_escalate
from payments.services.settlement import unsettled_sweep
from payments.tests.builders import build_product, start_checkout
from payments.tests.buying import ask_for_refund, build_finance, build_reviewer, buy_into_review
from payments.tests.wire import verify
from wallets.enums import AccountKind
from wallets.models import JournalEntry
from wallets.selectors import balances_of, platform_balance


def seller_of(review):
    return review.payment.product.seller


def platform(kind, currency="NGN"):
    return platform_balance(kind=kind, currency=currency)


def faulty(gateways, kind="wrong_amount", **fault):
    """A payment that the gateway captured otherwise than agreed."""
    payment = start_checkout(build_user(), build_product(seller=build_user()))
    gateways.control.fault(kind, provider="paystack", times=1, **fault)
    gateways.control.pay("paystack", payment.reference)
    assert verify(gateways.url, payment.reference).json()["status"] == "in_review"
    return PaymentReview.objects.select_related("payment__buyer").get(payment=payment)


def everything_asks_again(gateways, run_jobs, reference):
    """The webhooks once more, the sweepers, and the buyer's page."""
    Payment.objects.update(checked_at=None, created_at=now() - timedelta(hours=1))
    Refund.objects.update(due_at=now() - timedelta(seconds=1), lease_until=None)
    run_jobs()
    unsettled_sweep()
    refunds_sweep()
    reviews_escalate()
    return verify(gateways.url, reference).json()["status"]


# --- into the queue


def test_captured_money_that_disagrees_asks_people_once_and_says_until_when(gateways, settings):
    review = faulty(gateways, amount=-1)

    verify(gateways.url, review.payment.reference)

    assert PaymentReview.objects.count() == 1
    assert (review.status, review.reason, review.priority) == ("open", "amount_mismatch", ReviewPriority.NORMAL)
    assert review.due_at - review.created_at >= timedelta(hours=settings.REVIEW_DUE_HOURS) - timedelta(seconds=5)


# --- approved


def test_approved_it_settles_from_unsettled_money_and_opens_what_was_bought(gateways):
    review, reviewer = buy_into_review(gateways), build_reviewer()
    payment = review.payment
    assert platform(AccountKind.UNSETTLED) == 2_500_000

    payment_approve(review_id=review.pk, actor=reviewer, reason="The references belong together.")

    payment.refresh_from_db()
    assert (payment.status, payment.platform_fee_minor) == ("paid", 500_000)
    assert explain(payment.buyer, payment.product).granted
    assert balances_of(user=seller_of(review))[0].available == 2_000_000
    assert (platform(AccountKind.UNSETTLED), platform(AccountKind.FEES)) == (0, 500_000)
    assert platform(AccountKind.GATEWAY_PAYSTACK) == -2_500_000 + (payment.gateway_fee_minor or 0)
    assert JournalEntry.objects.get(key=f"payment:{payment.pk}:sale").kind == "unsettled_release"
    assert {mail.to for mail in OutboundMail.objects.all()} == {payment.buyer.email, seller_of(review).email}
    entry = AuditEntry.objects.get(action="payment.approved")
    assert (entry.actor, entry.reason) == (reviewer, "The references belong together.")


def test_approving_twice_changes_nothing_more(gateways):
    review = buy_into_review(gateways)
    payment_approve(review_id=review.pk, actor=build_reviewer())
    entries, audits = JournalEntry.objects.count(), AuditEntry.objects.count()

    payment_approve(review_id=review.pk, actor=build_reviewer())

    assert (JournalEntry.objects.count(), AuditEntry.objects.count()) == (entries, audits)
    assert Entitlement.objects.count() == 1


def test_what_was_approved_can_be_refunded_like_any_sale(gateways):
    review = buy_into_review(gateways, currency="USD")
    payment_approve(review_id=review.pk, actor=build_reviewer())

    assert ask_for_refund(gateways.url, review.payment, build_finance()).status_code == 201

    assert balances_of(user=seller_of(review))[0].available == 0
    kept = review.payment.gateway_fee_minor
    assert (platform(AccountKind.FEES, "USD"), platform(AccountKind.GATEWAY_STRIPE, "USD")) == (0, kept)


def test_the_fee_that_the_buyer_bore_is_no_cost_of_ours(gateways):
    review = buy_into_review(gateways, beyond_minor=37_500)
    assert platform(AccountKind.UNSETTLED) == 2_537_500

    payment_approve(review_id=review.pk, actor=build_reviewer())

    assert balances_of(user=seller_of(review))[0].available == 2_000_000
    assert (platform(AccountKind.UNSETTLED), platform(AccountKind.FEES)) == (0, 500_000)
    kept = review.payment.gateway_fee_minor or 0
    assert platform(AccountKind.GATEWAY_COSTS) == 37_500 - kept
    assert platform(AccountKind.GATEWAY_PAYSTACK) == kept - 2_537_500


@pytest.mark.parametrize(
    ("kind", "fault", "why"),
    [
        ("wrong_amount", {"amount": -1}, "NGN 24999.99 was captured, and the price is NGN 25000.00."),
        ("wrong_amount", {"amount": 1}, "NGN 25000.01 was captured, and the price is NGN 25000.00."),
        ("wrong_currency", {"currency": "GHS"}, "The price is in NGN, and GHS was captured."),
    ],
)
def test_what_is_not_the_price_cannot_be_approved_and_that_is_said(gateways, kind, fault, why):
    review = faulty(gateways, kind, **fault)
    entries = JournalEntry.objects.count()

    with pytest.raises(ApprovalImpossible) as refusal:
        payment_approve(review_id=review.pk, actor=build_reviewer())

    assert refusal.value.detail == f"{why} Reject it, and the money goes back."
    review.refresh_from_db()
    assert (review.status, JournalEntry.objects.count(), Entitlement.objects.count()) == ("open", entries, 0)


def test_what_the_buyer_has_bought_meanwhile_cannot_be_approved(gateways):
    buyer, product = build_user(), build_product(seller=build_user())
    review = buy_into_review(gateways, buyer=buyer, product=product)
    again = buy_into_review(gateways, buyer=buyer, product=product)
    payment_approve(review_id=again.pk, actor=build_reviewer())

    with pytest.raises(ApprovalImpossible):
        payment_approve(review_id=review.pk, actor=build_reviewer())

    review.refresh_from_db()
    assert (review.status, Entitlement.objects.count()) == ("open", 1)


# --- rejected


def test_rejected_all_of_it_goes_back_to_the_buyer(gateways, run_jobs):
    review, reviewer = faulty(gateways, amount=-1), build_reviewer()

    payment_reject(review_id=review.pk, actor=reviewer, reason="Too little was paid.")
    run_jobs()

    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.source, refund.requested_by) == (2_499_999, "platform", reviewer)
    assert refund.status in ("pending", "done")
    review.refresh_from_db()
    review.payment.refresh_from_db()
    assert (review.status, review.decided_by, review.payment.status) == ("rejected", reviewer, "refunded")
    kept = review.payment.gateway_fee_minor
    assert (platform(AccountKind.UNSETTLED), platform(AccountKind.GATEWAY_PAYSTACK)) == (0, kept)
    assert AuditEntry.objects.get(action="payment.rejected").reason == "Too little was paid."
    assert not explain(review.payment.buyer, review.payment.product).granted


def test_rejecting_twice_gives_back_once(gateways):
    review = faulty(gateways, amount=-1)
    for _ in range(2):
        payment_reject(review_id=review.pk, actor=build_reviewer(), reason="Too little was paid.")
    assert Refund.objects.count() == 1


def test_of_what_the_books_do_not_hold_nothing_can_go_back(gateways):
    review = faulty(gateways, "wrong_currency", currency="XOF")
    with pytest.raises(RejectionImpossible):
        payment_reject(review_id=review.pk, actor=build_reviewer(), reason="Not ours.")
    review.refresh_from_db()
    assert (review.status, Refund.objects.count()) == ("open", 0)


def test_a_refund_that_fails_asks_people_again_and_the_decision_stands(gateways, run_jobs):
    review = buy_into_review(gateways, currency="USD")
    payment_reject(review_id=review.pk, actor=build_reviewer(), reason="Stolen card.")
    gateways.control.behave(stripe_refund_outcome="pending")
    run_jobs()
    gateways.control.conclude_refund("stripe", Refund.objects.get().gateway_refund_id, "failed")
    gateways.control.wait_for_webhook("refund.failed")
    run_jobs()

    review.refresh_from_db()
    again = PaymentReview.objects.exclude(pk=review.pk).get()
    assert (review.status, again.status, again.reason) == ("rejected", "open", "refund_failed")
    assert again.priority == ReviewPriority.HIGH


# --- no way round a decision


def test_no_machine_undoes_an_approval(gateways, run_jobs):
    review = buy_into_review(gateways)
    payment_approve(review_id=review.pk, actor=build_reviewer())

    assert everything_asks_again(gateways, run_jobs, review.payment.reference) == "paid"

    review.refresh_from_db()
    assert (review.status, Refund.objects.count(), PaymentReview.objects.count()) == ("approved", 0, 1)


def test_no_machine_undoes_a_rejection(gateways, run_jobs):
    review = buy_into_review(gateways)
    payment_reject(review_id=review.pk, actor=build_reviewer(), reason="Stolen card.")

    assert everything_asks_again(gateways, run_jobs, review.payment.reference) == "refunded"

    review.refresh_from_db()
    assert (review.status, Refund.objects.count(), Entitlement.objects.count()) == ("rejected", 1, 0)


def test_who_was_approved_is_not_rejected_afterwards_nor_the_other_way(gateways):
    approved, rejected = buy_into_review(gateways), buy_into_review(gateways)
    payment_approve(review_id=approved.pk, actor=build_reviewer())
    payment_reject(review_id=rejected.pk, actor=build_reviewer(), reason="Stolen card.")
    entries = JournalEntry.objects.count()

    with pytest.raises(AlreadyDecided):
        payment_reject(review_id=approved.pk, actor=build_reviewer(), reason="No.")
    with pytest.raises(AlreadyDecided):
        payment_approve(review_id=rejected.pk, actor=build_reviewer())

    assert JournalEntry.objects.count() == entries


@pytest.mark.parametrize("who", ["buyer", "seller"])
def test_nobody_decides_over_what_they_buy_or_sell(gateways, who):
    person = build_reviewer()
    parties: dict[str, Any] = {who: person}
    review = buy_into_review(gateways, **parties)
    with pytest.raises(OwnPayment):
        payment_approve(review_id=review.pk, actor=person)
    with pytest.raises(OwnPayment):
        payment_reject(review_id=review.pk, actor=person, reason="Mine.")
    review.refresh_from_db()
    assert review.status == "open"


def test_a_refund_by_finance_closes_the_case(gateways):
    review = buy_into_review(gateways)
    assert ask_for_refund(gateways.url, review.payment, build_finance()).status_code == 201
    review.refresh_from_db()
    assert (review.status, review.decided_by) == ("closed", None)


# --- the work


def test_who_looks_at_it_and_what_they_note_is_on_record(gateways):
    review, reviewer = buy_into_review(gateways), build_reviewer()

    review_edit(review_id=review.pk, actor=reviewer, assigned_to=reviewer, notes="Asked the bank.")
    review_edit(review_id=review.pk, actor=reviewer, unassign=True, priority=ReviewPriority.HIGH)

    review.refresh_from_db()
    assert (review.assigned_to, review.notes, review.priority) == (None, "Asked the bank.", ReviewPriority.HIGH)
    entries = AuditEntry.objects.filter(action="payment_review.edited").order_by("id")
    assert list(entries.values_list("after__assigned_to", flat=True)) == [str(reviewer.pk), None]


def test_an_overdue_case_becomes_urgent_and_is_told_once(gateways, settings):
    review = buy_into_review(gateways)
    assert reviews_escalate() == 0
    PaymentReview.objects.update(due_at=now() - timedelta(seconds=1))

    assert (reviews_escalate(), reviews_escalate()) == (1, 0)

    review.refresh_from_db()
    assert (review.priority, review.escalated_at is not None) == (ReviewPriority.URGENT, True)
    told = OutboundMail.objects.get(to=settings.REVIEW_ESCALATION_EMAIL)
    assert told.subject == f"A payment waits for a decision: {review.payment.reference}"
