"""Every list, of the API and of the console, asks the database as often for 300 rows as for 3."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
import redis
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, get_resolver, resolve, reverse
from rest_framework.test import APIClient

from accounts.models import Session, User
from accounts.tests.builders import build_admin, build_creator, sign_in
from courses.enums import CourseStatus, EnrollmentStatus
from courses.models import Course, Department, Enrollment
from courses.tests.builders import build_department
from learning247.kit.api.answers import forget_in_process
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.outbound_webhooks.models import (
    DeliveryAttempt,
    OutboundEvent,
    WebhookDelivery,
    WebhookEndpoint,
)
from learning247.records.models import AuditEntry
from payments.enums import (
    CouponBearer,
    EntitlementSource,
    GatewayName,
    PaymentStatus,
    ProductKind,
    RefundSource,
    ReviewReason,
)
from payments.models import (
    Coupon,
    CouponAmount,
    CouponRedemption,
    Entitlement,
    Payment,
    PaymentReview,
    Price,
    Product,
    Refund,
)
from wallets.models import Withdrawal
from wallets.tests.builders import post_sale
from wallets.tests.withdrawing import build_account

pytestmark = pytest.mark.django_db

FEW, MANY, LARGEST_PAGE = 3, 300, 100
# What to ask, and how many rows a page then has.
LISTS = {
    "/api/courses": LARGEST_PAGE,
    "/api/courses?search=lesson": LARGEST_PAGE,
    "/api/courses/departments": LARGEST_PAGE,
    "/api/courses/departments/law/courses?ordering=-enrollment_count": LARGEST_PAGE,
    "/api/courses/departments/law/courses?search=lesson": LARGEST_PAGE,
    "/api/courses/search?q=lesson": LARGEST_PAGE,
    "/api/courses/passes": 2,
    "/api/courses/mine": LARGEST_PAGE,
    "/api/courses/my-enrollments": LARGEST_PAGE,
    "/api/payments": LARGEST_PAGE,
    "/api/payments/L247-given-back/refunds": LARGEST_PAGE,
    "/api/payments/coupons": LARGEST_PAGE,
    "/api/wallet/transactions": LARGEST_PAGE,
    "/api/wallet/bank-accounts": LARGEST_PAGE,
    "/api/wallet/withdrawals": LARGEST_PAGE,
    "/api/admin/course-enrollments": LARGEST_PAGE,
    "/api/admin/course-enrollments?search=taken": LARGEST_PAGE,
    "/api/webhook-endpoints": LARGEST_PAGE,
    "/api/webhook-endpoints/019a5a3e-6f0c-7d1b-9a53-0b8f3f6a2c11/deliveries": LARGEST_PAGE,
    "/api/webhook-events": LARGEST_PAGE,
    "/api/admin/reviews": LARGEST_PAGE,
    "/auth/sessions": LARGEST_PAGE,
}
CONSOLE = {User: "person", Course: "lesson", Enrollment: "taken", Payment: "L247"}


class Site:
    """Rows for every list: `person` has written courses, bought others' and sold; everybody else has done one each."""

    def __init__(self) -> None:
        self.person = build_creator()
        self.staff = build_admin()
        self.department = build_department("Law")
        self._numbers = count()

    def grow(self, rows: int) -> None:
        """So many more in each list."""
        numbers = [next(self._numbers) for _ in range(rows)]
        Department.objects.bulk_create(Department(name=f"No {n}", slug=f"no-{n}") for n in numbers)
        people = User.objects.bulk_create(
            User(email=f"person-{n}@learning247.example", password="!", first_name="Person", last_name=f"No {n}")
            for n in numbers
        )
        theirs = self._courses(people)
        own = self._courses([self.person] * rows)
        self._sold(own, people)
        self._sold(theirs, [self.person] * rows)
        AuditEntry.objects.bulk_create(
            AuditEntry(actor=person, action="looked", subject_kind="user", subject_id=str(person.id))
            for person in people
        )
        Session.objects.bulk_create(
            Session(user=self.person, refresh_id=new_id().hex, expires_at=now() + timedelta(days=1)) for _ in numbers
        )
        entries = [post_sale(self.person.pk, gross_minor=100, fee_minor=20) for _ in numbers]
        self._refunded(entries)
        self._coupons(own)
        self._told(rows)
        self._withdrawn(people)
        self._asked(people)

    def _coupons(self, courses: list[Course]) -> None:
        """One of the person's for each course, used once."""
        coupons = Coupon.objects.bulk_create(
            Coupon(
                code=f"CODE-{course.pk.hex}",
                owner=self.person,
                created_by=self.person,
                bearer=CouponBearer.CREATOR,
                product=course.product,
                taken=1,
            )
            for course in courses
        )
        CouponAmount.objects.bulk_create(CouponAmount(coupon=row, currency="NGN", amount_minor=100) for row in coupons)
        CouponRedemption.objects.bulk_create(
            CouponRedemption(coupon=coupon, payment=payment, user=payment.buyer)
            for coupon in coupons
            for payment in Payment.objects.filter(product=coupon.product).select_related("buyer")
        )

    def _asked(self, buyers: list[User]) -> None:
        """About a payment of each."""
        PaymentReview.objects.bulk_create(
            PaymentReview(payment=payment, reason=ReviewReason.REFERENCE_MISMATCH, due_at=now(), assigned_to=buyer)
            for buyer in buyers
            for payment in Payment.objects.filter(buyer=buyer)[:1]
        )

    def _withdrawn(self, people: list[User]) -> None:
        """Of the person's money, to as many accounts more; and of everybody else's, once each."""
        numbers = [str(next(self._numbers)) for _ in people]
        accounts = [
            build_account(owner, number=number)
            for number in numbers
            for owner in (self.person, people[len(numbers) % len(people)])
        ]
        Withdrawal.objects.bulk_create(
            Withdrawal(
                reference=new_id().hex,
                owner=account.owner,
                account=account,
                method=account.method,
                currency="NGN",
                amount_minor=100,
                operation="test",
                idempotency_key=new_id().hex,
                expires_at=now(),
            )
            for account in accounts
        )

    def _refunded(self, entries: list[int]) -> None:
        """One payment of the person's, given back in so many parts more."""
        payment = Payment.objects.filter(reference="L247-given-back").first()
        if payment is None:
            payment = Payment.objects.filter(buyer=self.person).earliest("id")
            payment.reference = "L247-given-back"
            payment.save()
        Refund.objects.bulk_create(
            Refund(
                reference=f"L247-R{entry}",
                payment=payment,
                source=RefundSource.PLATFORM,
                reason="Given back.",
                currency="NGN",
                amount_minor=1,
                seller_minor=0,
                platform_minor=1,
                ends_access=False,
                entry_id=entry,
            )
            for entry in entries
        )

    def _told(self, rows: int) -> None:
        """So many more endpoints, and as many events that went to one of them."""
        first, _ = WebhookEndpoint.objects.get_or_create(
            id="019a5a3e-6f0c-7d1b-9a53-0b8f3f6a2c11", owner=self.person, url="https://hooks.example.com/"
        )
        WebhookEndpoint.objects.bulk_create(
            WebhookEndpoint(owner=self.person, url="https://hooks.example.com/") for _ in range(rows)
        )
        events = OutboundEvent.objects.bulk_create(
            OutboundEvent(key=new_id().hex, owner=self.person, event_type="ping", data={}) for _ in range(rows)
        )
        deliveries = WebhookDelivery.objects.bulk_create(
            WebhookDelivery(event=event, endpoint=first) for event in events
        )
        DeliveryAttempt.objects.bulk_create(
            DeliveryAttempt(delivery=delivery, milliseconds=1) for delivery in deliveries
        )

    def _courses(self, creators: list[User]) -> list[Course]:
        courses, products, prices = [], [], []
        for creator in creators:
            course = Course(title="Lesson", department=self.department, creator=creator, status=CourseStatus.PUBLISHED)
            course.slug = f"lesson-{course.pk.hex}"
            course.link = "https://classroom.example.com/room"
            course.product = Product(
                kind=ProductKind.COURSE, item_id=course.pk, title=course.title, seller=creator, active=True
            )
            courses.append(course)
            products.append(course.product)
            prices += [
                Price(product=course.product, currency=code, amount_minor=3_000_000 + len(courses))
                for code in ("NGN", "USD")
            ]
        Product.objects.bulk_create(products)
        Price.objects.bulk_create(prices)
        return Course.objects.bulk_create(courses)

    def _sold(self, courses: list[Course], buyers: list[User]) -> None:
        """Free of charge, and the sign-in sent, each by another of the staff where the buyers differ."""
        moment = now()
        payments = [
            Payment(
                reference=f"L247-{new_id().hex}",
                buyer=buyer,
                product=course.product,
                status=PaymentStatus.PAID,
                gateway=GatewayName.PAYSTACK,
                currency="NGN",
                amount_minor=0,
                platform_fee_bps=0,
                operation="test",
                idempotency_key=new_id().hex,
                expires_at=moment,
                settled_at=moment,
            )
            for course, buyer in zip(courses, buyers, strict=True)
        ]
        rights = [
            Entitlement(user=payment.buyer, product=payment.product, source=EntitlementSource.PURCHASE, payment=payment)
            for payment in payments
        ]
        Payment.objects.bulk_create(payments)
        Entitlement.objects.bulk_create(rights)
        Enrollment.objects.bulk_create(
            Enrollment(
                user=right.user,
                course=course,
                status=EnrollmentStatus.CREDENTIALS_SENT,
                student_name="Taken by",
                student_email=right.user.email,
                payment=right.payment,
                entitlement=right,
                starts_at=right.starts_at,
                credentials_sent_at=moment,
                credentials_sent_by=right.user,
                credentials_mailed_at=moment,
            )
            for course, right in zip(courses, rights, strict=True)
        )


@pytest.fixture
def site() -> Site:
    return Site()


def statements(ask: Callable[[], Any]) -> tuple[int, Any]:
    """How many, with no answer kept from before; and the answer."""
    forget_in_process()
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    with CaptureQueriesContext(connection) as captured:
        answer = ask()
    assert answer.status_code == 200, answer.content
    return len(captured), answer


def routes(patterns: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLPattern):
            yield route, pattern.callback
        else:
            yield from routes(pattern.url_patterns, route)


def rows_of(answer: Any) -> int:
    body = answer.json()
    return len(body["results"] if isinstance(body, dict) else body)


def test_every_list_of_the_api_is_counted_here() -> None:
    lists = {
        route
        for route, view in routes(get_resolver().url_patterns)
        if {"list", "search"} & set(getattr(view, "actions", {}).values())
    }

    assert {resolve(address.partition("?")[0]).route for address in LISTS} == lists


def test_a_list_of_the_api_costs_the_same_statements_for_3_rows_and_for_300(site: Site) -> None:
    person, staff = APIClient(), APIClient()
    sign_in(person, site.person)
    sign_in(staff, site.staff)

    def asked() -> dict[str, tuple[int, int]]:
        """Statements and rows by address."""
        found = {}
        for address in LISTS:
            client = staff if address.startswith("/api/admin/") else person
            number, answer = statements(
                partial(client.get, f"{address}{'&' if '?' in address else '?'}page_size={LARGEST_PAGE}")
            )
            found[address] = (number, rows_of(answer))
        return found

    site.grow(FEW)
    few = asked()
    site.grow(MANY - FEW)
    many = asked()

    assert {address: number for address, (number, _) in many.items()} == {
        address: number for address, (number, _) in few.items()
    }
    assert {address: rows for address, (_, rows) in many.items()} == LISTS
    assert max(number for number, _ in many.values()) <= 8


def test_a_list_of_the_console_costs_the_same_statements_for_3_rows_and_for_300(site: Site, client: Client) -> None:
    client.force_login(site.staff)
    pages = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in admin.site._registry
    ]
    for model, words in CONSOLE.items():
        pages.append(f"{reverse(f'admin:{model._meta.app_label}_{model._meta.model_name}_changelist')}?q={words}")

    def asked() -> dict[str, int]:
        return {page: statements(partial(client.get, page))[0] for page in pages}

    site.grow(FEW)
    asked()  # the first opening of all keeps content types and the like
    few = asked()
    site.grow(MANY - FEW)

    assert asked() == few
    for model in CONSOLE:
        assert model._default_manager.count() >= MANY
