"""Enrollments, as staff serve them."""

from django.contrib import admin

from courses.models import Enrollment
from learning247.kit.admin import ReadOnlyAdmin


@admin.register(Enrollment)
class EnrollmentAdmin(ReadOnlyAdmin):
    """To be read: an enrollment comes with a purchase and goes with a refund."""

    list_display = ("student_name", "student_email", "course", "access_type", "status", "payment", "created_at")
    list_filter = ("status", "access_type", "course__department")
    search_fields = ("student_name", "student_email", "course__title", "payment__reference")
    list_select_related = ("course", "payment")
    date_hierarchy = "created_at"
