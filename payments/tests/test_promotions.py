"""A discount that the platform bears: the creator gets the share of the full price, and whatever goes back, of the
promotion too, is exactly what was booked."""

import pytest

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from payments.errors import ApprovalImpossible
from payments.models import Coupon, CouponRedemption, Dispute, Payment, Refund
from payments.services.decisions import payment_approve, payment_reject
from payments.tests.builders import build_coupon, build_product, start_checkout
from payments.tests.buying import GATEWAYS, ask_for_refund, build_finance, build_reviewer, buy_into_review
from payments.tests.test_disputes import heard, open_dispute
from payments.tests.test_refunds import earned, platform
from payments.tests.wire import verify
from wallets.enums import AccountKind
from wallets.models import JournalLine

CURRENCIES = pytest.mark.parametrize("currency", ["NGN", "USD"])
# What the buyer pays of a price of 25,000.00 or 30.00; the platform pays the other quarter.
PAID = {"NGN": 1_875_000, "USD": 2_250}
PROMOTION = {"NGN": 625_000, "USD": 750}
CREATORS = {"NGN": 2_000_000, "USD": 2_400}
FEE = {"NGN": 500_000, "USD": 600}


@pytest.fixture(autouse=True)
def a_quarter_at_the_platforms_cost(gateways):
    build_coupon("SPRING-25")


def sell(gateways, currency="NGN", *, seller=None):
    """Paid and settled, by default for a creator's video."""
    payment = start_checkout(build_user(), build_product(seller=seller or build_user()), currency, coupon="SPRING-25")
    named = payment.reference if currency == "NGN" else payment.gateway_reference
    gateways.control.pay(GATEWAYS[currency], named)
    assert verify(gateways.url, payment.reference).json()["status"] == "paid"
    return Payment.objects.select_related("product__seller", "buyer").get(pk=payment.pk)


def lines_of(entry_id):
    lines = JournalLine.objects.filter(entry_id=entry_id).values_list("account__kind", "amount_minor")
    return sorted(lines)


def shares(currency, seller):
    """What a sale is shared out to, and what the platform put in."""
    kinds = (AccountKind.FEES, AccountKind.PROMOTIONS, AccountKind.SALES, AccountKind.UNSETTLED)
    return (earned(seller, currency), *(platform(kind, currency) for kind in kinds))


@CURRENCIES
def test_the_creator_gets_the_share_of_the_full_price_and_the_platform_pays_the_difference(gateways, currency):
    payment = sell(gateways, currency)

    assert payment.platform_fee_minor == FEE[currency]
    assert lines_of(payment.sale_entry_id) == [
        ("available", CREATORS[currency]),
        ("fees", FEE[currency]),
        (f"gateway-{GATEWAYS[currency]}", -PAID[currency]),
        ("promotions", -PROMOTION[currency]),
    ]


def test_of_the_platforms_own_item_all_of_the_price_is_a_sale(gateways):
    payment = start_checkout(build_user(), build_product(), coupon="SPRING-25")
    gateways.control.pay("paystack", payment.reference)
    verify(gateways.url, payment.reference)

    payment.refresh_from_db()
    assert lines_of(payment.sale_entry_id) == [
        ("gateway-paystack", -1_875_000), ("promotions", -625_000), ("sales", 2_500_000),
    ]  # fmt: skip


@CURRENCIES
def test_all_of_it_goes_back_with_the_promotion(gateways, currency):
    payment = sell(gateways, currency)

    assert ask_for_refund(gateways.url, payment, payment.buyer).status_code == 201

    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.promotion_minor) == (PAID[currency], PROMOTION[currency])
    assert shares(currency, payment.product.seller) == (0, 0, 0, 0, 0)


def test_parts_make_up_the_whole_and_take_back_exactly_what_the_sale_gave(gateways):
    payment, staff = sell(gateways), build_finance()

    for part in ("6250.00", "0.01", "12499.99"):
        assert ask_for_refund(gateways.url, payment, staff, amount=part).status_code == 201

    parts = Refund.objects.order_by("id").values_list("seller_minor", "platform_minor", "promotion_minor")
    assert list(parts) == [(666_666, 166_667, 208_333), (2, 0, 1), (1_333_332, 333_333, 416_666)]
    assert shares("NGN", payment.product.seller) == (0, 0, 0, 0, 0)


def test_a_refund_that_fails_restores_the_promotion_too(gateways, run_jobs):
    payment = sell(gateways, "USD")
    ask_for_refund(gateways.url, payment, payment.buyer)

    gateways.control.conclude_refund("stripe", Refund.objects.get().gateway_refund_id, "failed")
    gateways.control.wait_for_webhook("refund.failed")
    run_jobs()

    assert Refund.objects.get().status == "failed"
    assert shares("USD", payment.product.seller) == (2_400, 600, -750, 0, 0)


@CURRENCIES
def test_a_lost_dispute_takes_back_the_promotion_and_a_won_one_leaves_it(gateways, run_jobs, currency):
    won, lost = sell(gateways, currency), sell(gateways, currency)
    gateways.control.decide_dispute(won.gateway, open_dispute(gateways, won), "won")
    dispute = open_dispute(gateways, lost)
    heard(gateways, run_jobs)
    assert platform(AccountKind.PROMOTIONS, currency) == -2 * PROMOTION[currency]

    gateways.control.decide_dispute(lost.gateway, dispute, "lost")
    heard(gateways, run_jobs)

    taken = Dispute.objects.get(payment=lost)
    assert (taken.status, taken.seller_minor, taken.platform_minor, taken.promotion_minor) == (
        "lost", CREATORS[currency], FEE[currency], PROMOTION[currency],
    )  # fmt: skip
    assert shares(currency, won.product.seller) == (CREATORS[currency], FEE[currency], -PROMOTION[currency], 0, 0)
    assert shares(currency, lost.product.seller)[0] == 0
    assert platform(AccountKind.DISPUTE_SUSPENSE, currency) == 0


def test_a_dispute_after_a_part_went_back_takes_the_rest_of_the_promotion(gateways, run_jobs):
    payment = sell(gateways)
    ask_for_refund(gateways.url, payment, build_finance(), amount="3750.00")

    gateways.control.decide_dispute("paystack", open_dispute(gateways, payment), "lost")
    heard(gateways, run_jobs)

    assert (Refund.objects.get().promotion_minor, Dispute.objects.get().promotion_minor) == (125_000, 500_000)
    assert shares("NGN", payment.product.seller) == (0, 0, 0, 0, 0)


def test_a_review_that_is_approved_takes_the_promotion_and_one_that_is_rejected_never_does(gateways):
    seller, reviewer = build_user(), build_reviewer()
    approved, rejected = (
        buy_into_review(gateways, product=build_product(seller=seller), coupon="SPRING-25") for _ in range(2)
    )
    assert shares("NGN", seller) == (0, 0, 0, 0, 2 * PAID["NGN"])

    payment_approve(review_id=approved.pk, actor=reviewer)
    payment_reject(review_id=rejected.pk, actor=reviewer, reason="Stolen card")

    assert shares("NGN", seller) == (CREATORS["NGN"], FEE["NGN"], -PROMOTION["NGN"], 0, 0)
    assert Refund.objects.get().promotion_minor == 0
    used = CouponRedemption.objects.order_by("id").values_list("payment", "status")
    assert list(used) == [(approved.payment_id, "consumed"), (rejected.payment_id, "released")]


def test_a_review_is_not_approved_when_others_took_the_coupons_last_use_meanwhile(gateways):
    Coupon.objects.update(max_uses=1)
    review = buy_into_review(gateways, product=build_product(seller=build_user()), coupon="SPRING-25")
    CouponRedemption.objects.update(status="released", released_at=now())
    Coupon.objects.update(taken=0)
    sell(gateways)

    with pytest.raises(ApprovalImpossible, match="last use was taken by others"):
        payment_approve(review_id=review.pk, actor=build_reviewer(), reason="Looks right")

    review.payment.refresh_from_db()
    assert (review.payment.status, Coupon.objects.get().taken) == ("in_review", 1)
