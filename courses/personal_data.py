"""What courses holds about people, those who teach them and those who take them; and how it is forgotten."""

from collections.abc import Iterator

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Q, QuerySet

from accounts.models import User
from courses.locks import courses_lock, enrollments_lock
from courses.models import Course, Enrollment
from courses.services.courses import course_erase_or_withdraw
from learning247.kit.clock import now
from learning247.records.personal_tables import (
    ErasureSubject,
    Obstacle,
    PersonalTable,
    addresses_of,
    register_audit_subject,
    register_erasure_guard,
    register_impersonal,
    register_mail_keys,
    register_personal_data,
)
from learning247.records.services.personal_data import console_forget


def register_tables() -> None:
    """Called from `apps.ready()`."""
    register_personal_data(
        PersonalTable(
            "courses",
            Course,
            lambda user: [Course.objects.filter(creator_id=user.id)],
            forget=courses_forget,
            kept="Courses that somebody bought, as they are, by a deleted user: those who bought them keep them. All "
            "others are erased.",
        ),
        PersonalTable(
            "enrollments",
            Enrollment,
            # Also those that somebody else bought for them.
            lambda user: [enrollments_of(user)],
            also=("course__title",),
            withheld={"notes": "Staff's own, for staff. Support answers whoever asks what they say."},
            forget=enrollments_forget,
            kept="That somebody took a course, without who: it belongs to the payment.",
        ),
    )
    register_audit_subject(
        "course", lambda user: Course.objects.filter(creator_id=user.id).values_list("id", flat=True)
    )
    register_audit_subject("enrollment", lambda user: enrollments_of(user).values_list("id", flat=True))
    register_mail_keys(lambda user: [f"enrollment:{pk}" for pk in enrollments_of(user).values_list("id", flat=True)])
    register_erasure_guard(courses_hold)
    register_impersonal(
        {
            "courses.Department": "Shelves of the catalogue.",
            "courses.CourseDocument": "Words of published courses, for the search.",
            "courses.CatalogueWord": "Words of published courses, for the search.",
            "courses.CatalogueVersion": "One number.",
            "courses.CoursePass": "Passes that the platform sells.",
        }
    )


def enrollments_of(user: User) -> QuerySet[Enrollment]:
    """The person's own, those that they bought for others, and those that others bought for them: by an address that
    they have proved, for anybody can sign up with that of a student."""
    theirs = Q(user_id=user.id)
    for address in addresses_of(user):
        named = Q(student_email=address.email)
        theirs |= named if address.until is None else named & Q(created_at__lt=address.until)
    return Enrollment.objects.filter(theirs)


def courses_hold(user: AbstractBaseUser) -> Iterator[Obstacle]:
    """Nothing is in the way here; but courses are locked before their products are."""
    courses_lock(list(Course.objects.filter(creator_id=user.pk).values_list("id", flat=True)))
    yield from ()


def courses_forget(erasure: ErasureSubject) -> None:
    for course_id in list(
        Course.objects.filter(creator_id=erasure.user.pk).order_by("id").values_list("id", flat=True)
    ):
        course_erase_or_withdraw(course_id=course_id, actor=None)


def enrollments_forget(erasure: ErasureSubject) -> None:
    """Who takes the course, and what staff noted of them. Who bought a course for the person keeps it."""
    assert isinstance(erasure.user, User)
    ids = list(enrollments_of(erasure.user).values_list("id", flat=True))
    enrollments_lock(ids)
    Enrollment.objects.filter(id__in=ids).update(
        student_name=erasure.name, student_email=erasure.email, student_phone="", notes="", updated_at=now()
    )
    console_forget(Enrollment, ids, erasure)
