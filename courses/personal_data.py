"""What courses holds about people: those who teach them and those who take them."""

from django.db.models import Q

from courses.models import Course, Enrollment
from learning247.records.personal_tables import (
    PersonalTable,
    register_audit_subject,
    register_impersonal,
    register_personal_data,
)


def register_tables() -> None:
    """Called from `apps.ready()`."""
    register_personal_data(
        PersonalTable("courses", Course, lambda user: [Course.objects.filter(creator_id=user.id)]),
        PersonalTable(
            "enrollments",
            Enrollment,
            # Also those that somebody else bought for them.
            lambda user: [Enrollment.objects.filter(Q(user_id=user.id) | Q(student_email=user.email))],
            also=("course__title",),
        ),
    )
    register_audit_subject(
        "course", lambda user: Course.objects.filter(creator_id=user.id).values_list("id", flat=True)
    )
    register_audit_subject(
        "enrollment", lambda user: Enrollment.objects.filter(user_id=user.id).values_list("id", flat=True)
    )
    register_impersonal(
        {
            "courses.Department": "Shelves of the catalogue.",
            "courses.CourseDocument": "Words of published courses, for the search.",
            "courses.CatalogueWord": "Words of published courses, for the search.",
            "courses.CatalogueVersion": "One number.",
            "courses.CoursePass": "Passes that the platform sells.",
        }
    )
