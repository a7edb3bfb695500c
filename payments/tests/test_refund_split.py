"""How a refund is taken back from the creator and the platform: exact, whatever the parts and their order."""

from operator import add

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning247.kit.money import share_of
from payments.split import Shares, parts_of_refund, shares_of_refund


@st.composite
def sales(draw):
    """(gross, fee, parts that make it up, which of them fail before the next is asked for)."""
    gross = draw(st.integers(1, 10**9))
    fee = share_of(gross, draw(st.integers(0, 10_000)))
    cuts = sorted(draw(st.sets(st.integers(1, gross), max_size=6)) | {gross})
    parts = [end - start for start, end in zip([0, *cuts], cuts, strict=False)]
    fails = draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts)))
    return gross, fee, parts, fails


@pytest.mark.property
@given(sales())
def test_parts_sum_to_exactly_what_the_sale_gave_also_when_some_fail_and_are_asked_for_again(sale):
    gross, fee, parts, fails = sale
    from_creator = from_platform = 0
    again = []
    for amount, failed in zip(parts, fails, strict=True):
        creators, platforms = parts_of_refund(amount, gross, fee, from_creator, from_platform)
        assert creators >= 0
        assert platforms >= 0
        assert creators + platforms == amount
        if failed:
            again.append(amount)
        else:
            from_creator, from_platform = from_creator + creators, from_platform + platforms
        assert from_creator <= gross - fee
        assert from_platform <= fee
    for amount in again:
        creators, platforms = parts_of_refund(amount, gross, fee, from_creator, from_platform)
        from_creator, from_platform = from_creator + creators, from_platform + platforms
    assert (from_creator, from_platform) == (gross - fee, fee)


@pytest.mark.property
@given(sales())
def test_one_that_fails_late_leaves_the_rest_exact(sale):
    gross, fee, parts, _ = sale
    taken: list[tuple[int, int]] = []
    for amount in parts:
        sums = [sum(column) for column in zip(*taken, strict=True)] or [0, 0]
        taken.append(parts_of_refund(amount, gross, fee, *sums))
    lost = taken.pop(0)  # the first came back after all others were done
    sums = [sum(column) for column in zip(*taken, strict=True)] or [0, 0]
    assert parts_of_refund(sum(lost), gross, fee, *sums) == lost


def test_the_platforms_part_is_rounded_once_over_all_that_went_back():
    """A fee of 0.33 on 1.00: thirds give back 0.11 each, and no minor unit is lost or made."""
    assert parts_of_refund(33, 100, 33, 0, 0) == (22, 11)
    assert parts_of_refund(33, 100, 33, 22, 11) == (22, 11)
    assert parts_of_refund(34, 100, 33, 44, 22) == (23, 11)


@st.composite
def discounted_sales(draw):
    """(what the buyer paid, what the platform paid of the price, fee, parts that go back, which of them fail)."""
    paid = draw(st.integers(1, 10**9))
    promotion = draw(st.integers(0, 10**9))
    fee = share_of(paid + promotion, draw(st.integers(0, 10_000)))
    cuts = sorted(draw(st.sets(st.integers(1, paid), max_size=6)) | {paid})
    parts = [end - start for start, end in zip([0, *cuts], cuts, strict=False)]
    fails = draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts)))
    return paid, promotion, fee, parts, fails


@pytest.mark.property
@given(discounted_sales())
def test_all_of_a_discounted_sale_takes_back_what_it_gave_whatever_the_parts_and_which_of_them_failed(sale):
    paid, promotion, fee, parts, fails = sale
    taken, again = Shares(0, 0, 0), []
    for amount, failed in [*zip(parts, fails, strict=True), (0, False)]:
        shares = shares_of_refund(amount, paid, promotion, fee, taken)
        assert min(shares) >= 0
        assert shares.to_buyer == amount
        if failed:
            again.append(amount)
        else:
            taken = Shares(*map(add, taken, shares))
        assert taken.from_creator <= paid + promotion - fee
        assert taken.from_platform <= fee
        assert taken.promotion <= promotion
    for amount in again:
        taken = Shares(*map(add, taken, shares_of_refund(amount, paid, promotion, fee, taken)))
    assert taken == Shares(paid + promotion - fee, fee, promotion)


@pytest.mark.property
@given(discounted_sales())
def test_one_of_a_discounted_sale_that_fails_late_leaves_the_rest_exact(sale):
    paid, promotion, fee, parts, _ = sale
    done: list[Shares] = []
    for amount in parts:
        done.append(shares_of_refund(amount, paid, promotion, fee, total(done)))
    lost = done.pop(0)  # the first came back after all others were done
    assert shares_of_refund(lost.to_buyer, paid, promotion, fee, total(done)) == lost


def test_without_a_promotion_a_refund_is_borne_as_ever():
    assert shares_of_refund(33, 100, 0, 33, Shares(22, 11, 0)) == Shares(*parts_of_refund(33, 100, 33, 22, 11), 0)


def test_half_of_what_was_paid_returns_half_of_the_promotion():
    """Of a price of 100.00 the buyer paid 75.00 and the platform 25.00; the fee is 20.00."""
    assert shares_of_refund(3_750, 7_500, 2_500, 2_000, Shares(0, 0, 0)) == Shares(4_000, 1_000, 1_250)


def total(shares: list[Shares]) -> Shares:
    return Shares(*(sum(column) for column in zip(*shares, strict=True))) if shares else Shares(0, 0, 0)
