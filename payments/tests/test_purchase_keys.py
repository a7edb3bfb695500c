"""A key whose answer was lost finds its payment again, and no other purchase."""

import pytest
from django.utils import timezone

from accounts.tests.builders import build_user
from learning247.kit.money import Money
from payments.enums import PaymentStatus
from payments.errors import AlreadyOwned, CheckoutOutdated, GatewayUnavailable, ProductNotFound, PurchaseKeyReused
from payments.models import Payment
from payments.services.products import product_update
from payments.tests.builders import build_product, start_checkout

KEY = "one-key"


@pytest.fixture
def unanswered(gateways):
    """A learner and a product whose purchase under KEY ended in a 503, with nothing at the gateway."""
    learner, product = build_user(), build_product()
    fault = gateways.control.fault("error", provider="paystack", method="POST", times=1)
    with pytest.raises(GatewayUnavailable):
        start_checkout(learner, product, idempotency_key=KEY)
    assert fault
    return learner, product


def test_the_same_purchase_carries_on_under_its_reference(unanswered):
    learner, product = unanswered
    (begun,) = Payment.objects.all()

    payment = start_checkout(learner, product, idempotency_key=KEY)

    assert (payment.pk, payment.reference) == (begun.pk, begun.reference)
    assert payment.checkout_url


@pytest.mark.parametrize("change", ["product", "currency", "details"])
def test_another_purchase_under_the_same_key_is_refused(unanswered, change):
    learner, product = unanswered
    other = build_product() if change == "product" else product
    currency = "USD" if change == "currency" else "NGN"
    details = {"student": {"name": "Bola"}} if change == "details" else {}

    with pytest.raises(PurchaseKeyReused):
        start_checkout(learner, other, currency, idempotency_key=KEY, details=details)

    assert Payment.objects.get().checkout_url == ""


def test_an_old_price_is_not_sold_any_more(unanswered):
    learner, product = unanswered
    product_update(product, prices=[Money(9_900_000, "NGN")])

    with pytest.raises(CheckoutOutdated):
        start_checkout(learner, product, idempotency_key=KEY)

    assert Payment.objects.get().checkout_url == ""


def test_what_was_withdrawn_meanwhile_is_not_sold(unanswered):
    learner, product = unanswered
    product_update(product, active=False)

    with pytest.raises(ProductNotFound):
        start_checkout(learner, product, idempotency_key=KEY)


def test_what_was_bought_meanwhile_under_another_key_is_not_sold_twice(unanswered, gateways, run_jobs):
    learner, product = unanswered
    bought = start_checkout(learner, product)
    gateways.control.pay("paystack", bought.reference)
    gateways.control.wait_for_webhook("charge.success")
    run_jobs()
    assert Payment.objects.get(pk=bought.pk).status == PaymentStatus.PAID

    with pytest.raises(AlreadyOwned):
        start_checkout(learner, product, idempotency_key=KEY)


def test_a_purchase_whose_time_has_passed_is_not_opened(unanswered):
    learner, product = unanswered
    Payment.objects.update(expires_at=timezone.now())

    with pytest.raises(CheckoutOutdated):
        start_checkout(learner, product, idempotency_key=KEY)
