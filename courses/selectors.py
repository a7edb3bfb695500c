"""Reads of the courses app: what everybody sees, what a creator sees, what a student sees."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import (
    Case,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from accounts.models import User
from courses.enums import CourseStatus, EnrollmentStatus
from courses.errors import CourseNotFound, DepartmentNotFound, DepartmentUnknown
from courses.models import Course, Department, Enrollment
from learning247.kit.clock import now
from learning247.kit.errors import NotFound
from learning247.kit.money import Money
from payments.access import live_at
from payments.models import Entitlement, Payment

ORDERINGS = {
    "title": ("title", "id"),
    "-title": ("-title", "-id"),
    "created_at": ("created_at", "id"),
    "-created_at": ("-created_at", "-id"),
    "enrollment_count": ("enrollment_count", "title", "id"),
    "-enrollment_count": ("-enrollment_count", "title", "id"),
}


_Row = TypeVar("_Row", Department, Course)


@dataclass(frozen=True, slots=True)
class Sales:
    """What a course has brought in: settled payments, and their gross per currency, before fee and refunds."""

    count: int
    gross: tuple[Money, ...]


def department_list() -> QuerySet[Department]:
    """Every department by name, with `course_count` (published courses)."""
    published = Count("courses", filter=Q(courses__status=CourseStatus.PUBLISHED))
    return Department.objects.annotate(course_count=published).order_by("name")


def department_get(reference: str) -> Department:
    """By id or slug. Raises DepartmentNotFound, also when the text is neither."""
    return _found(_by_id_or_slug(Department.objects.all(), reference), DepartmentNotFound)


def department_choose(reference: str) -> Department:
    """The department that a request's body names by id or slug. Raises DepartmentUnknown (400)."""
    department = _by_id_or_slug(Department.objects.all(), reference)
    if department is None:
        raise DepartmentUnknown(attr="department")
    return department


def course_list(*, department: Department | None = None, search: str = "", ordering: str = "title") -> QuerySet[Course]:
    """The catalogue: published courses; `search` narrows it to titles and descriptions that contain every word."""
    courses = _with_parts(Course.objects.filter(status=CourseStatus.PUBLISHED))
    if department is not None:
        courses = courses.filter(department=department)
    for word in search.split():
        courses = courses.filter(Q(title__icontains=word) | Q(description__icontains=word))
    return courses.order_by(*ORDERINGS[ordering])


def course_search(*, query: str, department: Department | None = None) -> QuerySet[Course]:
    """Published courses that contain every word of `query` somewhere, best match first: the whole title, its
    beginning, all words in the title, department, description, curriculum."""
    words = query.split()
    courses = course_list(department=department)
    in_title = in_department = in_description = Q()
    for word in words:
        in_title &= Q(title__icontains=word)
        in_department &= Q(title__icontains=word) | Q(department__name__icontains=word)
        in_description &= Q(title__icontains=word) | Q(description__icontains=word)
        courses = courses.filter(
            Q(title__icontains=word)
            | Q(department__name__icontains=word)
            | Q(description__icontains=word)
            | Q(curriculum__icontains=word)
        )
    phrase = " ".join(words)
    rank = Case(
        When(title__iexact=phrase, then=Value(0)),
        When(title__istartswith=phrase, then=Value(1)),
        When(title__icontains=phrase, then=Value(2)),
        When(in_title, then=Value(3)),
        When(in_department, then=Value(4)),
        When(in_description, then=Value(5)),
        default=Value(6),
        output_field=IntegerField(),
    )
    return courses.annotate(rank=rank).order_by("rank", "title", "id")


def course_get_for(user: User | AnonymousUser, reference: str) -> Course:
    """By id or slug: published ones for everybody, drafts for their creator, withdrawn ones for creator and owners.

    `viewer_may_open` says whether this person gets the external link. Raises CourseNotFound.
    """
    may_open = _may_open(user)
    courses = _with_parts(Course.objects.annotate(viewer_may_open=may_open)).filter(
        Q(status=CourseStatus.PUBLISHED) | Q(viewer_may_open=True)
    )
    return _found(_by_id_or_slug(courses, reference), CourseNotFound)


def course_get_own(creator: User, reference: str) -> Course:
    """A course of this creator in any state. Raises CourseNotFound, also for everybody else's courses."""
    courses = _with_parts(Course.objects.filter(creator=creator))
    return _found(_by_id_or_slug(courses, reference), CourseNotFound)


def course_get_on_sale(reference: str) -> Course:
    """A published course by id or slug. Raises CourseNotFound: drafts and withdrawn courses cannot be bought."""
    return _found(_by_id_or_slug(Course.objects.filter(status=CourseStatus.PUBLISHED), reference), CourseNotFound)


def course_list_own(creator: User) -> QuerySet[Course]:
    """A creator's courses in every state, newest first."""
    return _with_parts(Course.objects.filter(creator=creator)).order_by("-created_at", "-id")


def sales_of(courses: Iterable[Course]) -> dict[uuid.UUID, Sales]:
    """Sales by course id, in one query for all of them; a course that never sold has a count of 0."""
    course_of_product = {course.product_id: course.id for course in courses}
    rows = (
        Payment.objects.filter(product__in=list(course_of_product), settled_at__isnull=False)
        .order_by()
        .values("product_id", "currency")
        .annotate(count=Count("id"), gross=Sum("amount_minor"))
        .order_by("currency")
    )
    counts: dict[uuid.UUID, int] = defaultdict(int)
    gross: dict[uuid.UUID, list[Money]] = defaultdict(list)
    for row in rows:
        course_id = course_of_product[row["product_id"]]
        counts[course_id] += row["count"]
        gross[course_id].append(Money(row["gross"], row["currency"]))
    return {course_id: Sales(counts[course_id], tuple(gross[course_id])) for course_id in course_of_product.values()}


def enrollment_list_for(student: User) -> QuerySet[Enrollment]:
    """A person's enrollments, newest first; `link_open` says whether its external link may be shown."""
    return (
        Enrollment.objects.filter(student=student)
        .annotate(link_open=Exists(Entitlement.objects.filter(live_at(now()), id=OuterRef("entitlement_id"))))
        .select_related("payment")
        .prefetch_related(Prefetch("course", queryset=_with_parts(Course.objects.all())))
        .order_by("-id")
    )


def _with_parts(courses: QuerySet[Course]) -> QuerySet[Course]:
    """Everything that a course's representation shows, in two statements however many courses there are."""
    enrolled = (
        Enrollment.objects.filter(course=OuterRef("pk"))
        .exclude(status=EnrollmentStatus.REVOKED)
        .order_by()
        .values("course")
        .annotate(count=Count("id"))
        .values("count")
    )
    return (
        courses.select_related("department", "creator", "product")
        .prefetch_related("product__prices")
        .annotate(enrollment_count=Coalesce(Subquery(enrolled), 0))
    )


def _may_open(user: User | AnonymousUser) -> Case:
    if not isinstance(user, User):
        return Case(default=Value(False))
    # The answer of payments.access.explain, for any number of courses in one statement.
    owned = Exists(Entitlement.objects.filter(live_at(now()), user=user, product=OuterRef("product_id")))
    return Case(When(creator=user, then=Value(True)), When(owned, then=Value(True)), default=Value(False))


def _by_id_or_slug(rows: QuerySet[_Row], reference: str) -> _Row | None:
    try:
        return rows.filter(id=uuid.UUID(reference)).first()
    except ValueError:
        # PostgreSQL's text holds no NUL; no slug does either.
        return None if "\x00" in reference else rows.filter(slug=reference).first()


def _found(row: _Row | None, refusal: type[NotFound]) -> _Row:
    if row is None:
        raise refusal
    return row
