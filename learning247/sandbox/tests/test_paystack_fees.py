"""Paystack's Nigerian fee table, exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning247.sandbox.paystack.fees import charge_fee, transfer_fee, with_fee_on_top


@pytest.mark.parametrize(
    ("amount", "fee"),
    [
        (100_00, 1_50),
        (2_499_99, 37_50),
        (2_500_00, 137_50),
        (25_000_00, 475_00),
        (126_666_66, 2_000_00),
        (126_666_00, 1_999_99),
        (10_000_000_00, 2_000_00),
    ],
)
def test_a_local_card_costs_one_and_a_half_percent_and_a_hundred_naira_up_to_two_thousand(
    amount: int, fee: int
) -> None:
    assert charge_fee(amount, "NGN") == fee


def test_a_foreign_card_has_no_cap() -> None:
    assert charge_fee(1_000_000_00, "NGN", foreign_card=True) == 39_100_00


def test_a_dollar_payment_costs_three_point_nine_percent() -> None:
    assert charge_fee(30_00, "USD") == 1_17


@pytest.mark.parametrize(
    ("amount", "fee"), [(5_000_00, 10_00), (5_000_01, 25_00), (50_000_00, 25_00), (50_000_01, 50_00)]
)
def test_a_transfer_costs_ten_twenty_five_or_fifty_naira(amount: int, fee: int) -> None:
    assert transfer_fee(amount, "NGN") == fee


@given(st.integers(50_00, 10**12), st.booleans())
def test_a_fee_on_top_leaves_the_merchant_what_was_asked(amount: int, foreign: bool) -> None:
    gross = with_fee_on_top(amount, "NGN", foreign_card=foreign)
    assert gross - charge_fee(gross, "NGN", foreign_card=foreign) >= amount
