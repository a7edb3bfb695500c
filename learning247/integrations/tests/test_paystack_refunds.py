"""Refunds at Paystack over real HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from learning247.integrations.paystack import MalformedAnswer, PaystackClient, PaystackNotFound, PaystackRejected
from learning247.integrations.tests.conftest import PAYSTACK_KEY


@pytest.fixture
def paid(paystack, sandbox):
    paystack.transaction_initialize(
        email="ada@example.com",
        amount_minor=2_500_000,
        currency="NGN",
        reference="ref-1",
        callback_url="https://shop.example/back",
        metadata={},
    )
    sandbox.control.pay("paystack", "ref-1")


def refund(paystack, amount_minor, note="Refund 1"):
    return paystack.refund_create(
        transaction_reference="ref-1", amount_minor=amount_minor, currency="NGN", merchant_note=note
    )


@pytest.mark.usefixtures("paid")
def test_a_refund_is_pending_at_first_and_processed_later(paystack, sandbox):
    begun = refund(paystack, 1_000_000)
    sandbox.control.advance(5)
    over = paystack.refund_fetch(str(begun.id))

    assert (begun.status, begun.amount_minor, begun.currency) == ("pending", 1_000_000, "NGN")
    assert (over.id, over.status, over.transaction_reference) == (begun.id, "processed", "ref-1")


@pytest.mark.usefixtures("paid")
def test_a_list_tells_refunds_apart_by_our_note(paystack):
    first, second = refund(paystack, 1_000_000, "Refund 1"), refund(paystack, 500_000, "Refund 2")
    moment = datetime.now(tz=UTC)

    page = paystack.refund_list(since=moment - timedelta(hours=1), until=moment + timedelta(hours=1))

    assert [(row.id, row.merchant_note) for row in page.refunds] == [(second.id, "Refund 2"), (first.id, "Refund 1")]
    assert (page.page, page.page_count) == (1, 1)


@pytest.mark.usefixtures("paid")
def test_more_than_was_paid_is_rejected_and_refunds_nothing(paystack):
    with pytest.raises(PaystackRejected, match="Refund amount cannot be more"):
        refund(paystack, 2_500_001)
    moment = datetime.now(tz=UTC)
    assert paystack.refund_list(since=moment - timedelta(hours=1), until=moment + timedelta(hours=1)).refunds == ()


def test_a_refund_that_is_not_there_is_not_found(paystack):
    with pytest.raises(PaystackNotFound):
        paystack.refund_fetch("12345")


@pytest.mark.parametrize("spoilt", [{"id": None}, {"status": ""}, {"amount": -1}, {"amount": 1.5}, {"currency": 7}])
def test_an_answer_that_is_not_what_was_specified_is_an_unknown_outcome(answering, spoilt):
    good = {"id": 7, "status": "pending", "amount": 5, "currency": "NGN", "transaction_reference": "ref-1"}
    answering.answer({"status": True, "data": good | spoilt})
    with pytest.raises(MalformedAnswer):
        PaystackClient(PAYSTACK_KEY, answering.url, timeout=(2, 2)).refund_fetch("7")
