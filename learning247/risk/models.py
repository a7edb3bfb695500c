"""Rules and what they decided; and what everything that people review has in common."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.risk.enums import Outcome, Purpose, ReviewPriority, ReviewStatus, RuleKind, RuleStatus

DIGEST_LENGTH = 32


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


class RuleVersion(models.Model):
    """One version of a rule, as data. What it says never changes, by the database (migration 0002); another threshold
    is another version.

        shadow --promoted--> live --another version is promoted, or it is retired--> retired
           \\--retired, or a newer one comes into shadow---------------------------> retired

    In shadow it is asked and its answer stored, without effect. Of a rule one version is live at most, and one in
    shadow.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.SlugField(max_length=60, help_text="The rule's name, the same for all its versions.")
    number = models.PositiveIntegerField()
    purpose = models.CharField(max_length=12, choices=Purpose)
    kind = models.CharField(max_length=20, choices=RuleKind)
    parameters = models.JSONField(default=dict, blank=True, help_text="By kind: docs/risk.md.")
    outcome = models.CharField(max_length=6, choices=Outcome)
    status = models.CharField(max_length=8, choices=RuleStatus, default=RuleStatus.SHADOW)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("rule", "-number")
        constraints = (
            models.UniqueConstraint(fields=("rule", "number"), name="risk_ruleversion_number_once"),
            models.UniqueConstraint(
                fields=("rule",), condition=Q(status=RuleStatus.LIVE), name="risk_ruleversion_one_live"
            ),
            models.UniqueConstraint(
                fields=("rule",), condition=Q(status=RuleStatus.SHADOW), name="risk_ruleversion_one_in_shadow"
            ),
            models.CheckConstraint(condition=~Q(outcome=Outcome.ALLOW), name="risk_ruleversion_does_something"),
        )

    def __str__(self) -> str:
        return f"{self.rule} {self.number}"


class Decision(models.Model):
    """What the checker said about one thing at one point, from which inputs, by which versions of the rules.

    Append-only by the database, but for the keyed hashes, which are emptied when their owner is forgotten (migration
    0002). Asked again about the same, the checker gives the same decision.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    purpose = models.CharField(max_length=12, choices=Purpose)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.UUIDField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    counterparty = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    outcome = models.CharField(max_length=6, choices=Outcome)
    failure = models.CharField(
        max_length=500, blank=True, help_text="Why the checker could not say; the outcome is then the safe one."
    )
    inputs = models.JSONField(help_text="All that the rules were given.")
    results = models.JSONField(help_text="What each version said, live and in shadow.")
    # Keyed hashes, so that the same is known again and nobody reads here which card or address it was.
    ip = models.CharField(max_length=DIGEST_LENGTH, blank=True)
    device = models.CharField(max_length=DIGEST_LENGTH, blank=True)
    card = models.CharField(max_length=DIGEST_LENGTH, blank=True)
    bank = models.CharField(max_length=DIGEST_LENGTH, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("purpose", "subject_kind", "subject_id"), name="risk_decision_once"),
        )
        indexes = (
            models.Index(fields=("person", "created_at"), name="risk_decision_by_person"),
            models.Index(
                fields=("counterparty", "created_at"),
                condition=Q(counterparty__isnull=False),
                name="risk_decision_by_counterparty",
            ),
            models.Index(fields=("ip", "created_at"), condition=~Q(ip=""), name="risk_decision_by_ip"),
            models.Index(fields=("device", "created_at"), condition=~Q(device=""), name="risk_decision_by_device"),
            models.Index(fields=("card", "created_at"), condition=~Q(card=""), name="risk_decision_by_card"),
            models.Index(fields=("bank", "created_at"), condition=~Q(bank=""), name="risk_decision_by_bank"),
            models.Index(fields=("created_at", "id"), name="risk_decision_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.purpose} of {self.subject_kind} {self.subject_id}: {self.outcome}"

    @property
    def flagged(self) -> bool:
        """Whether the checker, or one of its live rules, failed: it was not looked at as it should."""
        return self.failure != ""

    @property
    def fired(self) -> list[dict[str, Any]]:
        """What the live rules that fired said."""
        return [result for result in self.results if result["status"] == RuleStatus.LIVE and result["fired"]]

    @property
    def reasons(self) -> list[str]:
        """Why it is not simply allowed, in words for whoever it is about; without what would help to pass next time."""
        told = [result["told"] for result in self.fired if result["outcome"] == self.outcome]
        if not told and self.outcome != Outcome.ALLOW:
            told = [COULD_NOT_CHECK]
        return list(dict.fromkeys(told))


COULD_NOT_CHECK = "Our automatic checks could not be made, so a person looks at it."


class CounterState(models.Model):
    """Which generation of the counters in Redis is good; one row. `stale` since Redis was away and missed something."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    generation = models.PositiveIntegerField(default=1)
    stale = models.BooleanField(default=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="risk_counterstate_one_row"),)

    def __str__(self) -> str:
        return f"generation {self.generation}{' (stale)' if self.stale else ''}"
