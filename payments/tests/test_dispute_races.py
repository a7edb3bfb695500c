"""Disputes at the same moment as refunds, as each other, and as older answers of the gateway."""

from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest

from accounts.tests.builders import build_user
from learning247.records.tests.races import at_once
from payments.gateways import gateway_named
from payments.models import Dispute, Payment, Refund
from payments.services import disputes, refunds
from payments.services.disputes import dispute_refresh
from payments.tests.buying import ask_for_refund, build_finance, buy
from payments.tests.test_disputes import books, disputed, open_dispute
from payments.tests.test_refunds import earned
from wallets.models import JournalEntry

pytestmark = pytest.mark.race


@pytest.fixture
def sale(gateways):
    """A creator's settled sale, disputed at the gateway, of which nobody has told us."""
    gateways.control.pause_webhooks()
    payment = buy(gateways, seller=build_user())
    return payment, open_dispute(gateways, payment)


def test_32_refunds_and_reports_of_a_dispute_at_once_take_the_creators_share_once(gateways, serve, sale):
    payment, number = sale
    finance, url = build_finance(), serve()

    def one(place):
        if place % 2:
            return dispute_refresh(payment=payment, gateway_dispute_id=number).status
        return ask_for_refund(url, payment, finance).status_code

    answers = at_once(32, one)

    assert answers[1::2] == ["needs_response"] * 16
    made = answers[0::2].count(201)
    assert made + answers[0::2].count(409) == 16
    assert (Dispute.objects.count(), Refund.objects.count()) == (1, made)
    assert made <= 1
    assert (earned(payment.product.seller), disputed(payment.product.seller, "NGN")) == (0, 0 if made else 2_000_000)


def test_32_reports_of_its_end_at_once_book_it_once(gateways, sale):
    payment, number = sale
    gateways.control.decide_dispute("paystack", number, "lost")

    at_once(32, lambda _: dispute_refresh(payment=payment, gateway_dispute_id=number).status)

    kinds = JournalEntry.objects.filter(source_kind="dispute").order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["dispute", "dispute_funds", "dispute_lost"]
    assert set(books(payment.product.seller, "NGN").values()) == {0}


def test_an_older_answer_of_the_gateway_overwrites_no_newer_one(gateways, sale):
    payment, number = sale
    older = gateway_named("paystack").fetch_dispute(number)
    gateways.control.decide_dispute("paystack", number, "lost")
    recorded = dispute_refresh(payment=payment, gateway_dispute_id=number)

    assert disputes._record(payment, older, seen=0) is None
    assert Dispute.objects.get().status == "lost"
    # The control: what keeps it out is the revision, and nothing else.
    overwritten = disputes._record(payment, older, seen=recorded.revision)
    assert overwritten is not None
    assert overwritten.status == "needs_response"


@pytest.mark.usefixtures("breaks_the_books")
def test_without_the_payments_lock_refund_and_dispute_both_take_the_share(gateways, sale, monkeypatch):
    """The negative control: both have read the payment before either writes."""
    payment, number = sale
    finance, both_have_read, share_out = build_finance(), Barrier(2, timeout=10), disputes._share_out
    unlocked = Payment.objects.select_related("product__seller", "buyer")

    def read_together(*read):
        share_out(*read)
        with suppress(BrokenBarrierError):
            both_have_read.wait()

    for module in (refunds, disputes):
        monkeypatch.setattr(module, "payment_lock", lambda payment_id: unlocked.get(pk=payment_id))
    monkeypatch.setattr(disputes, "_share_out", read_together)

    at_once(
        2,
        lambda place: (
            dispute_refresh(payment=payment, gateway_dispute_id=number)
            if place
            else ask_for_refund(gateways.url, payment, finance)
        ),
    )

    assert earned(payment.product.seller) == -2_000_000
    assert disputed(payment.product.seller, "NGN") == 2_000_000
