"""Passes: what they cost, what they open and until when, and how one follows another."""

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.builders import build_admin, build_creator, build_user, sign_in
from courses.enums import CourseStatus
from courses.models import Course, CoursePass, Enrollment
from courses.proofs import every_enrollment_has_its_entitlement
from courses.selectors.courses import course_get_for
from courses.selectors.enrollments import enrollment_history
from courses.selectors.passes import course_pass_of
from courses.services.courses import course_withdraw
from courses.services.enrollments import enrollment_grant, enrollment_mark, enrollment_revoke
from courses.tests.builders import build_course, build_enrollment
from learning247.kit.clock import now
from learning247.kit.money import Money
from learning247.records.checks import Scope
from learning247.records.models import OutboundMail
from payments.access import explain, opened
from payments.enums import ProductKind
from payments.models import Entitlement, Payment, Price
from payments.proofs import rights_are_audited, terms_do_not_overlap
from payments.services.products import prices_set
from payments.terms import term_end

pytestmark = pytest.mark.django_db

NGN = "NGN"


@pytest.fixture
def learner() -> User:
    return build_user(first_name="Tunde", last_name="Bello", phone="+2348012345678", verified=True)


@pytest.fixture
def client(learner: User) -> APIClient:
    client = APIClient()
    sign_in(client, learner)
    return client


@pytest.fixture
def free_passes() -> None:
    """Passes that need no gateway: what they open is the same."""
    for access_type in ("monthly", "yearly"):
        prices_set(product=course_pass_of(access_type).product, prices=[Money(0, NGN)])


def buy(client: APIClient, course: Course, access_type: str = "monthly", *, key: str = "a", **body: Any) -> Any:
    return client.post(
        f"/api/courses/{course.id}/purchase",
        {"currency": NGN, "access_type": access_type, **body},
        format="json",
        headers={"Idempotency-Key": key},
    )


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["errors"][0]["code"]


def give(user: User, access_type: str = "monthly") -> Enrollment:
    return enrollment_grant(
        user=user, course=None, access_type=access_type, student={}, notes="", reason="a prize", actor=build_admin()
    )


def move_end(enrollment: Enrollment, ends_in: timedelta) -> None:
    """As if it had been bought so early that so much is left of it."""
    entitlement = Entitlement.objects.get(id=enrollment.entitlement_id)
    assert entitlement.ends_at is not None
    ends_at = now() + ends_in
    starts_at = entitlement.starts_at - (entitlement.ends_at - ends_at)
    Entitlement.objects.filter(id=entitlement.id).update(starts_at=starts_at, ends_at=ends_at)
    Enrollment.objects.filter(id=enrollment.id).update(starts_at=starts_at, expires_at=ends_at)


def prices_of(access_type: str) -> dict[str, str]:
    prices = Price.objects.filter(product__course_pass__access_type=access_type)
    return {price.currency: price.money.amount for price in prices}


def breaches() -> list[str]:
    checks = (every_enrollment_has_its_entitlement, terms_do_not_overlap, rights_are_audited)
    return [breach.detail for check in checks for breach in check(Scope())]


def doors(user: User, course: Course) -> tuple[bool, bool, bool]:
    """What each way of asking says: explain, the list condition, and whether the page has the link."""
    listed = Course.objects.filter(opened(user, ProductKind.COURSE), id=course.id).exists()
    linked = bool(course_get_for(user, str(course.id)).viewer_may_open)  # type: ignore[attr-defined]
    return explain(user, Course.objects.get(id=course.id).product).granted, listed, linked


def test_both_passes_come_with_the_database_at_their_first_prices() -> None:
    assert [(row.access_type, row.product.term_months) for row in CoursePass.objects.select_related("product")] == [
        ("monthly", 1),
        ("yearly", 12),
    ]
    assert prices_of("monthly") == {"NGN": "35000.00", "USD": "42.00"}
    assert prices_of("yearly") == {"NGN": "280000.00", "USD": "336.00"}


def test_where_passes_were_sold_before_the_migration_adds_only_what_is_missing(free_passes: None) -> None:
    monthly, yearly = course_pass_of("monthly"), course_pass_of("yearly")
    yearly.delete()

    import_module("courses.migrations.0006_course_passes").put_on_sale(apps, None)

    assert course_pass_of("monthly").id == monthly.id
    assert prices_of("monthly") == {"NGN": "0.00"}
    assert course_pass_of("yearly").id != yearly.id
    assert prices_of("yearly") == {"NGN": "280000.00", "USD": "336.00"}


def test_a_pass_enrolls_its_student_in_no_course_for_a_calendar_month(
    client: APIClient, learner: User, free_passes: None
) -> None:
    response = buy(client, build_course(), student={"name": "Ngozi Bello", "email": "ngozi@example.com"})

    assert response.status_code == 201, response.json()
    assert response.json()["item"]["type"] == "course_pass"
    enrollment = Enrollment.objects.get()
    assert (enrollment.course, enrollment.access_type, enrollment.user) == (None, "monthly", learner)
    assert (enrollment.student_name, enrollment.student_email) == ("Ngozi Bello", "ngozi@example.com")
    assert enrollment.expires_at == term_end(enrollment.starts_at, 1)
    (mine,) = client.get("/api/courses/my-enrollments").json()["results"]
    assert (mine["course"], mine["access_type"], mine["status"]) == (None, "monthly", "pending")
    assert mine["student"] == {"name": "Ngozi Bello", "email": "ngozi@example.com", "phone": "+2348012345678"}
    assert mine["expires_at"] is not None
    assert breaches() == []


def test_a_yearly_pass_lasts_for_a_calendar_year(client: APIClient, free_passes: None) -> None:
    assert buy(client, build_course(), "yearly").status_code == 201
    enrollment = Enrollment.objects.get()
    assert enrollment.expires_at == term_end(enrollment.starts_at, 12)


def test_a_pass_opens_every_platform_course_on_sale_at_every_door(learner: User) -> None:
    platform, other = build_course(), build_course()
    creators = build_course(creator=build_creator())
    draft = build_course(status=CourseStatus.DRAFT)
    assert doors(learner, platform) == (False, False, False)

    give(learner)

    assert doors(learner, platform) == doors(learner, other) == (True, True, True)
    assert doors(learner, creators) == (False, False, False)
    assert not explain(learner, draft.product).granted
    assert not Course.objects.filter(opened(learner, ProductKind.COURSE), id=draft.id).exists()
    grant = explain(learner, platform.product).grant
    assert grant is not None
    assert grant.ends_at == Enrollment.objects.get().expires_at
    assert doors(build_user(), platform) == (False, False, False)


def test_a_withdrawn_course_leaves_the_passes_but_not_its_buyers(learner: User) -> None:
    bought, open_by_pass = build_course(), build_course()
    build_enrollment(bought, user=learner)
    give(learner)
    for course in (bought, open_by_pass):
        course_withdraw(course_id=course.id, actor=None)

    assert doors(learner, bought) == (True, True, True)
    assert not explain(learner, Course.objects.get(id=open_by_pass.id).product).granted
    assert not Course.objects.filter(opened(learner, ProductKind.COURSE), id=open_by_pass.id).exists()


def test_when_the_pass_is_over_the_link_is_gone_and_the_door_says_why(client: APIClient, learner: User) -> None:
    course = build_course()
    enrollment = give(learner)
    assert client.get(f"/api/courses/{course.id}").json()["link"] == "https://classroom.example.com/room"

    move_end(enrollment, -timedelta(seconds=1))

    assert client.get(f"/api/courses/{course.id}").json()["link"] is None
    assert doors(learner, course) == (False, False, False)
    access = client.get("/api/payments/access", {"item_type": "course", "item_id": str(course.id)}).json()
    assert (access["granted"], access["reason"], access["grant"]) == (False, "expired", None)
    (mine,) = client.get("/api/courses/my-enrollments").json()["results"]
    assert mine["status"] == "expired"


def test_a_pass_taken_back_closes_every_door(client: APIClient, learner: User) -> None:
    course = build_course()
    enrollment_revoke(enrollment_id=give(learner).id, reason="a mistake", actor=build_admin())

    assert doors(learner, course) == (False, False, False)
    assert explain(learner, course.product).reason == "revoked"


def test_a_course_that_a_pass_opens_can_be_bought_for_good(client: APIClient, learner: User) -> None:
    course = build_course(prices=(Money(0, NGN),))
    enrollment = give(learner)

    assert buy(client, course, "individual").status_code == 201

    grant = explain(learner, course.product).grant
    assert grant is not None
    assert grant.ends_at is None
    move_end(enrollment, -timedelta(days=1))
    assert doors(learner, course) == (True, True, True)
    assert refusal(buy(client, course, "individual", key="b")) == (409, "already_owned")


def test_a_revoked_course_is_open_again_by_a_pass_also_in_my_enrollments(client: APIClient, learner: User) -> None:
    course = build_course()
    enrollment_revoke(enrollment_id=build_enrollment(course, user=learner).id, reason="x", actor=build_admin())
    (mine,) = client.get("/api/courses/my-enrollments").json()["results"]
    assert mine["course"]["link"] is None

    give(learner)

    _, mine = client.get("/api/courses/my-enrollments").json()["results"]
    assert (mine["status"], mine["course"]["link"]) == ("revoked", "https://classroom.example.com/room")


# --- One after another


def test_the_same_pass_is_refused_while_more_than_seven_days_are_left(
    client: APIClient, learner: User, free_passes: None
) -> None:
    course = build_course()
    assert buy(client, course, key="a").status_code == 201
    move_end(Enrollment.objects.get(), timedelta(days=7, minutes=1))

    assert refusal(buy(client, course, key="b")) == (409, "already_owned")
    assert (Payment.objects.count(), Enrollment.objects.count()) == (1, 1)


def test_within_the_last_seven_days_the_next_pass_begins_when_this_one_ends(
    client: APIClient, learner: User, free_passes: None
) -> None:
    course = build_course()
    buy(client, course, key="a")
    first = Enrollment.objects.get()
    move_end(first, timedelta(days=6, hours=23))

    assert buy(client, course, key="b").status_code == 201

    first.refresh_from_db()
    second = Enrollment.objects.exclude(id=first.id).get()
    assert second.starts_at == first.expires_at
    assert second.expires_at == term_end(second.starts_at, 1)
    assert refusal(buy(client, course, key="c")) == (409, "already_owned")
    assert breaches() == []
    move_end(first, -timedelta(days=1))
    assert explain(learner, course.product).reason == "not_started"


def test_another_kind_of_pass_can_be_bought_at_any_time_and_loses_no_day(
    client: APIClient, learner: User, free_passes: None
) -> None:
    course = build_course()
    buy(client, course, "monthly", key="a")
    buy(client, course, "yearly", key="b")

    monthly, yearly = (Enrollment.objects.get(access_type=access_type) for access_type in ("monthly", "yearly"))
    assert yearly.starts_at == monthly.expires_at
    assert refusal(buy(client, course, "monthly", key="c")) == (409, "already_owned")
    assert refusal(buy(client, course, "yearly", key="d")) == (409, "already_owned")


def test_after_a_pass_that_is_over_or_revoked_the_next_begins_at_once(
    client: APIClient, learner: User, free_passes: None
) -> None:
    course = build_course()
    buy(client, course, key="a")
    move_end(Enrollment.objects.get(), -timedelta(hours=1))
    before = now()
    buy(client, course, key="b")
    second = Enrollment.objects.order_by("-id")[0]
    assert before <= second.starts_at <= now()

    enrollment_revoke(enrollment_id=second.id, reason="a mistake", actor=build_admin())
    buy(client, course, key="c")
    third = Enrollment.objects.order_by("-id")[0]
    assert before <= third.starts_at <= now()
    assert breaches() == []


def test_when_the_running_pass_is_taken_back_the_next_begins_at_once(
    client: APIClient, learner: User, free_passes: None
) -> None:
    course, staff = build_course(), build_admin()
    first = give(learner, "yearly")
    reference = buy(client, course, "monthly").json()["reference"]

    enrollment_revoke(enrollment_id=first.id, reason="a mistake", actor=staff)

    moment = Entitlement.objects.get(id=first.entitlement_id).revoked_at
    assert moment is not None
    second = Enrollment.objects.get(access_type="monthly")
    assert (second.starts_at, second.expires_at, second.status) == (moment, term_end(moment, 1), "pending")
    assert doors(learner, course) == (True, True, True)
    assert breaches() == []
    mine, _ = client.get("/api/courses/my-enrollments").json()["results"]
    assert datetime.fromisoformat(mine["starts_at"]) == moment
    term = client.get(f"/api/payments/{reference}").json()["term"]
    assert [datetime.fromisoformat(term[name]) for name in ("starts_at", "ends_at")] == [moment, term_end(moment, 1)]
    assert refusal(buy(client, course, "monthly", key="b")) == (409, "already_owned")
    assert buy(client, course, "yearly", key="c").status_code == 201


def test_who_takes_the_course_is_told_of_every_move_and_staff_see_it(learner: User) -> None:
    first, second = give(learner, "monthly"), give(learner, "yearly")
    move_end(first, timedelta(days=3))
    third = give(learner, "monthly")
    for enrollment in (second, first):
        enrollment_revoke(enrollment_id=enrollment.id, reason="a mistake", actor=build_admin())

    third.refresh_from_db()
    mails = OutboundMail.objects.filter(key__startswith=f"enrollment:{third.id}:enrollment_moved:").order_by("id")
    assert [mail.subject for mail in mails] == ["Your monthly pass begins sooner"] * 2
    assert f"runs until {third.expires_at:%-d %B %Y, %H:%M} UTC" in mails[1].text
    assert {mail.to for mail in mails} == {learner.email}
    moves = [entry for entry in enrollment_history(third) if entry.action == "enrollment.moved"]
    assert moves[0].before == moves[1].after
    assert moves[0].after is not None
    assert datetime.fromisoformat(moves[0].after["starts_at"]) == third.starts_at
    assert breaches() == []


# --- What is refused


def test_a_creators_course_sells_no_pass(client: APIClient, free_passes: None) -> None:
    course = build_course(creator=build_creator())
    for access_type in ("monthly", "yearly"):
        assert refusal(buy(client, course, access_type, key=access_type)) == (422, "access_type_not_available")
    assert not Payment.objects.exists()


def test_a_pass_without_a_price_in_that_currency_is_refused(client: APIClient) -> None:
    assert refusal(buy(client, build_course(), currency="GBP")) == (422, "currency_not_available")
    assert not Payment.objects.exists()


def test_the_same_key_for_another_kind_of_access_is_refused(client: APIClient, free_passes: None) -> None:
    course = build_course()
    buy(client, course, "monthly", key="a")
    assert refusal(buy(client, course, "yearly", key="a")) == (422, "idempotency_key_reused")
    assert Enrollment.objects.count() == 1


def test_my_enrollments_cost_the_same_for_three_rows_and_for_many(client: APIClient, learner: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/api/courses/my-enrollments?page_size=100").status_code == 200
        return len(captured)

    for _ in range(3):
        build_enrollment(build_course(), user=learner)
    give(learner)
    few = queries()
    for _ in range(20):
        build_enrollment(build_course(), user=learner)
    assert queries() == few


# --- What the proof finds


def test_i9_finds_passes_that_overlap_and_a_pass_without_an_enrollment(learner: User) -> None:
    first, second = give(learner, "monthly"), give(learner, "yearly")
    assert breaches() == []
    later = Entitlement.objects.get(id=second.entitlement_id)
    starts_at = later.starts_at - timedelta(days=1)
    Entitlement.objects.filter(id=later.id).update(starts_at=starts_at)
    Enrollment.objects.filter(id=second.id).update(starts_at=starts_at)
    assert breaches() == [f"entitlement {first.entitlement_id} of {learner.id} overlaps with {later.id}"]

    Enrollment.objects.all().delete()
    assert f"entitlement {later.id} of {learner.id} to a pass has no enrollment" in breaches()


def test_i9_finds_an_enrollment_of_another_access_type_than_its_pass(learner: User) -> None:
    enrollment = give(learner, "monthly")
    Enrollment.objects.filter(id=enrollment.id).update(access_type="yearly")
    (found,) = breaches()
    assert f"enrollment {enrollment.id} is pending" in found


def test_a_pass_that_waits_says_so_in_its_mail(learner: User) -> None:
    give(learner, "monthly")
    second = give(learner, "yearly")
    mail = OutboundMail.objects.get(key=f"enrollment:{second.id}:enrollment_granted")
    assert f"from {second.starts_at:%-d %B %Y, %H:%M} until {second.expires_at:%-d %B %Y, %H:%M} UTC" in mail.text


def test_the_mail_of_a_pass_names_no_page_as_the_place_to_sign_in(learner: User) -> None:
    given = give(learner, "monthly")
    enrollment_mark(enrollment_id=given.id, sent=True, notes=None, actor=build_admin())
    mail = OutboundMail.objects.get(key=f"enrollment:{given.id}:credentials_sent")
    for text in (mail.text, mail.html):
        assert "that mail says where to sign in, and with what" in text
        assert "/courses" not in text
