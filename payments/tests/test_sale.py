"""The main job over real HTTP: checkout at the gateway's page, signed webhook, settlement, access, books."""

import pytest
import requests
from django.conf import settings
from django.core import mail

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.kit.money import Money
from learning247.records.models import OutboundMail
from learning247.records.services.prove import checks_run
from payments.access import explain
from payments.enums import PaymentStatus, ReviewReason
from payments.models import Refund
from payments.services.refunds import refunds_sweep
from payments.tests.builders import build_product, start_checkout
from payments.tests.buying import GATEWAY_FEES
from payments.tests.wire import signed_in, verify
from wallets.enums import AccountKind
from wallets.models import JournalEntry
from wallets.selectors import balances_of, platform_balance

pytestmark = pytest.mark.usefixtures("gateways")

PAID_EVENT = {"paystack": "charge.success", "stripe": "checkout.session.completed"}


@pytest.fixture(autouse=True)
def prove_afterwards(gateways):
    yield
    breaches = [result for result in checks_run() if not result.holds]
    assert breaches == []


@pytest.mark.parametrize(("currency", "gateway", "gross"), [("NGN", "paystack", 2_500_000), ("USD", "stripe", 3_000)])
def test_a_creator_earns_80_percent_of_what_a_learner_pays(gateways, run_jobs, currency, gateway, gross):
    creator, learner = build_user(), build_user()
    product = build_product(seller=creator)
    payment = start_checkout(learner, product, currency)

    gateways.control.pay(gateway, payment.reference if gateway == "paystack" else payment.gateway_reference)
    gateways.control.wait_for_webhook(PAID_EVENT[gateway])
    run_jobs()

    payment.refresh_from_db()
    assert payment.status == PaymentStatus.PAID
    assert explain(learner, product).reason == "entitled"
    assert balances_of(user=creator)[0].available == gross * 80 // 100
    assert platform_balance(kind=AccountKind.FEES, currency=currency) == gross * 20 // 100
    assert platform_balance(kind=AccountKind(f"gateway-{gateway}"), currency=currency) == GATEWAY_FEES[currency] - gross
    receipt, notice = (next(sent for sent in mail.outbox if sent.to == [to.email]) for to in (learner, creator))
    assert len(mail.outbox) == 2
    paid, share = (Money(minor, currency).grouped for minor in (gross, gross * 80 // 100))
    assert f"You paid {paid} for" in receipt.body and "It is open for you now." in receipt.body
    assert "sign-in follows" not in receipt.body
    assert f"Your share is {share};" in notice.body


def test_the_platform_keeps_the_whole_price_of_its_own_course(gateways, run_jobs):
    learner = build_user()
    payment = start_checkout(learner, build_product(seller=None))

    gateways.control.pay("paystack", payment.reference)
    gateways.control.wait_for_webhook(PAID_EVENT["paystack"])
    run_jobs()

    assert platform_balance(kind=AccountKind.SALES, currency="NGN") == 2_500_000
    assert platform_balance(kind=AccountKind.FEES, currency="NGN") == 0
    (receipt,) = mail.outbox
    assert isinstance(receipt, mail.EmailMultiAlternatives)
    for text in map(str, (receipt.body, receipt.alternatives[0][0])):
        assert "NGN 25,000.00" in text
        assert "The sign-in follows by mail" in text and "open for you now" not in text
        assert f"{settings.FRONTEND_URL}/courses/my-enrollments" in text
        assert f"Write to {settings.SUPPORT_EMAIL} and quote the reference" in text


def test_verify_settles_before_the_webhook_and_the_webhook_then_changes_nothing(gateways, run_jobs):
    creator, learner = build_user(), build_user()
    payment = start_checkout(learner, build_product(seller=creator))
    gateways.control.pause_webhooks()
    gateways.control.pay("paystack", payment.reference)

    answer = requests.post(f"{gateways.url}/api/payments/verify/{payment.reference}", timeout=10)

    assert answer.status_code == 200
    assert set(answer.json()) == {"reference", "status", "item"}
    assert answer.json()["status"] == "paid"
    gateways.control.resume_webhooks()
    gateways.control.wait_for_webhook(PAID_EVENT["paystack"])
    run_jobs()
    assert sorted(JournalEntry.objects.values_list("kind", flat=True)) == ["gateway_fee", "sale"]
    assert balances_of(user=creator)[0].available == 2_000_000


def test_a_declined_card_fails_the_payment_and_a_second_card_on_the_same_reference_settles_it(gateways, run_jobs):
    creator, learner = build_user(), build_user()
    payment = start_checkout(learner, build_product(seller=creator))
    gateways.control.decline("paystack", payment.reference)
    requests.post(f"{gateways.url}/api/payments/verify/{payment.reference}", timeout=10)
    payment.refresh_from_db()
    assert payment.status == PaymentStatus.FAILED
    assert not JournalEntry.objects.exists()

    gateways.control.pay("paystack", payment.reference)
    gateways.control.wait_for_webhook(PAID_EVENT["paystack"])
    run_jobs()

    payment.refresh_from_db()
    assert payment.status == PaymentStatus.PAID
    assert balances_of(user=creator)[0].available == 2_000_000


@pytest.mark.parametrize(
    ("fault", "field", "reason"),
    [
        ("wrong_amount", {"amount": 100}, ReviewReason.AMOUNT_MISMATCH),
        ("wrong_currency", {"currency": "GHS"}, ReviewReason.CURRENCY_MISMATCH),
    ],
)
def test_a_capture_that_differs_from_our_payment_goes_to_review_and_settles_nothing(gateways, fault, field, reason):
    creator, learner = build_user(), build_user()
    product = build_product(seller=creator)
    payment = start_checkout(learner, product)
    gateways.control.fault(fault, provider="paystack", times=100, **field)
    gateways.control.pay("paystack", payment.reference)

    requests.post(f"{gateways.url}/api/payments/verify/{payment.reference}", timeout=10)

    payment.refresh_from_db()
    assert (payment.status, payment.review_reason) == (PaymentStatus.IN_REVIEW, reason)
    assert not explain(learner, product).granted
    assert balances_of(user=creator) == []
    assert platform_balance(kind=AccountKind.UNSETTLED, currency=payment.captured_currency) == payment.captured_minor


@pytest.mark.parametrize("currency", ["NGN", "USD"])
def test_a_second_payment_for_what_is_owned_goes_back_by_itself_and_says_so(gateways, run_jobs, currency):
    learner, creator = build_user(), build_user()
    product = build_product(seller=creator)
    first, second = (start_checkout(learner, product, currency) for _ in range(2))
    for payment in (first, second):
        at_gateway = payment.reference if currency == "NGN" else payment.gateway_reference
        gateways.control.pay(payment.gateway, at_gateway)

    statuses = [verify(gateways.url, payment.reference).json()["status"] for payment in (first, second)]
    assert statuses == ["paid", "refunded"]
    refund = Refund.objects.get()
    assert (refund.status, refund.source, refund.requested_by) == ("requested", "platform", None)
    assert "payments.carry_on_refund" in run_jobs()

    gateways.control.advance(5)
    run_jobs()
    refund.refresh_from_db()
    assert refund.status in ("pending", "done")
    assert refund.gateway_refund_id
    assert explain(learner, product).granted
    assert balances_of(user=creator)[0].available == first.amount_minor * 80 // 100
    assert platform_balance(kind=AccountKind.UNSETTLED, currency=currency) == 0
    shown = get(gateways, learner, f"/api/payments/{second.reference}")
    assert (shown["status"], shown["reason"]) == ("refunded", "already_owned")
    assert shown["refunded_amount"] == shown["amount"]
    (listed,) = get(gateways, learner, f"/api/payments/{second.reference}/refunds")["results"]
    assert (listed["reason"], listed["ends_access"]) == ("The buyer owns this already.", False)
    (told,) = OutboundMail.objects.filter(key__startswith=f"refund:{refund.pk}")
    assert (told.to, told.subject) == (learner.email, f"You paid twice: {second.money.grouped} is on its way back")
    assert "What you own stays yours." in told.text


def test_a_second_payment_that_the_gateway_will_not_give_back_waits_for_people(gateways, run_jobs):
    learner, product = build_user(), build_product()
    first, second = (start_checkout(learner, product) for _ in range(2))
    for payment in (first, second):
        gateways.control.pay("paystack", payment.reference)
        verify(gateways.url, payment.reference)
    gateways.control.fault("error", provider="paystack", path="/refund", method="POST", times=1, status=400)

    run_jobs()

    second.refresh_from_db()
    assert Refund.objects.get().status == "failed"
    assert (second.status, second.review_reason, second.refunded_minor) == ("in_review", "already_owned", 0)
    assert platform_balance(kind=AccountKind.UNSETTLED, currency="NGN") == 2_500_000


def test_a_second_payment_whose_job_was_lost_is_given_back_by_the_sweeper(gateways):
    learner, product = build_user(), build_product()
    for payment in [start_checkout(learner, product) for _ in range(2)]:
        gateways.control.pay("paystack", payment.reference)
        verify(gateways.url, payment.reference)
    assert refunds_sweep() == 0, "the job has half a minute"

    Refund.objects.update(due_at=now())
    assert refunds_sweep() == 1

    assert Refund.objects.get().status == "pending"
    assert [row["amount"] for row in gateways.control.rows("paystack.refunds")] == [2_500_000]


def get(gateways, user, path):
    answer = requests.get(f"{gateways.url}{path}", headers=signed_in(user), timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()
