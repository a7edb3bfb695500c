"""How a refund is taken back from the creator and the platform: exact, whatever the parts and their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning247.kit.money import share_of
from payments.split import parts_of_refund


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
