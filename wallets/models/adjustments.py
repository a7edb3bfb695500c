"""Entries that people make by hand."""

from django.conf import settings
from django.db import models

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from wallets.enums import AccountKind, AdjustmentStatus
from wallets.models.ledger import JournalEntry


class AdjustmentProposal(models.Model):
    """An entry that people may make by hand, with its exact lines: two of them, and why.

        proposed --a second, different person approved--> posted
           |  \\--somebody rejected it, with a reason--> rejected
           \\--what it was to repair is not so any more--> outdated

    One that reconciliation makes is nobody's until somebody approves it first: no machine posts, and none decides.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    status = models.CharField(max_length=10, choices=AdjustmentStatus, default=AdjustmentStatus.PROPOSED)
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=200)
    reference = models.CharField(max_length=64, blank=True, help_text="Of what it is about.")
    source_key = models.CharField(
        max_length=200, blank=True, help_text="Which line of a reconciliation it repairs. Empty: staff made it."
    )
    report_line = models.JSONField(default=dict, blank=True, help_text="That line, and the report that it stands in.")
    first_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who proposed it, or was the first to approve it.",
    )
    second_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who approved it then.",
    )
    rejected_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=200, blank=True)
    entry = models.OneToOneField(JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("source_key",),
                condition=models.Q(status="proposed") & ~models.Q(source_key=""),
                name="wallets_adjustment_one_open_per_line",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="posted")
                | (
                    models.Q(first_by__isnull=False, second_by__isnull=False, entry__isnull=False)
                    & ~models.Q(first_by=models.F("second_by"))
                ),
                name="wallets_adjustment_posted_by_two_people",
            ),
            models.CheckConstraint(
                condition=models.Q(status="posted") | models.Q(entry__isnull=True, second_by__isnull=True),
                name="wallets_adjustment_entry_only_when_posted",
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=("rejected", "outdated")) | ~models.Q(decision_reason=""),
                name="wallets_adjustment_closed_with_a_reason",
            ),
        )

    def __str__(self) -> str:
        return self.reason


class AdjustmentLine(models.Model):
    """One line of a proposal: + credits the account, − debits it."""

    id = models.BigAutoField(primary_key=True)
    proposal = models.ForeignKey(AdjustmentProposal, on_delete=models.PROTECT, related_name="lines")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Whose account. Empty: the platform's.",
    )
    kind = models.CharField(max_length=20, choices=AccountKind)
    amount_minor = models.BigIntegerField()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(condition=~models.Q(amount_minor=0), name="wallets_adjustmentline_moves_something"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount_minor:+d}"
