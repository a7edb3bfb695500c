"""Withdrawals that people decide over."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from learning247.kit.clock import now
from learning247.risk.enums import ReviewStatus
from learning247.risk.models import ReviewCase
from wallets.enums import WithdrawalDoubt
from wallets.models.withdrawals import Withdrawal


class WithdrawalReview(ReviewCase):
    """A confirmed withdrawal that does not go out by itself. Every withdrawal in review has one that is open.

    Approved, by two people where it is large, it goes on its way; rejected, the money is back in its owner's wallet.
    """

    withdrawal = models.OneToOneField(Withdrawal, on_delete=models.PROTECT, related_name="review")
    reason = models.CharField(max_length=20, choices=WithdrawalDoubt)
    told = models.JSONField(default=list, help_text="Why, in words that its owner may read.")
    approvals_needed = models.PositiveSmallIntegerField(default=1)

    class Meta(ReviewCase.Meta):
        constraints = (
            *ReviewCase.Meta.constraints,
            models.CheckConstraint(
                condition=Q(approvals_needed__gte=1), name="wallets_withdrawalreview_somebody_approves"
            ),
        )

    def __str__(self) -> str:
        return f"{self.withdrawal}: {self.get_reason_display()}"

    @property
    def is_open(self) -> bool:
        return self.status == ReviewStatus.OPEN


class WithdrawalApproval(models.Model):
    """One person's yes to one withdrawal. A large one needs those of two."""

    review = models.ForeignKey(WithdrawalReview, on_delete=models.PROTECT, related_name="approvals")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("review", "person"), name="wallets_withdrawalapproval_once_per_person"),
        )

    def __str__(self) -> str:
        return f"{self.person_id}: {self.review_id}"
