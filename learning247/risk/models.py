"""What everything that people review has in common."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.risk.enums import ReviewPriority, ReviewStatus


class ReviewCase(models.Model):
    """One question to people, about one row of an upper app, which adds the key to it and why it was asked.

        open --approve--> approved
          |---reject----> rejected
          \\--what it is about was settled otherwise--> closed

    A decision is final: it names who took it and why, and no machine changes it. What comes up afterwards is another
    case.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    status = models.CharField(max_length=10, choices=ReviewStatus, default=ReviewStatus.OPEN)
    priority = models.PositiveSmallIntegerField(choices=ReviewPriority, default=ReviewPriority.NORMAL)
    due_at = models.DateTimeField(help_text="Decide before this time; afterwards it is escalated.")
    escalated_at = models.DateTimeField(null=True, blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    notes = models.TextField(blank=True, max_length=2_000, help_text="The staff's own.")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        abstract = True
        ordering = ("due_at", "id")
        constraints: ClassVar[list[models.BaseConstraint] | tuple[models.BaseConstraint, ...]] = (
            models.CheckConstraint(
                condition=Q(status=ReviewStatus.OPEN, decided_at__isnull=True, decided_by__isnull=True)
                | Q(status=ReviewStatus.CLOSED, decided_at__isnull=False)
                | Q(
                    status__in=(ReviewStatus.APPROVED, ReviewStatus.REJECTED),
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                ),
                name="%(app_label)s_%(class)s_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(status=ReviewStatus.REJECTED) | ~Q(decision_reason=""),
                name="%(app_label)s_%(class)s_rejected_for_a_reason",
            ),
        )
        indexes = (
            models.Index(fields=("due_at", "id"), condition=Q(status="open"), name="%(app_label)s_%(class)s_open"),
        )

    @property
    def overdue(self) -> bool:
        return self.status == ReviewStatus.OPEN and self.due_at <= now()
