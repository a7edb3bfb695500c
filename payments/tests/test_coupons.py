"""Coupons at the checkout: what they take off, who bears it, how often they may be used, and what becomes of a use."""

from datetime import timedelta

import pytest

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.kit.money import Money
from learning247.records.models import OutboundMail
from learning247.risk.enums import Outcome, Purpose, RuleKind
from learning247.risk.models import Decision
from learning247.tests.risk.builders import only_rule
from payments.access import explain
from payments.errors import (
    CouponExpired,
    CouponMinimum,
    CouponNotApplicable,
    CouponUnknown,
    CouponUsedUp,
    GatewayRejected,
    PurchaseKeyReused,
    PurchaseRefused,
)
from payments.models import Coupon, CouponRedemption, Entitlement, Payment, Refund
from payments.services.settlement import payment_settle
from payments.tests.builders import build_coupon, build_product, start_checkout
from payments.tests.buying import ask_for_refund
from payments.tests.test_promotions import lines_of
from payments.tests.wire import verify
from wallets.enums import AccountKind
from wallets.models import JournalEntry
from wallets.selectors import balances_of, platform_balance

pytestmark = pytest.mark.usefixtures("gateways")


def pay(gateways, payment):
    named = payment.reference if payment.gateway == "paystack" else payment.gateway_reference
    gateways.control.pay(payment.gateway, named)
    status = verify(gateways.url, payment.reference).json()["status"]
    payment.refresh_from_db()
    return status


def used(coupon):
    """(taken, its redemptions by status)."""
    coupon.refresh_from_db()
    statuses = CouponRedemption.objects.filter(coupon=coupon).order_by("id").values_list("status", flat=True)
    return coupon.taken, list(statuses)


def checkout_ended(payment, *, ago=timedelta(minutes=11)):
    Payment.objects.filter(pk=payment.pk).update(expires_at=now() - ago)


# --- what it takes off, and who bears it


def test_a_creators_own_coupon_lowers_the_price_for_both(gateways):
    creator = build_user()
    product, coupon = build_product(seller=creator), build_coupon(owner=creator)

    payment = start_checkout(build_user(), product, coupon=" spring-25 ")

    assert (payment.amount_minor, payment.discount_minor, payment.promotion_minor) == (1_875_000, 625_000, 0)
    assert payment.coupon_code == "SPRING-25"
    assert used(coupon) == (1, ["reserved"])
    assert pay(gateways, payment) == "paid"
    assert used(coupon) == (1, ["consumed"])
    assert lines_of(payment.sale_entry_id) == [
        ("available", 1_500_000), ("fees", 375_000), ("gateway-paystack", -1_875_000),
    ]  # fmt: skip


def test_of_a_coupon_that_the_platform_bears_the_creator_loses_nothing(gateways):
    product, coupon = build_product(seller=build_user()), build_coupon()

    payment = start_checkout(build_user(), product, "USD", coupon="SPRING-25")
    assert pay(gateways, payment) == "paid"

    assert used(coupon) == (1, ["consumed"])
    assert lines_of(payment.sale_entry_id) == [
        ("available", 2_400), ("fees", 600), ("gateway-stripe", -2_250), ("promotions", -750),
    ]  # fmt: skip


def test_a_fixed_amount_is_for_the_currencies_that_it_names():
    build_coupon(amounts=(Money(500_000, "NGN"),))
    product = build_product()

    assert start_checkout(build_user(), product, coupon="SPRING-25").amount_minor == 2_000_000
    with pytest.raises(CouponNotApplicable, match=r"takes nothing off USD 30\.00"):
        start_checkout(build_user(), product, "USD", coupon="SPRING-25")
    assert Payment.objects.count() == 1


def test_the_receipt_and_the_sellers_notice_show_the_discount(gateways):
    build_coupon()
    payment = start_checkout(build_user(), build_product(seller=build_user()), coupon="SPRING-25")

    pay(gateways, payment)

    receipt = OutboundMail.objects.get(key=f"payment:{payment.pk}:receipt").text
    assert "You paid NGN 18,750.00" in receipt
    assert "Price: NGN 25,000.00\nDiscount: NGN 6,250.00 by coupon SPRING-25\n" in receipt
    notice = OutboundMail.objects.get(key=f"payment:{payment.pk}:sale_notice").text
    assert "was bought for NGN 18,750.00 with the coupon SPRING-25." in notice
    assert "your share is that of the full price, NGN 25,000.00." in notice
    assert "Your share is NGN 20,000.00" in notice


def test_without_a_coupon_a_receipt_says_nothing_of_discounts(gateways):
    payment = start_checkout(build_user(), build_product())

    pay(gateways, payment)

    assert "iscount" not in OutboundMail.objects.get(key=f"payment:{payment.pk}:receipt").text


# --- nothing left to pay


def test_all_of_the_price_off_opens_it_without_a_gateway_and_the_creator_bears_it():
    creator, learner = build_user(), build_user()
    product, coupon = build_product(seller=creator), build_coupon(owner=creator, percent_bps=10_000)

    payment = start_checkout(learner, product, coupon="SPRING-25")

    assert (payment.status, payment.gateway, payment.checkout_url, payment.amount_minor) == ("paid", "", "", 0)
    assert explain(learner, product).granted
    assert used(coupon) == (1, ["consumed"])
    assert not JournalEntry.objects.exists()
    assert [mail.key for mail in OutboundMail.objects.all()] == [f"payment:{payment.pk}:receipt"]


def test_all_of_the_price_off_at_the_platforms_cost_pays_the_creator_the_full_share():
    creator, learner = build_user(), build_user()
    product, coupon = build_product(seller=creator), build_coupon(percent_bps=10_000)

    payment = start_checkout(learner, product, coupon="SPRING-25")

    assert (payment.status, payment.gateway, payment.platform_fee_minor) == ("paid", "", 500_000)
    assert explain(learner, product).granted
    assert lines_of(payment.sale_entry_id) == [("available", 2_000_000), ("fees", 500_000), ("promotions", -2_500_000)]
    assert used(coupon) == (1, ["consumed"])


def test_what_cost_nothing_has_nothing_to_refund(gateways):
    build_coupon(percent_bps=10_000)
    payment = start_checkout(build_user(), build_product(seller=build_user()), coupon="SPRING-25")

    answer = ask_for_refund(gateways.url, payment, payment.buyer)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "nothing_to_refund")
    assert platform_balance(kind=AccountKind.PROMOTIONS, currency="NGN") == -2_500_000


@pytest.mark.parametrize("outcome", [Outcome.REVIEW, Outcome.BLOCK])
def test_what_the_platform_would_pay_for_is_refused_where_the_checks_for_fraud_do_not_allow_it(outcome):
    only_rule(RuleKind.AMOUNT, {"at_least": {"NGN": 2_500_000}}, purpose=Purpose.CHECKOUT, outcome=outcome)
    creator, learner = build_user(), build_user()
    product, coupon = build_product(seller=creator), build_coupon(percent_bps=10_000, max_uses=1)

    for _ in range(2):
        with pytest.raises(PurchaseRefused):
            start_checkout(learner, product, coupon="SPRING-25", idempotency_key="the same")

    payment, decision = Payment.objects.get(), Decision.objects.get()
    assert (payment.status, payment.settled_at, payment.sale_entry_id) == ("failed", None, None)
    assert (decision.subject_id, decision.outcome, decision.inputs["amount_minor"]) == (payment.pk, outcome, 2_500_000)
    assert not explain(learner, product).granted
    assert used(coupon) == (0, ["released"])
    assert not JournalEntry.objects.exists()
    assert not OutboundMail.objects.exists()


def test_what_costs_the_platform_nothing_is_not_checked_for_fraud():
    only_rule(RuleKind.AMOUNT, {"at_least": {"NGN": 1}}, purpose=Purpose.CHECKOUT, outcome=Outcome.BLOCK)
    creator = build_user()
    build_coupon(owner=creator, percent_bps=10_000)
    build_coupon(percent_bps=10_000)

    for seller in (creator, None):
        assert start_checkout(build_user(), build_product(seller=seller), coupon="SPRING-25").status == "paid"

    assert not Decision.objects.exists()


def test_the_checks_for_fraud_see_all_that_is_shared_out_and_not_only_what_the_buyer_pays(gateways):
    creator = build_user()
    build_coupon(percent_bps=9_900)

    start_checkout(build_user(), build_product(seller=creator), coupon="SPRING-25")

    assert Decision.objects.get().inputs["amount_minor"] == 2_500_000


def test_a_coupon_at_the_platforms_cost_is_not_for_what_its_maker_sells():
    maker, learner = build_user(), build_user()
    coupon, theirs = build_coupon(percent_bps=10_000, created_by=maker), build_product(seller=maker)

    with pytest.raises(CouponNotApplicable):
        start_checkout(learner, theirs, coupon="SPRING-25")

    assert (used(coupon), Payment.objects.count(), JournalEntry.objects.count()) == ((0, []), 0, 0)
    assert start_checkout(learner, build_product(seller=build_user()), coupon="SPRING-25").status == "paid"


# --- which coupon applies


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"active": False}, CouponExpired),
        ({"starts_at": now() - timedelta(days=2), "ends_at": now() - timedelta(days=1)}, CouponExpired),
        ({"starts_at": now() + timedelta(days=1)}, CouponUnknown),
    ],
)
def test_outside_of_its_time_a_coupon_takes_nothing_off(fields, error):
    coupon = build_coupon(**fields)

    with pytest.raises(error):
        start_checkout(build_user(), build_product(), coupon="SPRING-25")

    assert used(coupon) == (0, [])
    assert not Payment.objects.exists()


@pytest.mark.parametrize("code", ["SPRING-26", "SPR", "spring_25", "S" * 90, "🎁🎁🎁🎁", "' OR 1=1"])
def test_an_unknown_code_is_refused_and_nothing_begins(code):
    build_coupon()

    with pytest.raises(CouponUnknown):
        start_checkout(build_user(), build_product(), coupon=code)

    assert not Payment.objects.exists()


def test_other_creators_codes_are_unknown_here_and_ones_own_goes_before_the_platforms():
    ada, bola = build_user(), build_user()
    build_coupon(owner=bola, percent_bps=9_000)
    with pytest.raises(CouponUnknown):
        start_checkout(build_user(), build_product(seller=ada), coupon="SPRING-25")

    build_coupon(percent_bps=1_000)
    of_ada, of_bola, of_nobody = (
        start_checkout(build_user(), build_product(seller=seller), coupon="SPRING-25") for seller in (ada, bola, None)
    )

    assert [payment.discount_minor for payment in (of_ada, of_bola, of_nobody)] == [250_000, 2_250_000, 250_000]


def test_the_platforms_coupon_applies_where_the_creators_of_the_same_code_is_for_something_else():
    ada = build_user()
    one, other = build_product(seller=ada), build_product(seller=ada)
    build_coupon(owner=ada, product=one, percent_bps=5_000)
    with pytest.raises(CouponNotApplicable, match="not for what you are buying"):
        start_checkout(build_user(), other, coupon="SPRING-25")

    build_coupon(percent_bps=1_000)

    assert start_checkout(build_user(), one, coupon="SPRING-25").discount_minor == 1_250_000
    assert start_checkout(build_user(), other, coupon="SPRING-25").discount_minor == 250_000


def test_a_coupon_of_the_platform_may_be_for_one_creator_or_one_item():
    ada = build_user()
    item, another = build_product(), build_product()
    build_coupon("OFADA", seller=ada)
    build_coupon("ONEITEM", product=item)

    assert start_checkout(build_user(), build_product(seller=ada), coupon="ofada").discount_minor == 625_000
    assert start_checkout(build_user(), item, coupon="oneitem").discount_minor == 625_000
    for product, code in ((another, "ONEITEM"), (build_product(seller=build_user()), "OFADA"), (item, "OFADA")):
        with pytest.raises(CouponNotApplicable):
            start_checkout(build_user(), product, coupon=code)


def test_what_is_free_takes_no_coupon():
    coupon = build_coupon()

    with pytest.raises(CouponNotApplicable, match="free of charge"):
        start_checkout(build_user(), build_product(prices=(Money(0, "NGN"),)), coupon="SPRING-25")

    assert used(coupon) == (0, [])


@pytest.mark.parametrize("bps", [9_900, 9_999])
def test_less_than_the_gateway_charges_is_refused_and_says_what_the_least_is(bps):
    """USD 0.30, or less than a cent: neither side has agreed to a free one."""
    coupon = build_coupon(percent_bps=bps)

    with pytest.raises(CouponMinimum) as refusal:
        start_checkout(build_user(), build_product(), "USD", coupon="SPRING-25")

    assert refusal.value.extra == {"minimum_amount": "0.50", "currency": "USD"}
    assert used(coupon) == (0, [])


@pytest.mark.parametrize(
    ("price", "bps", "discount"),
    [
        (Money(1_203, "JPY"), 3_333, 401),  # 400.96
        (Money(10_010, "KWD"), 3_333, 3_330),  # 3.336, and what is left goes in steps of 0.010
        (Money(3_333, "USD"), 3_333, 1_111),
    ],
    ids=str,
)
def test_a_percentage_is_rounded_in_every_currency_to_what_the_gateway_charges(gateways, price, bps, discount):
    build_coupon(percent_bps=bps)
    product = build_product(seller=build_user(), prices=(price,))

    payment = start_checkout(build_user(), product, price.currency, coupon="SPRING-25")

    assert (payment.discount_minor, payment.amount_minor) == (discount, price.minor - discount)
    assert pay(gateways, payment) == "paid"
    fee = payment.platform_fee_minor
    assert lines_of(payment.sale_entry_id) == [
        ("available", price.minor - fee), ("fees", fee), ("gateway-stripe", discount - price.minor),
        ("promotions", -discount),
    ]  # fmt: skip


# --- how often


def test_the_last_use_is_somebodys_until_their_checkout_ends():
    coupon, product = build_coupon(max_uses=1), build_product()
    first = start_checkout(build_user(), product, coupon="SPRING-25")

    with pytest.raises(CouponUsedUp):
        start_checkout(build_user(), product, coupon="SPRING-25")
    assert used(coupon) == (1, ["reserved"])

    checkout_ended(first)
    start_checkout(build_user(), product, coupon="SPRING-25")
    assert used(coupon) == (1, ["released", "reserved"])


def test_a_use_outlives_its_checkout_by_as_long_as_a_payment_may_be_on_its_way():
    coupon, product = build_coupon(max_uses=1), build_product()
    checkout_ended(start_checkout(build_user(), product, coupon="SPRING-25"), ago=timedelta(minutes=9))

    with pytest.raises(CouponUsedUp):
        start_checkout(build_user(), product, coupon="SPRING-25")

    assert used(coupon) == (1, ["reserved"])


def test_one_person_uses_it_so_often_and_no_more(gateways):
    learner, coupon = build_user(), build_coupon(max_uses_per_user=1)
    payment = start_checkout(learner, build_product(), coupon="SPRING-25")

    with pytest.raises(CouponUsedUp, match=f"Your checkout {payment.reference} holds this coupon") as held:
        start_checkout(learner, build_product(), coupon="SPRING-25")
    assert held.value.extra is not None
    assert held.value.extra["payment_reference"] == payment.reference

    pay(gateways, payment)
    with pytest.raises(CouponUsedUp, match="You have used this coupon already"):
        start_checkout(learner, build_product(), coupon="SPRING-25")
    start_checkout(build_user(), build_product(), coupon="SPRING-25")
    assert used(coupon) == (2, ["consumed", "reserved"])


def test_a_checkout_that_the_gateway_refuses_to_open_gives_the_use_back(gateways):
    coupon = build_coupon(max_uses=1)
    gateways.control.fault("error", provider="paystack", path="*/initialize", times=1, status=400)

    with pytest.raises(GatewayRejected):
        start_checkout(build_user(), build_product(), coupon="SPRING-25")

    assert used(coupon) == (0, ["released"])


def test_a_declined_card_keeps_the_use_until_the_checkout_ends(gateways):
    coupon = build_coupon(max_uses=1)
    payment = start_checkout(build_user(), build_product(), coupon="SPRING-25")
    gateways.control.decline("paystack", payment.reference)

    payment_settle(reference=payment.reference)
    assert used(coupon) == (1, ["reserved"])

    checkout_ended(payment)
    payment_settle(reference=payment.reference)
    assert used(coupon) == (0, ["released"])


def test_a_refund_gives_no_use_back(gateways):
    coupon = build_coupon(max_uses=1)
    payment = start_checkout(build_user(), build_product(seller=build_user()), coupon="SPRING-25")
    pay(gateways, payment)

    assert ask_for_refund(gateways.url, payment, payment.buyer).status_code == 201

    assert used(coupon) == (1, ["consumed"])


# --- paid late


def test_who_pays_late_has_the_discount_while_a_use_is_free_also_when_the_coupon_has_ended(gateways):
    coupon = build_coupon(max_uses=1)
    payment = start_checkout(build_user(), build_product(), coupon="SPRING-25")
    checkout_ended(payment)
    payment_settle(reference=payment.reference)
    assert used(coupon) == (0, ["released"])
    Coupon.objects.update(active=False)

    assert pay(gateways, payment) == "paid"

    assert used(coupon) == (1, ["consumed"])


def test_who_pays_late_when_the_last_use_was_taken_gets_all_of_it_back_and_hears_why(gateways, run_jobs):
    creator, coupon = build_user(), build_coupon(max_uses=1)
    product = build_product(seller=creator)
    late = start_checkout(build_user(), product, coupon="SPRING-25")
    checkout_ended(late)
    quick = start_checkout(build_user(), product, coupon="SPRING-25")
    assert pay(gateways, quick) == "paid"

    assert pay(gateways, late) == "refunded"
    run_jobs()

    assert used(coupon) == (1, ["released", "consumed"])
    assert (late.review_reason, Refund.objects.get().amount_minor) == ("coupon_used_up", 1_875_000)
    assert gateways.control.rows("paystack.refunds")[0]["amount"] == 1_875_000
    assert not Entitlement.objects.filter(user=late.buyer).exists()
    assert platform_balance(kind=AccountKind.UNSETTLED, currency="NGN") == 0
    assert platform_balance(kind=AccountKind.PROMOTIONS, currency="NGN") == -625_000
    assert balances_of(user=creator)[0].available == 2_000_000
    mail = OutboundMail.objects.get(to=late.buyer.email)
    assert mail.subject == "You paid after your coupon was used up: NGN 18,750.00 is on its way back"
    assert "SPRING-25" in mail.text


def test_a_second_payment_for_the_same_thing_gives_its_use_back(gateways, run_jobs):
    learner, coupon, product = build_user(), build_coupon(max_uses=2), build_product()
    first, second = (start_checkout(learner, product, coupon="SPRING-25") for _ in range(2))

    assert [pay(gateways, first), pay(gateways, second)] == ["paid", "refunded"]
    run_jobs()

    assert used(coupon) == (1, ["consumed", "released"])


# --- under one key


def test_the_coupon_is_a_part_of_the_purchase_that_a_key_began():
    learner, product, coupon = build_user(), build_product(), build_coupon(max_uses_per_user=1)
    payment = start_checkout(learner, product, coupon="SPRING-25", idempotency_key="once")

    assert start_checkout(learner, product, coupon="spring-25", idempotency_key="once").pk == payment.pk
    for other in (None, "AUTUMN-25"):
        with pytest.raises(PurchaseKeyReused):
            start_checkout(learner, product, coupon=other, idempotency_key="once")
    assert used(coupon) == (1, ["reserved"])
