"""Choices of the courses app."""

from django.db import models


class CourseStatus(models.TextChoices):
    """The diagram is above `Course`."""

    DRAFT = "draft", "Draft"
    PUBLISHED = "published", "Published"
    WITHDRAWN = "withdrawn", "Withdrawn"


class CourseOwner(models.TextChoices):
    """Whose course it is. A pass is the platform's."""

    PLATFORM = "platform", "Platform"
    CREATOR = "creator", "Creator"


class AccessType(models.TextChoices):
    """What was bought: one course, or a pass to every platform course for a month or a year."""

    INDIVIDUAL = "individual", "Individual"
    MONTHLY = "monthly", "Monthly pass"
    YEARLY = "yearly", "Yearly pass"


class EnrollmentStatus(models.TextChoices):
    """What is stored; the diagram is above `Enrollment`."""

    PENDING = "pending", "Pending"
    CREDENTIALS_SENT = "credentials_sent", "Credentials sent"
    REVOKED = "revoked", "Revoked"


class EnrollmentState(models.TextChoices):
    """What is shown: the stored status, or that its time is over."""

    PENDING = "pending", "Pending"
    CREDENTIALS_SENT = "credentials_sent", "Credentials sent"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Revoked"
