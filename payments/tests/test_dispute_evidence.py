"""Evidence: what stands in it, who may read and send it, and that it reaches the gateway once."""

import pytest
import stripe
from django.conf import settings
from django.urls import reverse

from accounts.devices import Device
from accounts.services.sessions import session_open
from accounts.tests.builders import build_user
from learning247.records.models import AuditEntry
from payments.models import Dispute
from payments.services.disputes import dispute_refresh
from payments.tests.buying import buy
from payments.tests.test_console_refunds import console
from payments.tests.test_disputes import open_dispute

REASON = {"reason": "The buyer took the course."}


@pytest.fixture
def disputed_sale(gateways):
    def build(currency):
        buyer = build_user()
        session_open(buyer, device=Device(user_agent="Firefox on Linux", ip="203.0.113.7"))
        payment = buy(gateways, currency=currency, buyer=buyer)
        return dispute_refresh(payment=payment, gateway_dispute_id=open_dispute(gateways, payment))

    return build


def test_finance_takes_the_evidence_along_as_a_document(disputed_sale):
    dispute = disputed_sale("NGN")
    payment = dispute.payment

    answer = console("finance").get(reverse("admin:payments_dispute_evidence", args=[dispute.pk]))

    text = answer.content.decode()
    assert answer["Content-Disposition"] == f'attachment; filename="evidence-{payment.reference}.txt"'
    assert "no-store" in answer["Cache-Control"]
    for part in (payment.buyer.email, payment.reference, "203.0.113.7  Firefox on Linux", "Access given", "Algebra"):
        assert part in text


def test_finance_sends_it_to_stripe_once_with_a_reason_on_record(gateways, disputed_sale):
    dispute, client = disputed_sale("USD"), console("finance")
    page = reverse("admin:payments_dispute_send", args=[dispute.pk])

    assert b"This field is required" in client.post(page, {"reason": " "}).content
    sent = client.post(page, REASON, follow=True)
    again = client.post(page, REASON)

    assert b"Evidence sent. The dispute is under review." in sent.content
    assert b"This dispute takes no evidence any more" in again.content
    api = stripe.StripeClient(settings.STRIPE_SECRET_KEY, base_addresses={"api": settings.STRIPE_API_BASE})
    there = api.v1.disputes.retrieve(dispute.gateway_dispute_id)
    assert (there.evidence_details.submission_count, there.evidence.customer_purchase_ip) == (1, "203.0.113.7")
    assert dispute.payment.reference in (there.evidence.uncategorized_text or "")
    dispute.refresh_from_db()
    assert (dispute.status, dispute.evidence_sent_at is not None) == ("under_review", True)
    assert AuditEntry.objects.get(action="dispute.evidence_sent").reason == REASON["reason"]


def test_paystacks_is_uploaded_by_hand_and_says_so(disputed_sale):
    dispute = disputed_sale("NGN")
    answer = console("finance").post(reverse("admin:payments_dispute_send", args=[dispute.pk]), REASON)
    assert b"Download the document and upload it there." in answer.content
    assert Dispute.objects.get().evidence_sent_at is None


@pytest.mark.parametrize("role", ["support", "reviewer"])
def test_others_see_the_dispute_and_nothing_of_the_buyers_addresses(disputed_sale, role):
    dispute, client = disputed_sale("USD"), console(role)

    shown = client.get(reverse("admin:payments_dispute_change", args=[dispute.pk]))
    refused = [
        client.get(reverse("admin:payments_dispute_evidence", args=[dispute.pk])),
        client.post(reverse("admin:payments_dispute_send", args=[dispute.pk]), REASON),
    ]

    assert (shown.status_code, b"evidence/" in shown.content) == (200, False)
    assert [answer.status_code for answer in refused] == [403, 403]
    assert not AuditEntry.objects.filter(action="dispute.evidence_sent").exists()
