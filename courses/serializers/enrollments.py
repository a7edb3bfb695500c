"""Shapes of enrollments as their student sees them."""

from typing import Any

from rest_framework import serializers

from courses.enums import AccessType, EnrollmentState
from courses.models import Course, Enrollment
from courses.serializers.catalogue import CourseSerializer


class EnrolledCourseSerializer(CourseSerializer):
    """A course as its student sees it. Context: `open_links`, the ids of courses whose link may be shown."""

    link = serializers.SerializerMethodField(help_text="Null while access is not active.")

    def get_link(self, course: Course) -> str | None:
        return course.link or None if course.id in self.context["open_links"] else None


class EnrolledStudentSerializer(serializers.Serializer[Any]):
    """Who takes the course: the buyer, unless the purchase named somebody else."""

    name = serializers.CharField(source="student_name")
    email = serializers.CharField(source="student_email")
    phone = serializers.CharField(source="student_phone")


class EnrollmentSerializer(serializers.Serializer[Any]):
    """Context: `open_links` as above."""

    id = serializers.UUIDField()
    course = EnrolledCourseSerializer(allow_null=True, help_text="Null: a pass to every platform course.")
    access_type = serializers.ChoiceField(choices=AccessType.choices)
    status = serializers.ChoiceField(choices=EnrollmentState.choices, source="state")
    student = EnrolledStudentSerializer(source="*")
    starts_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    payment_reference = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()

    def get_payment_reference(self, enrollment: Enrollment) -> str | None:
        return enrollment.payment.reference if enrollment.payment else None
