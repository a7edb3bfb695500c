"""Reads of single courses, for whoever may see them, and of a creator's own."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, Count, F, Q, QuerySet, Sum, Value, When

from accounts.models import User
from courses.enums import CourseStatus
from courses.errors import CourseNotFound, CourseUnknown
from courses.models import Course
from courses.selectors.references import by_id_or_slug, found
from learning247.kit.money import Money
from payments.access import opened
from payments.enums import ProductKind
from payments.models import Payment


@dataclass(frozen=True, slots=True)
class Sales:
    """What a course has brought in: settled payments, and their gross per currency, before fee and refunds."""

    count: int
    gross: tuple[Money, ...]


def course_get_for(user: User | AnonymousUser, reference: str) -> Course:
    """By id or slug: published ones for everybody, drafts for their creator, withdrawn ones for creator and owners.

    `viewer_may_open` says whether this person gets the external link. Raises CourseNotFound.
    """
    may_open = _may_open(user)
    courses = with_parts(Course.objects.annotate(viewer_may_open=may_open)).filter(
        Q(status=CourseStatus.PUBLISHED) | Q(viewer_may_open=True)
    )
    return found(by_id_or_slug(courses, reference), CourseNotFound)


def course_get_own(creator: User, reference: str) -> Course:
    """A course of this creator in any state. Raises CourseNotFound, also for everybody else's courses."""
    courses = with_parts(Course.objects.filter(creator=creator))
    return found(by_id_or_slug(courses, reference), CourseNotFound)


def course_get_on_sale(reference: str) -> Course:
    """A published course by id or slug. Raises CourseNotFound: drafts and withdrawn courses cannot be bought."""
    return found(by_id_or_slug(Course.objects.filter(status=CourseStatus.PUBLISHED), reference), CourseNotFound)


def course_choose(reference: str) -> Course:
    """The course that a request of staff names by id or slug, in any state but draft, with its product.

    Raises CourseUnknown (400).
    """
    courses = Course.objects.exclude(status=CourseStatus.DRAFT).select_related("product")
    course = by_id_or_slug(courses, reference)
    if course is None:
        raise CourseUnknown(attr="course")
    return course


def course_list_own(creator: User) -> QuerySet[Course]:
    """A creator's courses in every state, newest first."""
    return with_parts(Course.objects.filter(creator=creator)).order_by("-created_at", "-id")


def sales_of(courses: Iterable[Course]) -> dict[uuid.UUID, Sales]:
    """Sales by course id, in one query for all of them; a course that never sold has a count of 0."""
    course_of_product = {course.product_id: course.id for course in courses}
    rows = (
        Payment.objects.filter(product__in=list(course_of_product), settled_at__isnull=False)
        .order_by()
        .values("product_id", "currency")
        .annotate(count=Count("id"), sold=Sum(F("amount_minor") + F("promotion_minor")))
        .order_by("currency")
    )
    counts: dict[uuid.UUID, int] = defaultdict(int)
    gross: dict[uuid.UUID, list[Money]] = defaultdict(list)
    for row in rows:
        course_id = course_of_product[row["product_id"]]
        counts[course_id] += row["count"]
        gross[course_id].append(Money(row["sold"], row["currency"]))
    return {course_id: Sales(counts[course_id], tuple(gross[course_id])) for course_id in course_of_product.values()}


def with_parts(courses: QuerySet[Course]) -> QuerySet[Course]:
    """Everything that a course's representation shows, in two statements however many courses there are."""
    return courses.select_related("department", "creator", "product").prefetch_related("product__prices")


def _may_open(user: User | AnonymousUser) -> Case:
    if not isinstance(user, User):
        return Case(default=Value(False))
    return Case(When(opened(user, ProductKind.COURSE), then=Value(True)), default=Value(False))
