"""Passes stand in the shop with their prices."""

import pytest
from rest_framework.test import APIClient

from accounts.tests.builders import build_admin
from courses.selectors.passes import course_pass_of
from courses.services.passes import course_pass_prices_set
from learning247.kit.money import Money

pytestmark = pytest.mark.django_db

FIRST = [
    {
        "access_type": "monthly",
        "title": "Monthly pass to every platform course",
        "term_months": 1,
        "prices": [{"currency": "NGN", "amount": "35000.00"}, {"currency": "USD", "amount": "42.00"}],
    },
    {
        "access_type": "yearly",
        "title": "Yearly pass to every platform course",
        "term_months": 12,
        "prices": [{"currency": "NGN", "amount": "280000.00"}, {"currency": "USD", "amount": "336.00"}],
    },
]


def test_everybody_sees_what_a_pass_costs() -> None:
    assert APIClient().get("/api/courses/passes").json() == FIRST


def test_the_prices_that_staff_set_are_the_ones_shown() -> None:
    monthly = course_pass_of("monthly")
    course_pass_prices_set(
        course_pass_id=monthly.id,
        prices=[Money(3_300, "GBP"), Money(4_000, "EUR")],
        staff=build_admin(),
        reason="A new year",
    )

    shown = APIClient().get("/api/courses/passes").json()

    assert shown[0]["prices"] == [{"currency": "EUR", "amount": "40.00"}, {"currency": "GBP", "amount": "33.00"}]
    assert shown[1] == FIRST[1]
