"""Reads of enrollments: a student's own, and everybody's for staff."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, Count, F, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Now

from accounts.models import User
from courses.enums import AccessType, CourseOwner, EnrollmentState, EnrollmentStatus
from courses.errors import AccountUnknown, EnrollmentNotFound
from courses.models import Course, Department, Enrollment
from courses.selectors.courses import course_choose, with_parts
from courses.selectors.departments import department_choose
from learning247.kit.clock import now
from learning247.records.models import AuditEntry
from payments.access import opened
from payments.enums import ProductKind
from payments.references import reference_beginning

BATCH_ROWS = 1_000
LONGEST_WAITING = 10


@dataclass(frozen=True, slots=True)
class EnrollmentFilters:
    """What staff look for; None: any. `expiring_in_days`: not revoked, and ending within as many days from now."""

    status: str | None = None
    department: Department | None = None
    course: Course | None = None
    access_type: str | None = None
    owner: str | None = None
    expiring_in_days: int | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class DepartmentCount:
    department: Department
    count: int


@dataclass(frozen=True, slots=True)
class EnrollmentStats:
    """Numbers of the moment. Days and weeks (from Monday) are UTC's. `waiting_longest`: pending ones of
    the platform, oldest first; with a creator's course staff have nothing to do."""

    total: int
    by_status: dict[str, int]
    by_access_type: dict[str, int]
    by_department: list[DepartmentCount]
    expiring_in_7_days: int
    expiring_in_30_days: int
    made_today: int
    made_this_week: int
    waiting_longest: list[Enrollment]


def enrollment_state() -> Case:
    """What an enrollment is shown as (EnrollmentState): its stored status, or that its time is over."""
    return Case(
        When(status=EnrollmentStatus.REVOKED, then=Value(EnrollmentState.REVOKED)),
        When(expires_at__lte=Now(), then=Value(EnrollmentState.EXPIRED)),
        default=F("status"),
        output_field=CharField(),
    )


def in_state(state: str) -> Q:
    """The enrollments that `enrollment_state` calls so, as a condition that indexes can serve."""
    if state == EnrollmentState.REVOKED:
        return Q(status=EnrollmentStatus.REVOKED)
    if state == EnrollmentState.EXPIRED:
        return Q(expires_at__lte=Now()) & ~Q(status=EnrollmentStatus.REVOKED)
    return Q(status=state) & (Q(expires_at__isnull=True) | Q(expires_at__gt=Now()))


def expiring_within(days: int, *, moment: datetime | None = None) -> Q:
    """Not revoked, not over yet, and over within so many days."""
    start = moment or now()
    return Q(expires_at__gt=start, expires_at__lte=start + timedelta(days=days)) & ~Q(status=EnrollmentStatus.REVOKED)


def owned_by(owner: str) -> Q:
    """The enrollments whose `owner` (CourseOwner) it is."""
    by_creators = Q(course__creator__isnull=False)
    return by_creators if owner == CourseOwner.CREATOR else ~by_creators


def enrollment_list_for(user: User) -> QuerySet[Enrollment]:
    """A person's enrollments, newest first, with their `state`; `link_open` says whether its external link may be
    shown."""
    return (
        Enrollment.objects.filter(user=user)
        .annotate(
            state=enrollment_state(),
            link_open=Case(
                When(opened(user, ProductKind.COURSE, product="course__product"), then=Value(True)),
                default=Value(False),
            ),
        )
        .select_related("payment")
        .prefetch_related(Prefetch("course", queryset=with_parts(Course.objects.all())))
        .order_by("-id")
    )


def enrollment_filters(asked: Mapping[str, Any]) -> EnrollmentFilters:
    """What a query asks for, its department and course named by id or slug; what it does not name is any.

    Raises DepartmentUnknown, CourseUnknown, both 400s that name the filter.
    """
    department, course = asked.get("department"), asked.get("course")
    return EnrollmentFilters(
        status=asked.get("status"),
        department=department_choose(department) if department else None,
        course=course_choose(course) if course else None,
        access_type=asked.get("access_type"),
        owner=asked.get("owner"),
        expiring_in_days=asked.get("expiring_in_days"),
        search=asked.get("search"),
    )


def enrollment_list(filters: EnrollmentFilters) -> QuerySet[Enrollment]:
    """Everybody's, newest first, with their `state` and all that staff are shown."""
    rows = Enrollment.objects.annotate(state=enrollment_state()).order_by("-id")
    rows = rows.select_related("course__department", "payment", "user", "credentials_sent_by")
    rows = rows.defer("course__description", "course__curriculum")  # long, and nobody is shown them here
    if filters.status is not None:
        rows = rows.filter(in_state(filters.status))
    if filters.department is not None:
        rows = rows.filter(course__department=filters.department)
    if filters.course is not None:
        rows = rows.filter(course=filters.course)
    if filters.access_type is not None:
        rows = rows.filter(access_type=filters.access_type)
    if filters.owner is not None:
        rows = rows.filter(owned_by(filters.owner))
    if filters.expiring_in_days is not None:
        rows = rows.filter(expiring_within(filters.expiring_in_days))
    return enrollment_search(rows, filters.search) if filters.search else rows


def enrollment_search(rows: QuerySet[Enrollment], text: str) -> QuerySet[Enrollment]:
    """Those whose student's name or email, or whose course's title, contains the text, or whose payment's reference
    begins with it, with or without its prefix. Case does not matter."""
    # Each arm has an index of its own, which one condition with OR across the tables would keep from being used.
    every = Enrollment.objects.order_by().values("id")
    arms = (
        every.filter(student_name__icontains=text),
        every.filter(student_email__icontains=text),
        every.filter(user__email=text.lower()),
        every.filter(course__title__icontains=text),
        every.filter(payment__reference__startswith=reference_beginning(text)),
    )
    return rows.filter(id__in=arms[0].union(*arms[1:]))


def enrollment_get(enrollment_id: uuid.UUID) -> Enrollment:
    """One of anybody's, as in the list, with its entitlement. Raises EnrollmentNotFound."""
    rows = enrollment_list(EnrollmentFilters()).select_related("entitlement")
    enrollment = rows.filter(id=enrollment_id).first()
    if enrollment is None:
        raise EnrollmentNotFound
    return enrollment


def enrollment_history(enrollment: Enrollment, *, limit: int = 50) -> list[AuditEntry]:
    """What staff and the platform did with it, newest first."""
    entries = AuditEntry.objects.filter(subject_kind="enrollment", subject_id=str(enrollment.id))
    return list(entries.select_related("actor").order_by("-id")[:limit])


def enrollment_batches(rows: QuerySet[Enrollment], *columns: str) -> Iterator[list[tuple[Any, ...]]]:
    """Columns of all of an `enrollment_list`, in keyset batches without a server-side cursor; later ones are not among
    them."""
    named = rows.values_list("id", *columns)
    batch = list(named[:BATCH_ROWS])
    while batch:
        yield [row[1:] for row in batch]
        batch = list(named.filter(id__lt=batch[-1][0])[:BATCH_ROWS]) if len(batch) == BATCH_ROWS else []


def enrollment_stats() -> EnrollmentStats:
    """The numbers of the dashboard, in three statements."""
    moment = now()
    today = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Enrollment.objects.order_by()
    counts = rows.aggregate(
        total=Count("id"),
        **{f"is_{state}": Count("id", filter=in_state(state)) for state in EnrollmentState.values},
        **{f"by_{kind}": Count("id", filter=Q(access_type=kind)) for kind in AccessType.values},
        in_7_days=Count("id", filter=expiring_within(7, moment=moment)),
        in_30_days=Count("id", filter=expiring_within(30, moment=moment)),
        today=Count("id", filter=Q(created_at__gte=today)),
        this_week=Count("id", filter=Q(created_at__gte=today - timedelta(days=today.weekday()))),
    )
    departments = Department.objects.annotate(enrolled=Count("courses__enrollments")).filter(enrolled__gt=0)
    waits = EnrollmentFilters(status=EnrollmentState.PENDING, owner=CourseOwner.PLATFORM)
    waiting = enrollment_list(waits).order_by("id")
    return EnrollmentStats(
        total=counts["total"],
        by_status={state: counts[f"is_{state}"] for state in EnrollmentState.values},
        by_access_type={kind: counts[f"by_{kind}"] for kind in AccessType.values},
        by_department=[
            DepartmentCount(department, department.enrolled) for department in departments.order_by("-enrolled", "name")
        ],
        expiring_in_7_days=counts["in_7_days"],
        expiring_in_30_days=counts["in_30_days"],
        made_today=counts["today"],
        made_this_week=counts["this_week"],
        waiting_longest=list(waiting[:LONGEST_WAITING]),
    )


def account_choose(email: str) -> User:
    """The account that a request or a form names by its email. Raises AccountUnknown (400)."""
    account = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if account is None:
        raise AccountUnknown(attr="email")
    return account
