"""Whatever a coupon takes off, whoever bears it, at any fee and in any currency: the sale's lines add to zero, the
creator gets what was agreed, and all that goes back leaves nothing."""

from operator import add

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from learning247.kit.money import BASIS_POINTS, CURRENCIES, Money
from payments.coupon_codes import code_read
from payments.discounts import Discounted, discount_of
from payments.selectors import charge_step
from payments.split import Shares, shares_of_refund, shares_of_sale

pytestmark = pytest.mark.property
# How long the machine takes to make a case says nothing about it.
UNHURRIED = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


@st.composite
def discounted(draw):
    """(a price with what a coupon takes off it, the percentage, whether the platform bears it, the platform's fee)."""
    currency = draw(st.sampled_from(CURRENCIES))
    step = charge_step(currency).minor
    price = Money(draw(st.integers(1, 10**9)) * step, currency)
    percent = draw(st.none() | st.integers(1, BASIS_POINTS))
    fixed = draw(st.integers(1, 2 * 10**9)) if percent is None else 0
    discount = discount_of(price.minor, percent_bps=percent, fixed_minor=fixed, step_minor=step)
    platform_bears = draw(st.booleans())
    fee_bps = draw(st.none() | st.integers(0, BASIS_POINTS))
    return Discounted(price, discount, discount if platform_bears else 0), percent, fixed, fee_bps


@UNHURRIED
@given(discounted())
def test_a_discount_is_never_more_than_agreed_nor_than_the_price_and_leaves_what_can_be_charged(case):
    quote, percent, fixed, _ = case
    price, step = quote.price.minor, charge_step(quote.price.currency).minor

    assert quote.discount.minor + quote.total.minor == price
    assert 0 <= quote.discount.minor <= price
    assert quote.total.minor % step == 0
    if percent is None:
        assert fixed - step < quote.discount.minor <= fixed or quote.total.minor == 0
    else:
        assert 2 * BASIS_POINTS * quote.discount.minor <= 2 * price * percent + BASIS_POINTS
        assert (quote.total.minor == 0) == (percent == BASIS_POINTS)


@UNHURRIED
@given(discounted(), st.lists(st.integers(1, 10**9), max_size=6))
def test_the_sale_adds_up_and_all_that_goes_back_leaves_nothing(case, cuts):
    quote, _, _, fee_bps = case
    paid, promotion = quote.total.minor, quote.promotion_minor
    creator, platform = shares_of_sale(paid + promotion, fee_bps)

    assert -paid - promotion + creator + platform == 0
    assert min(creator, platform) >= 0
    if promotion:
        assert (creator, platform) == shares_of_sale(quote.price.minor, fee_bps), "the discount is nobody else's"
    if paid == 0:
        return
    edges = sorted({cut for cut in cuts if cut < paid} | {paid})
    taken = Shares(0, 0, 0)
    for start, end in zip([0, *edges], edges, strict=False):
        shares = shares_of_refund(end - start, paid, promotion, platform, taken)
        assert shares.to_buyer == end - start
        assert min(shares) >= 0
        taken = Shares(*map(add, taken, shares))
    assert taken == Shares(creator, platform, promotion)


@given(st.text(max_size=100))
def test_whatever_is_typed_is_a_code_in_its_one_form_or_none(text):
    code = code_read(text)

    assert code == "" or (code_read(code) == code and code.isascii() and 4 <= len(code) <= 40)


def test_a_code_is_read_in_either_case_and_without_spaces():
    assert [code_read(text) for text in ("spring-25", " Spring - 25 ", "ＳＰＲＩＮＧ-25", "SPRING–25", "")] == [
        "SPRING-25", "SPRING-25", "SPRING-25", "", "",
    ]  # fmt: skip
