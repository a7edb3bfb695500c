"""Choices of risk."""

from django.db import models


class ReviewStatus(models.TextChoices):
    """The diagram is above `ReviewCase`."""

    OPEN = "open", "Open"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    CLOSED = "closed", "Closed without a decision"


class ReviewPriority(models.IntegerChoices):
    LOW = 10, "Low"
    NORMAL = 20, "Normal"
    HIGH = 30, "High"
    URGENT = 40, "Urgent"
