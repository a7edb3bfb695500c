"""Courses, the departments they stand in, and who is enrolled."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from courses.enums import AccessType, CourseStatus, EnrollmentStatus
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from payments.models import Entitlement, Payment, Product


class Department(models.Model):
    """A shelf of the catalogue."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(max_length=140, unique=True)
    description = models.TextField(max_length=2000, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Course(models.Model):
    """A course that is sold. No creator means that the platform owns it and keeps the whole price.

        draft --published--> published --withdrawn--> withdrawn --published--> published
          \\--deleted: erased     \\--deleted: erased when nobody ever began to buy it, else withdrawn

    The product is active exactly while the course is published. A draft is seen by its creator alone; a withdrawn
    course keeps serving those who own it, and cannot be bought.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=240, unique=True, help_text="From the first title; it stays when that changes.")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="courses")
    description = models.TextField(blank=True)
    curriculum = models.TextField(blank=True)
    duration = models.CharField(max_length=100, blank=True, help_text='As people say it: "3 hours, 20 minutes".')
    link = models.URLField(max_length=1000, blank=True, help_text="Where the course is taken; for the entitled alone.")
    image_url = models.URLField(max_length=1000, blank=True)
    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="courses",
        help_text="None: the platform.",
    )
    product = models.OneToOneField(Product, on_delete=models.PROTECT, related_name="course")
    status = models.CharField(max_length=10, choices=CourseStatus, default=CourseStatus.DRAFT)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ("title", "id")
        constraints = (
            # What an import finds again. Two creators may well teach the same thing under the same title.
            models.UniqueConstraint(
                "department",
                Lower("title"),
                condition=Q(creator__isnull=True),
                name="courses_platform_course_once_per_title",
            ),
        )
        indexes = (
            models.Index(
                fields=("department", "title", "id"),
                condition=Q(status=CourseStatus.PUBLISHED),
                name="courses_published_by_title",
            ),
            models.Index(fields=("creator", "-created_at"), name="courses_by_creator"),
        )

    def __str__(self) -> str:
        return self.title


class Enrollment(models.Model):
    """A student of a course, made in the moment the purchase settles. No course: a pass to every platform course.

        pending --set by staff: the sign-in was sent to the student--> credentials_sent
           \\--entitlement revoked--> revoked <--entitlement revoked--/

    The entitlement decides about access, this row tells how the student is served (I9 holds them together).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    student = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="enrollments")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, null=True, blank=True, related_name="enrollments")
    access_type = models.CharField(max_length=10, choices=AccessType, default=AccessType.INDIVIDUAL)
    status = models.CharField(max_length=20, choices=EnrollmentStatus, default=EnrollmentStatus.PENDING)
    # Who takes the course: the buyer, unless the purchase named somebody else.
    student_name = models.CharField(max_length=200)
    student_email = models.EmailField(max_length=254)
    student_phone = models.CharField(max_length=32, blank=True)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="enrollments", help_text="None: granted."
    )
    entitlement = models.OneToOneField(Entitlement, on_delete=models.PROTECT, related_name="enrollment")
    starts_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True, help_text="None: for good.")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(course__isnull=False, access_type=AccessType.INDIVIDUAL)
                | (Q(course__isnull=True) & ~Q(access_type=AccessType.INDIVIDUAL)),
                name="courses_enrollment_in_a_course_or_by_a_pass",
            ),
        )
        indexes = (models.Index(fields=("student", "-id"), name="courses_enrollment_by_student"),)

    def __str__(self) -> str:
        return f"{self.student_email} in {self.course or self.get_access_type_display()}"
