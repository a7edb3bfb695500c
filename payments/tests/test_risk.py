"""What the checker of fraud does to purchases: one is refused before it begins, another one is looked at by people."""

from typing import Any

import pytest
import requests

from accounts.tests.builders import build_user
from learning247.kit.ids import new_id
from learning247.risk.enums import Outcome, Purpose, RuleKind
from learning247.risk.models import Decision
from learning247.tests.risk.builders import only_rule
from payments.access import explain
from payments.errors import PurchaseRefused
from payments.models import Entitlement, Payment, PaymentReview, Refund
from payments.services.decisions import payment_approve, payment_reject
from payments.tests.builders import build_product, start_checkout
from payments.tests.buying import GATEWAYS, GROSS, build_reviewer, buy
from payments.tests.wire import TIMEOUT, signed_in, verify
from wallets.models import JournalEntry
from wallets.selectors import balances_of

CURRENCIES = tuple(GATEWAYS)


def at_gateway(payment: Payment) -> str:
    return payment.reference if payment.gateway == "paystack" else payment.gateway_reference


def initialize(url: str, buyer: Any, product: Any, currency: str, key: str) -> requests.Response:
    return requests.post(
        f"{url}/api/payments/initialize",
        json={"item_type": product.kind, "item_id": str(product.item_id), "currency": currency},
        headers=signed_in(buyer) | {"Idempotency-Key": key},
        timeout=TIMEOUT,
    )


# --- refused


@pytest.mark.parametrize("currency", CURRENCIES)
def test_a_blocked_purchase_is_refused_and_no_gateway_hears_of_it(gateways, currency):
    only_rule(
        RuleKind.AMOUNT, {"at_least": {currency: GROSS[currency]}}, purpose=Purpose.CHECKOUT, outcome=Outcome.BLOCK
    )
    buyer, product, key = build_user(), build_product(seller=build_user()), new_id().hex

    answers = [initialize(gateways.url, buyer, product, currency, key) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [422, 422]
    (error,) = answers[0].json()["errors"]
    assert error == {
        "code": "purchase_refused",
        "detail": PurchaseRefused.detail,
        "attr": None,
    }
    payment = Payment.objects.get()
    assert (payment.status, payment.checkout_url, payment.gateway_reference) == ("failed", "", "")
    decision = Decision.objects.get()
    assert (decision.purpose, decision.subject_id, decision.outcome) == ("checkout", payment.pk, "block")
    assert (len(decision.ip), len(decision.device), decision.card) == (32, 32, "")
    assert not explain(buyer, product).granted


# --- looked at


@pytest.mark.parametrize("currency", CURRENCIES)
def test_a_suspicious_payment_is_held_for_people_who_let_it_settle(gateways, currency):
    only_rule(RuleKind.AMOUNT, {"at_least": {currency: GROSS[currency]}}, purpose=Purpose.SETTLEMENT)
    seller = build_user()
    product = build_product(seller=seller)
    payment = start_checkout(build_user(), product, currency)
    gateways.control.pay(GATEWAYS[currency], at_gateway(payment))

    assert verify(gateways.url, payment.reference).json()["status"] == "in_review"

    review = PaymentReview.objects.get()
    assert (review.payment_id, review.reason, review.status) == (payment.pk, "risk", "open")
    assert (Entitlement.objects.count(), balances_of(user=seller)) == (0, [])
    decision = Decision.objects.get(purpose="settlement")
    assert (decision.outcome, len(decision.card)) == ("review", 32)
    payment_approve(review_id=review.pk, actor=build_reviewer(), reason="Known to us.")
    assert verify(gateways.url, payment.reference).json()["status"] == "paid"
    assert balances_of(user=seller)[0].available == GROSS[currency] * 8 // 10


def test_a_suspicious_payment_that_people_reject_goes_back(gateways, run_jobs):
    only_rule(RuleKind.AMOUNT, {"at_least": {"NGN": 1}}, purpose=Purpose.SETTLEMENT)
    payment = start_checkout(build_user(), build_product(seller=build_user()))
    gateways.control.pay("paystack", payment.reference)
    verify(gateways.url, payment.reference)

    payment_reject(review_id=PaymentReview.objects.get().pk, actor=build_reviewer(), reason="Stolen card.")
    run_jobs()

    assert Refund.objects.get().amount_minor == GROSS["NGN"]
    assert verify(gateways.url, payment.reference).json()["status"] == "refunded"


def test_an_ordinary_sale_is_looked_at_twice_and_held_up_by_nothing(gateways):
    payment = buy(gateways)
    assert payment.status == "paid"
    decisions = Decision.objects.order_by("created_at")
    assert [(one.purpose, one.outcome, one.failure) for one in decisions] == [
        ("checkout", "allow", ""),
        ("settlement", "allow", ""),
    ]
    assert {one.subject_id for one in decisions} == {payment.pk}
    assert {one.counterparty_id for one in decisions} == {payment.product.seller_id}


def test_what_was_noticed_when_it_began_is_held_once_it_is_paid(gateways):
    only_rule(RuleKind.AMOUNT, {"at_least": {"NGN": 1}}, purpose=Purpose.CHECKOUT)
    payment = start_checkout(build_user(), build_product(seller=build_user()))
    assert payment.checkout_url
    gateways.control.pay("paystack", payment.reference)

    assert verify(gateways.url, payment.reference).json()["status"] == "in_review"

    fired = [one["rule"] for one in Decision.objects.get(purpose="settlement").results if one["fired"]]
    assert fired == ["noticed-at-checkout"]
    assert JournalEntry.objects.filter(kind="sale").count() == 0


def test_the_same_card_of_several_people_is_noticed(gateways):
    cards = {"paystack": "5060666666666666666", "stripe": "5555555555554444"}
    seller = build_user()
    for currency, gateway in GATEWAYS.items():
        statuses = []
        for _ in range(4):
            payment = start_checkout(build_user(), build_product(seller=seller), currency)
            gateways.control.pay(gateway, at_gateway(payment), card=cards[gateway])
            statuses.append(verify(gateways.url, payment.reference).json()["status"])
        assert statuses == ["paid", "paid", "paid", "in_review"]


def test_what_is_owned_already_goes_back_by_itself_whatever_the_checker_says(gateways):
    buyer, product = build_user(), build_product(seller=build_user())
    first, second = start_checkout(buyer, product), start_checkout(buyer, product)
    gateways.control.pay("paystack", first.reference)
    verify(gateways.url, first.reference)
    only_rule(RuleKind.AMOUNT, {"at_least": {"NGN": 1}}, purpose=Purpose.SETTLEMENT)
    gateways.control.pay("paystack", second.reference)

    assert verify(gateways.url, second.reference).json()["status"] == "refunded"
    assert PaymentReview.objects.count() == 0
