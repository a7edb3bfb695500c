"""Courses, the departments they stand in, and who is enrolled."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, GistIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Upper

from courses.enums import AccessType, CourseOwner, CourseStatus, EnrollmentStatus
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from payments.models import Entitlement, Payment, Product


class Department(models.Model):
    """A shelf of the catalogue."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(max_length=140, unique=True)
    description = models.TextField(max_length=2000, blank=True)
    course_count = models.PositiveIntegerField(
        default=0, editable=False, help_text="Published courses; counted by the database."
    )
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
    enrollment_count = models.PositiveIntegerField(
        default=0, editable=False, help_text="Enrollments that are not revoked; counted every half minute."
    )
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
            models.Index(
                fields=("title", "id"), condition=Q(status=CourseStatus.PUBLISHED), name="courses_published_all"
            ),
            models.Index(
                fields=("department", "created_at", "id"),
                condition=Q(status=CourseStatus.PUBLISHED),
                name="courses_published_by_age",
            ),
            models.Index(
                fields=("department", "-enrollment_count", "title", "id"),
                condition=Q(status=CourseStatus.PUBLISHED),
                name="courses_published_by_students",
            ),
            models.Index(fields=("creator", "-created_at"), name="courses_by_creator"),
        )

    def __str__(self) -> str:
        return self.title


class CourseDocument(models.Model):
    """What search reads of a published course. Written by triggers on courses and departments (migration 0003)."""

    course = models.OneToOneField(Course, on_delete=models.DO_NOTHING, primary_key=True, related_name="document")
    department_id = models.UUIDField()
    title = models.CharField(max_length=200)
    title_words = SearchVectorField(help_text="Of title (A) and department (B): as written, and their stems.")
    all_words = SearchVectorField(help_text="The same, and stems of description (C) and curriculum (D).")
    changed_at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        indexes = (
            # Searches come at any time, changes seldom: no list of pending words to be read through.
            GinIndex(fields=("title_words", "department_id"), fastupdate=False, name="courses_document_by_title"),
            GinIndex(fields=("all_words", "department_id"), fastupdate=False, name="courses_document_by_word"),
        )

    def __str__(self) -> str:
        return self.title


class CatalogueWord(models.Model):
    """A word that some published course has: what a mistyped one is compared with (`services/search_words.py`)."""

    word = models.CharField(max_length=60, primary_key=True)

    class Meta:
        indexes = (GistIndex(OpClass("word", name="gist_trgm_ops"), name="courses_word_by_likeness"),)

    def __str__(self) -> str:
        return self.word


class CatalogueVersion(models.Model):
    """The one row that every change of the public catalogue replaces in its own transaction, by triggers on courses,
    departments, prices and creators' names (migration 0003). What was rendered under another version is not shown.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.UUIDField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="courses_catalogue_has_one_version"),)

    def __str__(self) -> str:
        return str(self.version)


class CoursePass(models.Model):
    """A pass that is sold: every platform course on sale, for a calendar month or year. One row per access type.

    How long it lasts and what it costs stands with its product; staff set the prices.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    access_type = models.CharField(max_length=10, choices=AccessType, unique=True)
    product = models.OneToOneField(Product, on_delete=models.PROTECT, related_name="course_pass")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("access_type",)
        verbose_name_plural = "course passes"
        constraints = (
            models.CheckConstraint(
                condition=Q(access_type__in=(AccessType.MONTHLY, AccessType.YEARLY)),
                name="courses_pass_for_a_month_or_a_year",
            ),
        )

    def __str__(self) -> str:
        return self.get_access_type_display()


class Enrollment(models.Model):
    """A student of a course, made in the moment the purchase settles or by staff. No course: a pass to every platform
    course that is on sale.

        pending --staff: the sign-in was sent--> credentials_sent --staff: it was not--> pending
           \\--expires_at passes--> expired <--expires_at passes--/   not stored: what time makes of the two
           \\--entitlement revoked--> revoked <--entitlement revoked--/   also from expired
        revoked --the revocation did not hold (a refund failed)--> what it was before

    The entitlement decides about access, this row tells how the student is served (I9 holds them together).
    `courses.selectors.enrollments.enrollment_state` is the one place that knows what has expired.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="enrollments")
    course = models.ForeignKey(Course, on_delete=models.PROTECT, null=True, blank=True, related_name="enrollments")
    access_type = models.CharField(max_length=10, choices=AccessType, default=AccessType.INDIVIDUAL)
    status = models.CharField(max_length=20, choices=EnrollmentStatus, default=EnrollmentStatus.PENDING)
    # Who takes the course: the user, unless the purchase or staff named somebody else.
    student_name = models.CharField(max_length=200)
    student_email = models.EmailField(max_length=254)
    student_phone = models.CharField(max_length=32, blank=True)
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="enrollments", help_text="None: granted."
    )
    entitlement = models.OneToOneField(Entitlement, on_delete=models.PROTECT, related_name="enrollment")
    starts_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True, help_text="None: for good.")
    credentials_sent_at = models.DateTimeField(null=True, blank=True)
    credentials_sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    credentials_mailed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the student was told by mail: once, also when marked again."
    )
    notes = models.TextField(max_length=2000, blank=True, help_text="Staff's own; students do not see them.")
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(course__isnull=False, access_type=AccessType.INDIVIDUAL)
                | (Q(course__isnull=True) & ~Q(access_type=AccessType.INDIVIDUAL)),
                name="courses_enrollment_in_a_course_or_by_a_pass",
            ),
            models.CheckConstraint(
                condition=Q(access_type=AccessType.INDIVIDUAL) | Q(expires_at__isnull=False),
                name="courses_enrollment_by_a_pass_ends",
            ),
            models.CheckConstraint(
                condition=Q(credentials_sent_at__isnull=True, credentials_sent_by__isnull=True)
                | Q(credentials_sent_at__isnull=False, credentials_sent_by__isnull=False),
                name="courses_enrollment_sent_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(status=EnrollmentStatus.REVOKED)
                | Q(status=EnrollmentStatus.PENDING, credentials_sent_at__isnull=True)
                | Q(
                    status=EnrollmentStatus.CREDENTIALS_SENT,
                    credentials_sent_at__isnull=False,
                    credentials_mailed_at__isnull=False,
                ),
                name="courses_enrollment_status_says_what_was_sent",
            ),
        )
        indexes = (
            models.Index(fields=("user", "-id"), name="courses_enrollment_by_user"),
            models.Index(fields=("updated_at",), name="courses_enrollment_by_change"),
            models.Index(fields=("status", "-id"), name="courses_enrollment_by_status"),
            models.Index(
                fields=("expires_at",), condition=Q(expires_at__isnull=False), name="courses_enrollment_by_expiry"
            ),
            # Parts of names and emails, as staff search them, without regard to case.
            GinIndex(OpClass(Upper("student_name"), name="gin_trgm_ops"), name="courses_enrollment_by_name"),
            GinIndex(OpClass(Upper("student_email"), name="gin_trgm_ops"), name="courses_enrollment_by_email"),
        )

    def __str__(self) -> str:
        return f"{self.student_email} in {self.course or self.get_access_type_display()}"

    @property
    def owner(self) -> CourseOwner:
        """Whose course it is; staff send sign-ins for the platform's alone."""
        return CourseOwner.CREATOR if self.course and self.course.creator_id else CourseOwner.PLATFORM
