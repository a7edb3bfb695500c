"""The catalogue as PostgreSQL writes it: the same documents as the serializers', and counts that always agree."""

import json
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.tests.builders import build_creator
from courses.enums import CourseStatus, EnrollmentStatus
from courses.models import Course, Department, Enrollment
from courses.selectors.catalogue import (
    ORDERINGS,
    course_document,
    course_page,
    department_page,
)
from courses.selectors.courses import with_parts
from courses.serializers.catalogue import CourseSerializer, DepartmentSerializer
from courses.services.courses import course_delete, course_publish, course_update, course_withdraw
from courses.services.enrollment_counts import enrollment_counts_refresh
from courses.tests.builders import build_course, build_department, build_enrollment
from learning247.kit.clock import now
from learning247.kit.json_encoding import to_json
from learning247.kit.money import CURRENCIES, Money

# PostgreSQL's text holds no NUL and no half of a surrogate pair.
TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=60)


def as_serialized(course: Course) -> Any:
    return json.loads(to_json(CourseSerializer(with_parts(Course.objects.filter(pk=course.pk)).get()).data))


class TheDocumentIsWhatTheSerializerSays(TestCase):
    @hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        title=TEXTS,
        description=TEXTS,
        curriculum=TEXTS,
        by_creator=st.booleans(),
        prices=st.dictionaries(st.sampled_from(CURRENCIES), st.integers(0, 10**15), max_size=len(CURRENCIES)),
    )
    def test_for_any_text_and_any_price(
        self, title: str, description: str, curriculum: str, by_creator: bool, prices: dict[str, int]
    ) -> None:
        course = build_course(
            title="Any",
            description=description,
            curriculum=curriculum,
            creator=build_creator() if by_creator else None,
            prices=[Money(minor, code) for code, minor in prices.items()] or [Money(1, "JPY")],
        )
        Course.objects.filter(pk=course.pk).update(title=title)

        expected = as_serialized(course)

        assert json.loads(course_document(str(course.id))) == {**expected, "link": None}
        page = course_page(department=str(course.department_id), ordering="title", limit=20, offset=0)
        assert (page.count, json.loads(page.results)) == (1, [expected])


@pytest.mark.django_db
def test_departments_are_written_as_the_serializer_says() -> None:
    build_course(department=build_department('L"aw', description="Rules\n& \\ more"))

    expected = json.loads(to_json(DepartmentSerializer(Department.objects.all(), many=True).data))

    assert json.loads(department_page(limit=100, offset=0).results) == expected


@pytest.mark.django_db
@pytest.mark.parametrize("ordering", ORDERINGS)
def test_every_ordering_is_that_of_the_model(ordering: str) -> None:
    department = build_department()
    for title in ("b", "a", "c", "a"):
        build_enrollment(build_course(title=title, department=department, creator=build_creator()))
    build_enrollment(Course.objects.filter(title="c").get())
    enrollment_counts_refresh()
    sign = "-" if ordering.startswith("-") else ""
    ties = ("title", "id") if "enrollment" in ordering else (f"{sign}id",)

    listed = json.loads(course_page(department=None, ordering=ordering, limit=20, offset=0).results)

    assert [row["id"] for row in listed] == [
        str(pk) for pk in Course.objects.order_by(ordering, *ties).values_list("id", flat=True)
    ]


def counted(department: Department) -> tuple[int, int]:
    """What the department says, and what is true."""
    department.refresh_from_db()
    return department.course_count, department.courses.filter(status=CourseStatus.PUBLISHED).count()


@pytest.mark.django_db
def test_a_departments_count_follows_whatever_happens_to_its_courses() -> None:
    law, care = build_department("Law"), build_department("Care")
    course = build_course(department=law, status=CourseStatus.DRAFT)
    assert counted(law) == (0, 0)

    course_publish(course_id=course.id, actor=None)
    assert counted(law) == (1, 1)
    course_update(course_id=course.id, changes={"department": care})
    assert (counted(law), counted(care)) == ((0, 0), (1, 1))
    course_withdraw(course_id=course.id, actor=None)
    assert counted(care) == (0, 0)
    course_publish(course_id=course.id, actor=None)
    course_delete(course_id=course.id, actor=None)
    assert counted(care) == (0, 0)

    many = [build_course(department=law) for _ in range(5)]
    Course.objects.filter(pk__in=[row.pk for row in many]).update(department=care)
    assert (counted(law), counted(care)) == ((0, 0), (5, 5))
    Course.objects.filter(pk=many[0].pk).update(status=CourseStatus.WITHDRAWN)
    assert counted(care) == (4, 4)


@pytest.mark.django_db
def test_students_are_counted_again_where_enrollments_changed() -> None:
    course, other = build_course(), build_course()
    first, _ = build_enrollment(course), build_enrollment(course)
    build_enrollment(other)

    assert enrollment_counts_refresh() == 2
    assert enrollment_counts_refresh() == 0
    Enrollment.objects.filter(pk=first.pk).update(status=EnrollmentStatus.REVOKED, updated_at=now())
    assert enrollment_counts_refresh() == 1

    course.refresh_from_db()
    other.refresh_from_db()
    assert (course.enrollment_count, other.enrollment_count) == (1, 1)


@pytest.mark.django_db
def test_all_students_can_be_counted_again_however_long_ago_they_came() -> None:
    course = build_course()
    build_enrollment(course)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE courses_enrollment SET updated_at = now() - interval '1 day'")

    assert enrollment_counts_refresh() == 0
    assert enrollment_counts_refresh(everything=True) == 1


@pytest.mark.django_db
def test_no_trigger_names_a_column_because_its_type_could_never_be_changed_again() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger"
            " WHERE tgname LIKE 'courses%%' AND (tgattr::text <> '' OR tgqual IS NOT NULL)"
        )
        assert cursor.fetchall() == []
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'courses%%'")
        assert cursor.fetchone() == (10,)
