"""Buying a course, being enrolled in it, and the proof that the two agree (I9)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.builders import build_creator, build_user, sign_in
from courses.enums import CourseStatus
from courses.models import Enrollment
from courses.proofs import every_enrollment_has_its_entitlement
from courses.services.enrollments import enrollment_create
from courses.tests.builders import build_course, build_enrollment
from learning247.kit.clock import now
from learning247.kit.money import Money
from learning247.records.checks import Scope
from payments.models import Entitlement, Payment

pytestmark = pytest.mark.django_db

FREE = (Money(0, "NGN"), Money(0, "USD"))


@pytest.fixture
def learner() -> User:
    return build_user(first_name="Tunde", last_name="Bello", phone="+2348012345678", verified=True)


@pytest.fixture
def client(learner: User) -> APIClient:
    client = APIClient()
    sign_in(client, learner)
    return client


def buy(client: APIClient, course: Any, body: dict[str, Any] | None = None, *, key: str = "first try") -> Any:
    return client.post(
        f"/api/courses/{getattr(course, 'id', course)}/purchase",
        {"currency": "NGN"} if body is None else body,
        format="json",
        headers={"Idempotency-Key": key},
    )


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["errors"][0]["code"]


def test_a_free_course_is_paid_at_once_and_enrolls_the_buyer(client: APIClient, learner: User) -> None:
    course = build_course(title="Learning Online", prices=FREE)

    response = buy(client, course)

    assert response.status_code == 201, response.json()
    payment = Payment.objects.get()
    shown = response.json()
    assert (shown["reference"], shown["status"], shown["amount"], shown["currency"], shown["checkout_url"]) == (
        payment.reference,
        "paid",
        "0.00",
        "NGN",
        None,
    )
    assert shown["item"] == {"type": "course", "id": str(course.id), "title": "Learning Online"}
    enrollment = Enrollment.objects.get()
    assert (enrollment.user, enrollment.course, enrollment.payment) == (learner, course, payment)
    assert (enrollment.student_name, enrollment.student_email, enrollment.student_phone) == (
        "Tunde Bello",
        learner.email,
        "+2348012345678",
    )
    assert enrollment.entitlement == Entitlement.objects.get()
    assert enrollment.starts_at == enrollment.entitlement.starts_at


def test_the_purchase_may_name_another_student(client: APIClient) -> None:
    course = build_course(prices=FREE)

    buy(client, course, {"currency": "USD", "student": {"name": "Ngozi Bello", "email": "ngozi@example.com"}})

    enrollment = Enrollment.objects.get()
    assert (enrollment.student_name, enrollment.student_email, enrollment.student_phone) == (
        "Ngozi Bello",
        "ngozi@example.com",
        "+2348012345678",
    )


def test_the_same_key_again_gives_the_same_answer_and_one_enrollment(client: APIClient) -> None:
    course = build_course(prices=FREE)

    first = buy(client, course)
    again = buy(client, course)

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Enrollment.objects.count() == Payment.objects.count() == 1


def test_what_one_owns_cannot_be_bought_again(client: APIClient, learner: User) -> None:
    course = build_course()
    build_enrollment(course, user=learner)

    assert refusal(buy(client, course)) == (409, "already_owned")
    assert Payment.objects.count() == Enrollment.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"currency": "GBP"}, (422, "currency_not_available")),
        ({"currency": "CHF"}, (422, "currency_not_available")),
        ({"currency": "GBP", "access_type": "monthly"}, (422, "currency_not_available")),
        ({"currency": "CHF", "access_type": "yearly"}, (422, "currency_not_available")),
        ({"currency": "NGN", "access_type": "daily"}, (400, "invalid_choice")),
        ({"currency": "ngn"}, (400, "invalid")),
        ({"currency": "NGN\n"}, (422, "currency_not_available")),
        ({}, (400, "required")),
        ({"currency": "NGN", "student": "me"}, (400, "invalid")),
        ({"currency": "NGN", "student": {"email": "nowhere"}}, (400, "invalid")),
    ],
)
def test_a_refused_purchase_leaves_nothing_behind(
    client: APIClient, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    course = build_course(prices=(Money(2_500_000, "NGN") if body.get("currency") != "NGN\n" else Money(0, "USD"),))

    assert refusal(buy(client, course, body)) == expected
    assert not Payment.objects.exists()
    assert not Enrollment.objects.exists()


def test_a_purchase_needs_a_key_and_somebody_who_buys(client: APIClient) -> None:
    course = build_course(prices=FREE)
    url = f"/api/courses/{course.id}/purchase"

    assert refusal(client.post(url, {"currency": "NGN"}, format="json")) == (400, "idempotency_key_required")
    assert buy(APIClient(), course).status_code == 401
    assert not Payment.objects.exists()


@pytest.mark.parametrize("status", [CourseStatus.DRAFT, CourseStatus.WITHDRAWN])
def test_what_is_not_on_sale_is_not_there_for_buyers(client: APIClient, status: CourseStatus) -> None:
    course = build_course(creator=build_creator(), status=status, prices=FREE)

    assert refusal(buy(client, course)) == (404, "course_not_found")
    assert refusal(buy(client, "not-a-uuid", key="second try")) == (404, "course_not_found")
    assert not Payment.objects.exists()


def test_my_enrollments_are_listed_newest_first_with_the_link_while_access_is_active(
    client: APIClient, learner: User
) -> None:
    first, second = build_course(title="First"), build_course(title="Second")
    kept = build_enrollment(first, user=learner)
    ended = build_enrollment(second, user=learner)
    ended.entitlement.revoked_at, ended.entitlement.revoked_reason = now(), "refunded"
    ended.entitlement.save()
    Enrollment.objects.filter(id=ended.id).update(status="revoked")
    build_enrollment(first)

    body = client.get("/api/courses/my-enrollments").json()

    assert body["count"] == 2
    rows = body["results"]
    assert [(row["id"], row["course"]["title"], row["status"], row["course"]["link"]) for row in rows] == [
        (str(ended.id), "Second", "revoked", None),
        (str(kept.id), "First", "pending", "https://classroom.example.com/room"),
    ]
    assert rows[1]["payment_reference"] == kept.payment.reference if kept.payment else None
    assert (rows[1]["access_type"], rows[1]["expires_at"]) == ("individual", None)
    assert rows[1]["starts_at"].endswith("Z")
    assert APIClient().get("/api/courses/my-enrollments").status_code == 401


def test_an_entitlement_has_one_enrollment_however_often_it_is_told() -> None:
    enrollment = build_enrollment(build_course())
    assert enrollment.payment is not None

    with transaction.atomic():
        enrollment_create(enrollment.entitlement, enrollment.payment)

    assert Enrollment.objects.count() == 1


def breaches() -> list[str]:
    return [breach.detail for breach in every_enrollment_has_its_entitlement(Scope())]


def test_the_proof_is_quiet_when_access_and_enrollment_agree() -> None:
    build_enrollment(build_course())
    build_enrollment(build_course())

    assert breaches() == []


@pytest.mark.parametrize(
    "broken",
    [
        {"status": "revoked"},
        {"expires_at": now() + timedelta(days=30)},
        {"starts_at": now() - timedelta(days=30)},
    ],
)
def test_the_proof_names_an_enrollment_that_differs_from_its_entitlement(broken: dict[str, Any]) -> None:
    enrollment = build_enrollment(build_course())
    build_enrollment(build_course())
    Enrollment.objects.filter(id=enrollment.id).update(**broken)

    (found,) = breaches()
    assert found.startswith(f"enrollment {enrollment.id} is ")


def test_the_proof_names_revoked_access_with_a_running_enrollment_and_access_without_one() -> None:
    revoked, lost = build_enrollment(build_course()), build_enrollment(build_course())
    Entitlement.objects.filter(id=revoked.entitlement_id).update(revoked_at=now(), revoked_reason="refunded")
    Enrollment.objects.filter(id=lost.id).delete()

    first, second = breaches()
    assert first.startswith(f"enrollment {revoked.id} is pending")
    assert second == f"entitlement {lost.entitlement_id} of {lost.user_id} to a course has no enrollment"


@pytest.mark.parametrize(
    "student",
    [
        {"name": "Ada\nBcc: all@example.com"},
        {"name": "Ada\x07"},
        {"name": "Ada \u202eecalevoL"},
        {"name": "Ada\u2066"},
        {"phone": "+234\n801"},
        {"phone": "+234\u2028801"},
        {"phone": 2348012345678},
    ],
)
def test_a_students_name_and_phone_are_lines_that_read_as_they_stand(client: APIClient, student: Any) -> None:
    response = buy(client, build_course(prices=FREE), {"currency": "NGN", "student": student})

    assert (response.status_code, response.json()["errors"][0]["attr"]) == (400, f"student.{next(iter(student))}")
    assert not Payment.objects.exists()
