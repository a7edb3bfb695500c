"""Writing and selling a course over the API, and who may not."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.builders import build_creator, build_user, sign_in
from courses.enums import CourseStatus
from courses.models import Course
from courses.tests.builders import build_course, build_department, build_enrollment
from learning247.kit.money import Money
from learning247.records.models import AuditEntry
from payments.models import Price, Product

pytestmark = pytest.mark.django_db


@pytest.fixture
def creator() -> User:
    return build_creator(first_name="Amara", last_name="Okafor")


@pytest.fixture
def client(creator: User) -> APIClient:
    client = APIClient()
    sign_in(client, creator)
    return client


def as_person(person: User) -> APIClient:
    client = APIClient()
    sign_in(client, person)
    return client


def test_a_verified_person_writes_a_first_course_and_is_a_creator() -> None:
    person = build_user(verified=True, first_name="Amara", last_name="Okafor")
    department = build_department("Law")

    response = as_person(person).post(
        "/api/courses",
        {
            "title": "  Contracts ",
            "department": "law",
            "description": "Paper.",
            "curriculum": "Module 01: Offer",
            "duration": "2 hours",
            "link": "https://classroom.example.com/contracts",
            "image": "https://pictures.example.com/contracts.jpg",
            "prices": [{"currency": "USD", "amount": "19.99"}, {"currency": "NGN", "amount": "15000"}],
        },
        format="json",
    )

    assert response.status_code == 201, response.json()
    body = response.json()
    course = Course.objects.get()
    assert body.pop("created_at").endswith("Z")
    assert body.pop("updated_at").endswith("Z")
    assert body == {
        "id": str(course.id),
        "title": "Contracts",
        "slug": f"contracts-{course.id.hex[-8:]}",
        "department": {"id": str(department.id), "name": "Law", "slug": "law"},
        "description": "Paper.",
        "curriculum": "Module 01: Offer",
        "duration": "2 hours",
        "link": "https://classroom.example.com/contracts",
        "image_url": "https://pictures.example.com/contracts.jpg",
        "prices": [{"currency": "NGN", "amount": "15000.00"}, {"currency": "USD", "amount": "19.99"}],
        "creator": {"id": str(person.id), "name": "Amara Okafor"},
        "enrollment_count": 0,
        "status": "draft",
        "sales": {"count": 0, "gross": []},
    }
    product = Product.objects.get(kind="course")
    assert (product.kind, product.item_id, product.seller, product.active) == ("course", course.id, person, False)
    person.refresh_from_db()
    assert person.is_creator


def test_without_a_verified_email_nobody_sells() -> None:
    person = build_user()
    build_department("Law")

    response = as_person(person).post("/api/courses", {"title": "Torts", "department": "law"}, format="json")

    assert (response.status_code, response.json()["errors"][0]["code"]) == (403, "email_not_verified")
    person.refresh_from_db()
    assert not person.is_creator
    assert not Course.objects.exists()
    assert not Product.objects.filter(kind="course").exists()


@pytest.mark.parametrize(
    ("fields", "attr"),
    [
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": None}, "title"),
        ({"title": "a\x01b"}, "title"),
        ({"title": "a\nb"}, "title"),
        ({"title": "a\u2028b"}, "title"),
        ({"title": "a\u202eb"}, "title"),
        ({"title": "a\u2069b"}, "title"),
        ({"title": 5}, "title"),
        ({"department": "nowhere"}, "department"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"link": "ftp://files.example.com/a"}, "link"),
        ({"image": "data:image/png;base64,AAAA"}, "image"),
        ({"prices": [{"currency": "NGN", "amount": 25000}]}, "prices.0.amount"),
        ({"prices": [{"currency": "NGN", "amount": "-1"}]}, "prices.0.amount"),
        ({"prices": [{"currency": "NGN", "amount": "1.001"}]}, "prices.0.amount"),
        ({"prices": [{"currency": "NGN", "amount": "1e3"}]}, "prices.0.amount"),
        ({"prices": [{"currency": "NGN", "amount": "99999999999999999999"}]}, "prices.0.amount"),
        (
            {"prices": [{"currency": "USD", "amount": "1"}, {"currency": "NGN", "amount": "9" * 5000}]},
            "prices.1.amount",
        ),
        ({"prices": [{"currency": "XXX", "amount": "1"}]}, "prices.0.currency"),
        ({"prices": [{"currency": "NGN", "amount": "50"}, {"currency": "NGN", "amount": "60"}]}, "prices"),
        ({"prices": [{"currency": "NGN", "amount": "0"}, {"currency": "USD", "amount": "2"}]}, "prices"),
        ({"prices": "cheap"}, "prices.non_field_errors"),
    ],
)
def test_what_makes_no_course_is_a_400_that_names_the_field(
    client: APIClient, fields: dict[str, Any], attr: str
) -> None:
    build_department("Law")

    response = client.post("/api/courses", {"title": "Torts", "department": "law", **fields}, format="json")

    assert response.status_code == 400, response.json()
    assert [error["attr"] for error in response.json()["errors"]] == [attr]
    assert not Course.objects.exists()


@pytest.mark.parametrize(
    ("currency", "amount", "said"),
    [
        ("NGN", "49.99", "The smallest price in NGN is 50.00, or 0 for free of charge."),
        ("USD", "0.49", "The smallest price in USD is 0.50, or 0 for free of charge."),
        ("JPY", "49", "The smallest price in JPY is 50, or 0 for free of charge."),
        ("KWD", "0.009", "The smallest price in KWD is 0.010, or 0 for free of charge."),
        ("KWD", "1.255", "Prices in KWD go in steps of 0.010."),
    ],
)
def test_a_price_that_no_buyer_could_pay_is_a_400_that_says_why(
    client: APIClient, currency: str, amount: str, said: str
) -> None:
    build_department("Law")
    prices = [{"currency": "EUR", "amount": "20"}, {"currency": currency, "amount": amount}]

    response = client.post("/api/courses", {"title": "Torts", "department": "law", "prices": prices}, format="json")

    assert response.status_code == 400
    assert response.json()["errors"] == [{"code": "invalid", "detail": said, "attr": "prices.1.amount"}]
    assert not Course.objects.exists()


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("NGN", "50.00"), ("USD", "0.50"), ("JPY", "50"), ("KWD", "0.010"), ("KWD", "1.250"), ("KWD", "0.000")],
)
def test_the_smallest_price_and_none_at_all_are_prices(client: APIClient, currency: str, amount: str) -> None:
    build_department("Law")
    prices = [{"currency": currency, "amount": amount}]

    response = client.post("/api/courses", {"title": "Torts", "department": "law", "prices": prices}, format="json")

    assert (response.status_code, response.json()["prices"]) == (201, prices)


def test_the_smallest_price_is_a_setting(client: APIClient, settings: Any) -> None:
    settings.PAYMENT_MINIMUMS = {"NGN": 10_000}
    build_department("Law")
    prices = [{"currency": "NGN", "amount": "99.99"}]

    response = client.post("/api/courses", {"title": "Torts", "department": "law", "prices": prices}, format="json")

    assert (response.status_code, response.json()["errors"][0]["attr"]) == (400, "prices.0.amount")


def test_a_draft_is_published_then_withdrawn_then_published_again(client: APIClient, creator: User) -> None:
    course = build_course(creator=creator, status=CourseStatus.DRAFT)

    def move(verb: str) -> tuple[int, str, bool]:
        response = client.post(f"/api/courses/{course.id}/{verb}")
        return response.status_code, response.json()["status"], Product.objects.get(kind="course").active

    assert move("publish") == (200, "published", True)
    assert move("publish") == (200, "published", True)
    assert move("withdraw") == (200, "withdrawn", False)
    assert move("withdraw") == (200, "withdrawn", False)
    assert move("publish") == (200, "published", True)
    assert list(AuditEntry.objects.order_by("id").values_list("action", "actor")) == [
        ("course.published", creator.id),
        ("course.withdrawn", creator.id),
        ("course.published", creator.id),
    ]


def test_a_course_without_a_price_cannot_be_published(client: APIClient, creator: User) -> None:
    course = build_course(creator=creator, prices=(), status=CourseStatus.DRAFT)

    response = client.post(f"/api/courses/{course.id}/publish")

    assert (response.status_code, response.json()["errors"][0]["code"]) == (422, "course_not_publishable")
    course.refresh_from_db()
    assert course.status == "draft"
    assert not Product.objects.get(kind="course").active


def test_a_course_without_a_link_cannot_be_published(client: APIClient, creator: User) -> None:
    course = build_course(creator=creator, link="", status=CourseStatus.DRAFT)

    refused = client.post(f"/api/courses/{course.id}/publish")

    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {
            "code": "course_not_publishable",
            "detail": "Give the course its link first: without one, buyers get nothing.",
            "attr": "link",
        }
    ]
    course.refresh_from_db()
    assert (course.status, Product.objects.get(kind="course").active) == ("draft", False)
    assert not AuditEntry.objects.exists()
    client.patch(f"/api/courses/{course.id}", {"link": "https://classroom.example.com/a"}, format="json")
    assert client.post(f"/api/courses/{course.id}/publish").status_code == 200


@pytest.mark.parametrize("status", [CourseStatus.PUBLISHED, CourseStatus.WITHDRAWN])
@pytest.mark.parametrize("nothing", ["", "   "])
def test_who_bought_a_course_is_not_left_without_its_link(
    client: APIClient, creator: User, status: CourseStatus, nothing: str
) -> None:
    course = build_course(creator=creator, status=status)

    refused = client.patch(f"/api/courses/{course.id}", {"title": "New", "link": nothing}, format="json")
    changed = client.patch(f"/api/courses/{course.id}", {"link": "https://classroom.example.com/b"}, format="json")

    assert (refused.status_code, refused.json()["errors"][0]["code"], refused.json()["errors"][0]["attr"]) == (
        422,
        "course_not_publishable",
        "link",
    )
    assert (changed.status_code, changed.json()["link"]) == (200, "https://classroom.example.com/b")
    assert changed.json()["title"] != "New"


def test_a_draft_may_lose_its_link(client: APIClient, creator: User) -> None:
    course = build_course(creator=creator, status=CourseStatus.DRAFT)

    answer = client.patch(f"/api/courses/{course.id}", {"link": ""}, format="json")

    assert (answer.status_code, answer.json()["link"]) == (200, "")


def test_a_draft_cannot_be_withdrawn(client: APIClient, creator: User) -> None:
    course = build_course(creator=creator, status=CourseStatus.DRAFT)

    response = client.post(f"/api/courses/{course.id}/withdraw")

    assert (response.status_code, response.json()["errors"][0]["code"]) == (409, "course_never_published")
    course.refresh_from_db()
    assert course.status == "draft"


def test_a_change_touches_what_it_names(client: APIClient, creator: User) -> None:
    course = build_course(
        creator=creator, title="Torts", description="Harm.", prices=(Money(2_500_000, "NGN"), Money(3_000, "USD"))
    )

    response = client.patch(
        f"/api/courses/{course.id}",
        {"title": "Delicts", "prices": [{"currency": "GBP", "amount": "20.00"}, {"currency": "USD", "amount": "25"}]},
        format="json",
    )

    assert response.status_code == 200, response.json()
    body = response.json()
    assert (body["title"], body["description"], body["slug"]) == ("Delicts", "Harm.", course.slug)
    assert body["prices"] == [{"currency": "GBP", "amount": "20.00"}, {"currency": "USD", "amount": "25.00"}]
    assert Product.objects.get(kind="course").title == "Delicts"
    assert sorted(Price.objects.filter(product__kind="course").values_list("currency", "amount_minor")) == [
        ("GBP", 2_000),
        ("USD", 2_500),
    ]


def test_a_course_on_sale_keeps_a_price(client: APIClient, creator: User) -> None:
    course = build_course(creator=creator)

    response = client.patch(f"/api/courses/{course.id}", {"title": "New", "prices": []}, format="json")

    assert (response.status_code, response.json()["errors"][0]["code"]) == (422, "course_not_publishable")
    course.refresh_from_db()
    assert course.title != "New"
    assert Price.objects.filter(product__kind="course").count() == 2


def test_an_unsold_course_is_erased(client: APIClient, creator: User) -> None:
    course = build_course(creator=creator)

    assert client.delete(f"/api/courses/{course.id}").status_code == 204

    assert not Course.objects.exists()
    assert not Product.objects.filter(kind="course").exists()
    assert client.delete(f"/api/courses/{course.id}").status_code == 404


def test_a_sold_course_is_withdrawn_and_its_buyer_keeps_it(client: APIClient, creator: User) -> None:
    course = build_course(creator=creator)
    enrollment = build_enrollment(course)

    assert client.delete(f"/api/courses/{course.id}").status_code == 204

    course.refresh_from_db()
    assert course.status == "withdrawn"
    assert not Product.objects.get(kind="course").active
    buyer = as_person(enrollment.user)
    assert buyer.get(f"/api/courses/{course.id}").json()["link"] == "https://classroom.example.com/room"


@pytest.mark.parametrize(
    ("method", "path"), [("patch", ""), ("delete", ""), ("post", "/publish"), ("post", "/withdraw")]
)
@pytest.mark.parametrize("platform_owned", [True, False])
def test_a_strangers_course_is_a_404_and_stays_as_it_is(
    client: APIClient, method: str, path: str, platform_owned: bool
) -> None:
    course = build_course(creator=None if platform_owned else build_creator(), title="Mine")

    response = getattr(client, method)(f"/api/courses/{course.id}{path}", {"title": "Yours"}, format="json")
    anonymous = getattr(APIClient(), method)(f"/api/courses/{course.id}{path}", {"title": "Yours"}, format="json")

    assert (response.status_code, response.json()["errors"][0]["code"]) == (404, "course_not_found")
    assert anonymous.status_code == 401
    course.refresh_from_db()
    assert (course.title, course.status) == ("Mine", "published")


def test_my_courses_are_listed_with_their_sales(client: APIClient, creator: User) -> None:
    sold = build_course(creator=creator, title="Sold")
    build_course(creator=creator, title="Draft", status=CourseStatus.DRAFT)
    build_course(creator=build_creator(), title="Somebody else's")
    build_enrollment(sold)
    build_enrollment(sold)

    courses = client.get("/api/courses/mine").json()["results"]

    assert [(course["title"], course["status"], course["sales"]) for course in courses] == [
        ("Draft", "draft", {"count": 0, "gross": []}),
        ("Sold", "published", {"count": 2, "gross": [{"currency": "NGN", "amount": "0.00"}]}),
    ]
    assert APIClient().get("/api/courses/mine").status_code == 401
