"""The catalogue over the API: what everybody may read, and how bad questions are answered."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.tests.builders import build_creator, build_user, sign_in
from courses.enums import CourseStatus
from courses.services.enrollment_counts import enrollment_counts_refresh
from courses.tests.builders import build_course, build_department, build_enrollment
from learning247.kit.clock import now
from learning247.kit.money import Money

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> APIClient:
    return APIClient()


def titles(client: APIClient, url: str, **query: Any) -> list[str]:
    response = client.get(url, query)
    assert response.status_code == 200, response.json()
    return [course["title"] for course in response.json()["results"]]


def code(response: Any) -> str:
    body = response.json()
    assert set(body) >= {"type", "errors", "request_id"}
    return str(body["errors"][0]["code"])


def test_departments_are_listed_by_name_with_their_published_courses(client: APIClient) -> None:
    law = build_department("Law", description="Rules.")
    care = build_department("Care")
    build_course(department=law)
    build_course(department=law)
    build_course(department=law, status=CourseStatus.DRAFT)
    build_course(department=law, status=CourseStatus.WITHDRAWN)

    response = client.get("/api/courses/departments")

    assert response.status_code == 200
    assert response.json() == {
        "count": 2,
        "next": None,
        "previous": None,
        "results": [
            {"id": str(care.id), "name": "Care", "slug": "care", "description": "", "course_count": 0},
            {"id": str(law.id), "name": "Law", "slug": "law", "description": "Rules.", "course_count": 2},
        ],
    }


def test_a_platform_course_is_shown_with_every_field_of_the_contract(client: APIClient) -> None:
    department = build_department("First Aid")
    course = build_course(
        title="Burns",
        department=department,
        description="Cool it.",
        curriculum="Module 01: Water",
        duration="2 hours",
        image_url="https://pictures.example.com/burns.jpg",
        prices=(Money(3_000, "USD"), Money(2_500_000, "NGN"), Money(1_200, "JPY"), Money(1_250, "KWD")),
    )
    build_enrollment(course)
    enrollment_counts_refresh()

    expected = {
        "id": str(course.id),
        "title": "Burns",
        "slug": f"burns-{course.id.hex[-8:]}",
        "department": {"id": str(department.id), "name": "First Aid", "slug": "first-aid"},
        "description": "Cool it.",
        "curriculum": "Module 01: Water",
        "duration": "2 hours",
        "image_url": "https://pictures.example.com/burns.jpg",
        "prices": [
            {"currency": "JPY", "amount": "1200"},
            {"currency": "KWD", "amount": "1.250"},
            {"currency": "NGN", "amount": "25000.00"},
            {"currency": "USD", "amount": "30.00"},
        ],
        "creator": None,
        "enrollment_count": 1,
    }
    assert client.get(f"/api/courses/{course.id}").json() == {**expected, "link": None}
    assert client.get(f"/api/courses/{course.slug}").json() == {**expected, "link": None}
    assert client.get("/api/courses/departments/first-aid/courses").json()["results"] == [expected]
    assert client.get(f"/api/courses/departments/{department.id}/courses").json()["results"] == [expected]
    assert client.get("/api/courses").json()["results"] == [expected]


def test_a_creators_course_names_its_creator(client: APIClient) -> None:
    creator = build_creator(first_name="Amara", last_name="Okafor")
    course = build_course(creator=creator)

    assert client.get(f"/api/courses/{course.id}").json()["creator"] == {
        "id": str(creator.id),
        "name": "Amara Okafor",
    }


def test_the_link_is_shown_to_those_who_own_the_course_and_to_its_creator_alone(client: APIClient) -> None:
    creator, owner, former, stranger = build_creator(), build_user(), build_user(), build_user()
    course = build_course(creator=creator, link="https://classroom.example.com/secret")
    build_enrollment(course, user=owner)
    revoked = build_enrollment(course, user=former).entitlement
    revoked.revoked_at, revoked.revoked_reason = now(), "refunded"
    revoked.save()

    def link_for(person: Any) -> Any:
        signed_in = APIClient()
        sign_in(signed_in, person)
        return signed_in.get(f"/api/courses/{course.id}").json()["link"]

    assert client.get(f"/api/courses/{course.id}").json()["link"] is None
    assert link_for(stranger) is None
    assert link_for(former) is None
    assert link_for(owner) == "https://classroom.example.com/secret"
    assert link_for(creator) == "https://classroom.example.com/secret"
    assert b"secret" not in client.get("/api/courses").content


def test_a_draft_is_seen_by_its_creator_alone(client: APIClient) -> None:
    creator = build_creator()
    draft = build_course(creator=creator, status=CourseStatus.DRAFT)

    anonymous = client.get(f"/api/courses/{draft.id}")
    sign_in(client, build_creator())
    other = client.get(f"/api/courses/{draft.id}")
    sign_in(client, creator)
    own = client.get(f"/api/courses/{draft.id}")

    assert (anonymous.status_code, code(anonymous)) == (404, "course_not_found")
    assert (other.status_code, code(other)) == (404, "course_not_found")
    assert own.status_code == 200
    assert titles(client, "/api/courses") == []


def test_a_withdrawn_course_leaves_the_shop_and_keeps_serving_its_owner(client: APIClient) -> None:
    owner = build_user()
    course = build_course(status=CourseStatus.WITHDRAWN)
    build_enrollment(course, user=owner)

    assert titles(client, "/api/courses") == []
    assert client.get(f"/api/courses/{course.id}").status_code == 404
    sign_in(client, owner)
    assert client.get(f"/api/courses/{course.id}").json()["link"] == "https://classroom.example.com/room"


def test_pages_follow_each_other_and_hold_at_most_a_hundred(client: APIClient) -> None:
    department = build_department("Law")
    for number in range(5):
        build_course(title=f"Course {number}", department=department)

    first = client.get("/api/courses/departments/law/courses", {"page_size": 2}).json()
    last = client.get("/api/courses/departments/law/courses", {"page_size": 2, "page": 3}).json()

    assert first["count"] == 5
    assert [course["title"] for course in first["results"]] == ["Course 0", "Course 1"]
    assert first["previous"] is None
    assert first["next"].endswith("/api/courses/departments/law/courses?page=2&page_size=2")
    assert [course["title"] for course in last["results"]] == ["Course 4"]
    assert last["next"] is None
    assert client.get("/api/courses", {"page_size": 1_000_000_000}).status_code == 200


def test_courses_are_narrowed_and_ordered(client: APIClient) -> None:
    department = build_department("Law")
    contracts = build_course(title="Contracts", department=department, description="Paper and promises")
    build_course(title="Torts", department=department, description="Harm and promises")
    build_course(title="Elsewhere", description="promises")
    build_enrollment(contracts)
    enrollment_counts_refresh()
    url = "/api/courses/departments/law/courses"

    assert titles(client, url, search="promises") == ["Contracts", "Torts"]
    assert titles(client, url, search="promises PAPER") == ["Contracts"]
    assert titles(client, url, search="100%") == []
    for signs in ("%", "-", "+", "...", "'\";--", " ", ""):
        assert titles(client, url, search=signs) == ["Contracts", "Torts"]
        assert len(titles(client, "/api/courses", search=signs)) == 3
    assert titles(client, url, ordering="-title") == ["Torts", "Contracts"]
    assert titles(client, url, ordering="-created_at") == ["Torts", "Contracts"]
    assert titles(client, url, ordering="enrollment_count") == ["Torts", "Contracts"]


def test_search_puts_the_best_match_first(client: APIClient) -> None:
    baking = build_department("Bread baking")
    build_course(title="Cakes", curriculum="Module 03: bread")
    build_course(title="Ovens", description="For bread and more")
    build_course(title="Rye", department=baking)
    build_course(title="All about bread")
    build_course(title="Bread for a living")
    build_course(title="Bread")
    build_course(title="Bread in secret", status=CourseStatus.DRAFT)

    found = titles(client, "/api/courses/search", q="bread")

    assert found == ["Bread", "Bread for a living", "All about bread", "Rye", "Ovens", "Cakes"]
    assert titles(client, "/api/courses/search", q="bread", department="bread-baking") == ["Rye"]
    assert titles(client, "/api/courses/search", q="living bread") == ["Bread for a living"]
    assert titles(client, "/api/courses/search", q="çüß") == []


@pytest.mark.parametrize(
    ("url", "attr"),
    [
        ("/api/courses?page=-1", "page"),
        ("/api/courses?page=0", "page"),
        ("/api/courses?page=abc", "page"),
        ("/api/courses?page=1&page=2", "page"),
        ("/api/courses?page_size=1e9", "page_size"),
        ("/api/courses?page_size=0", "page_size"),
        ("/api/courses?ordering=link", "ordering"),
        ("/api/courses?search=%00", "search"),
        ("/api/courses?search=a&search=b", "search"),
        ("/api/courses/departments?page=-1", "page"),
        ("/api/courses/search", "q"),
        ("/api/courses/search?q=", "q"),
        ("/api/courses/search?q=a", "q"),
        ("/api/courses/search?q=%20%20a%20", "q"),
        ("/api/courses/search?q=%00%00", "q"),
        ("/api/courses/search?q=bread&q=cake", "q"),
        ("/api/courses/search?q=bread&page=-1", "page"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_a_400_that_names_it(client: APIClient, url: str, attr: str) -> None:
    response = client.get(url)

    assert response.status_code == 400, response.json()
    assert response.json()["type"] == "validation_error"
    assert [error["attr"] for error in response.json()["errors"]] == [attr]


@pytest.mark.parametrize(
    "url",
    [
        "/api/courses/01900000-0000-4000-8000-000000000000",
        "/api/courses/not-a-uuid",
        "/api/courses/%00",
        "/api/courses/%F0%9F%98%80",
        "/api/courses/" + "x" * 3000,
        "/api/courses/departments/01900000-0000-4000-8000-000000000000/courses",
        "/api/courses/departments/nowhere/courses",
        "/api/courses/departments/%00/courses",
        "/api/courses/search?q=bread&department=nowhere",
        "/api/courses?page=2",
        "/api/courses?page=99999999999999999999999999",
        "/api/courses/a/b/c",
    ],
)
def test_what_is_not_there_is_a_404_in_the_envelope(client: APIClient, url: str) -> None:
    response = client.get(url)

    assert response.status_code == 404
    assert code(response).endswith("not_found")


@pytest.mark.parametrize(
    "url",
    [
        "/api/courses",
        "/api/courses/departments",
        "/api/courses/departments/law/courses",
        "/api/courses/search?q=course",
        "/api/courses/mine",
        "/api/courses/my-enrollments",
    ],
)
def test_a_list_costs_the_same_number_of_statements_for_3_and_for_30_rows(client: APIClient, url: str) -> None:
    person = build_creator()
    sign_in(client, person)
    department = build_department("Law")

    def add(how_many: int) -> None:
        for _ in range(how_many):
            build_department()
            build_enrollment(build_course(department=department, creator=build_creator()), user=person)
            build_enrollment(build_course(department=department, creator=person))

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{url}{'&' if '?' in url else '?'}page_size=100").status_code == 200
        return len(captured)

    add(3)
    few = statements()
    add(27)
    assert statements() == few <= 8
