"""What sellers' webhooks are told of a sale, a refund and a dispute: once each, and nothing about the buyer."""

import pytest

from accounts.tests.builders import build_user
from learning247.outbound_webhooks.models import OutboundEvent
from learning247.outbound_webhooks.services.endpoints import endpoint_create
from payments.services.disputes import dispute_refresh
from payments.tests.builders import build_product
from payments.tests.buying import ask_for_refund, build_finance, buy
from payments.tests.test_disputes import heard, open_dispute


@pytest.fixture
def seller(committed_db, settings):
    """Somebody with an endpoint, at which nobody listens."""
    settings.OUTBOUND_WEBHOOKS_TO_PRIVATE = True
    seller = build_user()
    endpoint_create(owner=seller, actor=seller, url="http://127.0.0.1:9/", description="", event_types=())
    return seller


def told(owner):
    """(type, amount, share) of each, the earliest first."""
    events = OutboundEvent.objects.filter(owner=owner).order_by("created_at", "id")
    return [(event.event_type, event.data["amount"], event.data["your_share"]) for event in events]


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_dispute_is_told_when_it_opens_and_when_it_is_over(gateways, run_jobs, seller, outcome):
    payment = buy(gateways, currency="USD", seller=seller)
    number = open_dispute(gateways, payment)
    heard(gateways, run_jobs)
    gateways.control.decide_dispute("stripe", number, outcome)
    heard(gateways, run_jobs)
    dispute_refresh(payment=payment, gateway_dispute_id=number)

    assert told(seller) == [
        ("sale.settled", "30.00", "24.00"),
        ("dispute.opened", "30.00", "24.00"),
        (f"dispute.{outcome}", "30.00", "24.00"),
    ]
    opened = OutboundEvent.objects.get(event_type="dispute.opened")
    assert (opened.data["payment_reference"], opened.data["currency"]) == (payment.reference, "USD")
    assert payment.buyer.email not in str(list(OutboundEvent.objects.values("data")))


def test_after_a_part_went_back_the_dispute_is_about_the_rest(gateways, run_jobs, seller):
    payment = buy(gateways, currency="USD", seller=seller)
    assert ask_for_refund(gateways.url, payment, build_finance(), amount="10.00").status_code == 201
    open_dispute(gateways, payment)
    heard(gateways, run_jobs)

    assert told(seller) == [
        ("sale.settled", "30.00", "24.00"),
        ("refund.started", "10.00", "8.00"),
        ("refund.done", "10.00", "8.00"),
        ("dispute.opened", "20.00", "16.00"),
    ]


def test_of_the_platforms_own_sale_no_seller_is_told(gateways, run_jobs, seller):
    payment = buy(gateways, currency="USD", product=build_product(seller=None))
    open_dispute(gateways, payment)
    heard(gateways, run_jobs)

    assert not OutboundEvent.objects.exists()
