"""A course from draft to withdrawn: who may move it where, and what its buyers keep."""

from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.builders import build_admin, build_creator, build_user, sign_in
from courses.enums import CourseStatus
from courses.models import Course
from courses.tests.builders import build_course, build_enrollment
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from learning247.records.models import AuditEntry
from payments.models import Payment, Price, Product

LINK = "https://classroom.example.com/room"
DRAFT, PUBLISHED, WITHDRAWN = CourseStatus.DRAFT, CourseStatus.PUBLISHED, CourseStatus.WITHDRAWN


def as_person(person: User | None) -> APIClient:
    client = APIClient()
    if person is not None:
        sign_in(client, person)
    return client


def move(client: APIClient, course: Course, verb: str) -> Any:
    if verb == "delete":
        return client.delete(f"/api/courses/{course.id}")
    return client.post(f"/api/courses/{course.id}/{verb}")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("start", "verb", "answered", "end"),
    [
        (DRAFT, "publish", 200, "published"),
        (DRAFT, "withdraw", 409, "draft"),
        (DRAFT, "delete", 204, None),
        (PUBLISHED, "publish", 200, "published"),
        (PUBLISHED, "withdraw", 200, "withdrawn"),
        (PUBLISHED, "delete", 204, None),
        (WITHDRAWN, "publish", 200, "published"),
        (WITHDRAWN, "withdraw", 200, "withdrawn"),
        (WITHDRAWN, "delete", 204, None),
    ],
)
def test_its_creator_moves_an_unsold_course(start: CourseStatus, verb: str, answered: int, end: str | None) -> None:
    creator = build_creator()
    course = build_course(creator=creator, status=start)

    answer = move(as_person(creator), course, verb)

    assert answer.status_code == answered
    if end is None:
        assert (
            Course.objects.count(),
            Product.objects.filter(kind="course").count(),
            Price.objects.filter(product__kind="course").count(),
        ) == (0, 0, 0)
    else:
        course.refresh_from_db()
        assert (course.status, Product.objects.get(kind="course").active) == (end, end == "published")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("start", "verb", "end"),
    [
        (PUBLISHED, "withdraw", "withdrawn"),
        (PUBLISHED, "delete", "withdrawn"),
        (WITHDRAWN, "withdraw", "withdrawn"),
        (WITHDRAWN, "delete", "withdrawn"),
        (WITHDRAWN, "publish", "published"),
    ],
)
def test_a_sold_course_is_never_erased(start: CourseStatus, verb: str, end: str) -> None:
    creator = build_creator()
    course = build_course(creator=creator, status=start)
    build_enrollment(course)

    assert move(as_person(creator), course, verb).status_code in {200, 204}

    course.refresh_from_db()
    assert (course.status, Product.objects.get(kind="course").active) == (end, end == "published")


@pytest.mark.django_db
@pytest.mark.parametrize("actor", ["nobody", "learner", "buyer", "other creator", "staff"])
@pytest.mark.parametrize("verb", ["publish", "withdraw", "delete"])
@pytest.mark.parametrize("start", CourseStatus)
def test_nobody_else_moves_it(start: CourseStatus, verb: str, actor: str) -> None:
    course = build_course(creator=build_creator(), status=start)
    buyer = build_enrollment(course).user
    people = {"learner": build_user, "other creator": build_creator, "staff": build_admin, "buyer": lambda: buyer}
    client = as_person(people[actor]() if actor in people else None)
    moves_so_far = AuditEntry.objects.count()

    answer = move(client, course, verb)

    assert answer.status_code == (401 if actor == "nobody" else 404)
    course.refresh_from_db()
    assert (course.status, Product.objects.get(kind="course").active) == (start, start == PUBLISHED)
    assert AuditEntry.objects.count() == moves_so_far


@pytest.mark.django_db
@pytest.mark.parametrize("status", [DRAFT, WITHDRAWN])
def test_the_door_of_a_course_that_is_not_on_sale_says_no_more_than_that_of_none(status: CourseStatus) -> None:
    creator = build_creator()
    course = build_course(creator=creator, status=status)

    def ask(person: User, item_id: object) -> Any:
        answer = as_person(person).get("/api/payments/access", {"item_type": "course", "item_id": str(item_id)})
        return answer.status_code, {**answer.json(), "request_id": ""}

    stranger = build_user(verified=True)
    assert ask(stranger, course.id) == ask(stranger, new_id())
    assert ask(stranger, course.id)[0] == 404
    assert ask(creator, course.id) == (200, {"granted": True, "reason": "owner", "grant": None, "request_id": ""})


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["withdraw", "delete"])
def test_what_was_bought_stays_bought(verb: str) -> None:
    creator = build_creator()
    course = build_course(creator=creator)
    owner = as_person(build_enrollment(course).user)

    assert move(as_person(creator), course, verb).status_code in {200, 204}

    assert owner.get(f"/api/courses/{course.id}").json()["link"] == LINK
    (mine,) = owner.get("/api/courses/my-enrollments").json()["results"]
    assert (mine["course"]["id"], mine["status"]) == (str(course.id), "pending")
    access = owner.get("/api/payments/access", {"item_type": "course", "item_id": str(course.id)}).json()
    assert (access["granted"], access["grant"]["source"]) == (True, "free")
    # And everybody else: gone.
    for stranger in (as_person(None), as_person(build_user())):
        assert stranger.get(f"/api/courses/{course.id}").status_code == 404
    assert as_person(None).get("/api/courses").json()["count"] == 0
    assert as_person(creator).get(f"/api/courses/{course.id}").json()["title"] == course.title
    bought = as_person(build_user(verified=True)).post(
        f"/api/courses/{course.id}/purchase", {"currency": "NGN"}, format="json", headers={"Idempotency-Key": "late"}
    )
    assert (bought.status_code, bought.json()["errors"][0]["code"]) == (404, "course_not_found")


@pytest.mark.django_db
def test_prices_have_the_places_of_their_currency() -> None:
    creator = build_creator()
    course = build_course(creator=creator, status=DRAFT)
    client = as_person(creator)
    prices = [
        {"currency": "JPY", "amount": "1200"},
        {"currency": "KWD", "amount": "1.250"},
        {"currency": "NGN", "amount": "15000.00"},
    ]

    answer = client.patch(f"/api/courses/{course.id}", {"prices": prices}, format="json")
    client.post(f"/api/courses/{course.id}/publish")

    assert (answer.status_code, answer.json()["prices"]) == (200, prices)
    assert sorted(Price.objects.filter(product__kind="course").values_list("currency", "amount_minor")) == [
        ("JPY", 1200),
        ("KWD", 1250),
        ("NGN", 1_500_000),
    ]
    assert as_person(None).get(f"/api/courses/{course.id}").json()["prices"] == prices


@pytest.mark.django_db
@pytest.mark.parametrize(("currency", "amount"), [("JPY", "1200.5"), ("KWD", "1.2505"), ("NGN", "1.005")])
def test_a_price_with_too_many_places_changes_nothing(currency: str, amount: str) -> None:
    creator = build_creator()
    course = build_course(creator=creator)

    answer = as_person(creator).patch(
        f"/api/courses/{course.id}", {"prices": [{"currency": currency, "amount": amount}]}, format="json"
    )

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "prices.0.amount")
    assert sorted(Price.objects.filter(product__kind="course").values_list("currency", "amount_minor")) == [
        ("NGN", 2_500_000),
        ("USD", 3_000),
    ]


@pytest.mark.parametrize("change", ["dearer", "currency removed", "free of charge", "withdrawn", "deleted"])
def test_a_checkout_that_is_open_is_paid_at_its_own_price(gateways: SimpleNamespace, change: str) -> None:
    creator = build_creator()
    course = build_course(creator=creator, prices=(Money(2_500_000, "NGN"), Money(3_000, "USD")))
    learner = as_person(build_user(verified=True))
    opened = learner.post(
        f"/api/courses/{course.id}/purchase", {"currency": "NGN"}, format="json", headers={"Idempotency-Key": "first"}
    ).json()
    assert (opened["status"], opened["amount"]) == ("pending", "25000.00")
    author = as_person(creator)
    prices = {
        "dearer": [{"currency": "NGN", "amount": "40000"}],
        "currency removed": [{"currency": "USD", "amount": "30"}],
        "free of charge": [{"currency": "NGN", "amount": "0"}],
    }

    if change in prices:
        changed = author.patch(f"/api/courses/{course.id}", {"prices": prices[change]}, format="json")
    else:
        changed = move(author, course, {"withdrawn": "withdraw", "deleted": "delete"}[change])
    assert changed.status_code in {200, 204}
    gateways.control.pay("paystack", opened["reference"])
    paid = as_person(None).post(f"/api/payments/verify/{opened['reference']}").json()

    assert paid["status"] == "paid"
    payment = Payment.objects.get()
    assert (payment.amount_minor, payment.currency) == (2_500_000, "NGN")
    assert learner.get(f"/api/courses/{course.id}").json()["link"] == LINK
    assert author.get("/api/wallet/balance", {"currency": "NGN"}).json()["balances"][0]["total"] == "20000.00"
