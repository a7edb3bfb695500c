"""The console's page of a course's prices."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.builders import build_admin, build_creator, build_user
from courses.enums import CourseStatus
from courses.errors import CoursePricesRefused
from courses.models import Course
from courses.services.courses import course_prices_set
from courses.tests.builders import build_course, build_enrollment
from learning247.kit.money import Money
from learning247.records.errors import ReasonRequired
from learning247.records.models import AuditEntry
from payments.enums import PaymentStatus
from payments.models import Payment

pytestmark = pytest.mark.django_db

FIRST = {"NGN": "25000.00", "USD": "30.00"}
REASON = {"reason": "A new year"}


@pytest.fixture
def staff() -> User:
    return build_admin()


@pytest.fixture
def console(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


def page_of(course: Course) -> str:
    return reverse("admin:courses_course_prices", args=[course.id])


def prices_of(course: Course) -> dict[str, str]:
    return {price.currency: price.money.amount for price in course.product.prices.all()}


def errors_of(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return [text for texts in answer.context["form"].errors.values() for text in texts]


def priced() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action="course.priced"))


def test_staff_set_the_prices_of_a_platform_course_on_record(console: Client, staff: User) -> None:
    course = build_course(title="Torts")
    change_page = console.get(reverse("admin:courses_course_change", args=[course.id]))
    assert page_of(course) in change_page.content.decode()
    assert 'value="25000.00"' in console.get(page_of(course)).content.decode()

    answer = console.post(
        page_of(course), {"NGN": "26000", "USD": "", "GBP": "24.50", "EUR": "29"} | REASON, follow=True
    )

    assert [str(message) for message in answer.context["messages"]] == ["Torts: NGN 26000.00, GBP 24.50, EUR 29.00."]
    assert prices_of(course) == {"NGN": "26000.00", "GBP": "24.50", "EUR": "29.00"}
    (entry,) = priced()
    assert (entry.actor, entry.subject_id, entry.before) == (staff, str(course.id), FIRST)
    assert entry.after == {"NGN": "26000.00", "GBP": "24.50", "EUR": "29.00"}
    assert entry.reason == "A new year"


@pytest.mark.parametrize("reason", ["", "  "])
def test_without_a_reason_no_price_changes(console: Client, staff: User, reason: str) -> None:
    course = build_course()

    answer = console.post(page_of(course), {"NGN": "26000", "reason": reason})

    assert errors_of(answer) == [ReasonRequired.detail]
    with pytest.raises(ReasonRequired):
        course_prices_set(course_id=course.id, prices=[Money(1, "NGN")], staff=staff, reason=reason)
    assert (prices_of(course), priced()) == (FIRST, [])


def test_the_same_prices_again_leave_no_trace(console: Client) -> None:
    course = build_course()
    assert console.post(page_of(course), FIRST | REASON).status_code == 302
    assert (prices_of(course), priced()) == (FIRST, [])


def test_zero_in_all_currencies_makes_a_course_free_of_charge(console: Client) -> None:
    course = build_course()
    assert console.post(page_of(course), {"NGN": "0", "USD": "0"} | REASON).status_code == 302
    assert prices_of(course) == {"NGN": "0.00", "USD": "0.00"}


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"NGN": "0", "USD": "30"}, "A course is free in every currency or in none."),
        ({}, "A published course needs at least one price. Withdraw it first."),
        ({"USD": "0.01"}, "The smallest price in USD is 0.50, or 0 for free of charge."),
        ({"USD": "12,50"}, 'Write the amount as digits with a dot, such as "25000.00".'),
    ],
)
def test_prices_that_make_no_sense_say_why_and_change_nothing(console: Client, sent: dict[str, str], said: str) -> None:
    course = build_course()
    assert errors_of(console.post(page_of(course), sent | REASON)) == [said]
    assert (prices_of(course), priced()) == (FIRST, [])


def test_a_withdrawn_course_may_have_no_price(console: Client) -> None:
    course = build_course(status=CourseStatus.WITHDRAWN)
    assert console.post(page_of(course), {} | REASON).status_code == 302
    assert prices_of(course) == {}


def test_a_creators_prices_are_the_creators(console: Client) -> None:
    course = build_course(creator=build_creator())
    shown = console.get(reverse("admin:courses_course_change", args=[course.id])).content.decode()
    assert page_of(course) not in shown

    answer = console.post(page_of(course), {"NGN": "1000"} | REASON)

    assert errors_of(answer) == ["The prices of a creator's course are its creator's to change."]
    assert (prices_of(course), priced()) == (FIRST, [])


@pytest.mark.parametrize(
    "prices",
    [[Money(100_000, "NGN"), Money(200_000, "NGN")], [Money(1, "USD")], [Money(0, "NGN"), Money(3_000, "USD")]],
)
def test_the_service_itself_refuses_what_the_page_would(staff: User, prices: list[Money]) -> None:
    course = build_course()
    with pytest.raises(CoursePricesRefused):
        course_prices_set(course_id=course.id, prices=prices, staff=staff, reason="A new year")
    assert (prices_of(course), priced()) == (FIRST, [])


def test_an_open_checkout_keeps_its_amount(console: Client) -> None:
    course = build_course()
    build_enrollment(course, amount_minor=2_500_000, status=PaymentStatus.PENDING, settled_at=None)

    console.post(page_of(course), {"NGN": "26000"} | REASON)

    assert Payment.objects.get().money == Money(2_500_000, "NGN")


def test_staff_without_the_right_set_no_prices(client: Client) -> None:
    course = build_course()
    reader = build_user(verified=True, is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_course"))
    client.force_login(reader)

    shown = client.get(reverse("admin:courses_course_change", args=[course.id])).content.decode()

    assert "NGN 25000.00" in shown
    assert page_of(course) not in shown
    assert client.get(page_of(course)).status_code == 403
    assert client.post(page_of(course), {"NGN": "1000"}).status_code == 403
    assert (prices_of(course), priced()) == (FIRST, [])


def test_a_course_that_is_not_there_has_no_prices(console: Client) -> None:
    gone = reverse("admin:courses_course_prices", args=["01890000-0000-7000-8000-000000000000"])
    assert console.get(gone).status_code == 404
