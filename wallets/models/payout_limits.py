"""How much a person may withdraw, where that is not what everybody may."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from learning247.kit.clock import now
from wallets.enums import PayoutTier
from wallets.models.ledger import CURRENCY_CHOICES


class PayoutProfile(models.Model):
    """A person's tier, and whether their withdrawals are suspended. Without one: standard, and not suspended."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="payout_profile"
    )
    tier = models.CharField(max_length=10, choices=PayoutTier, default=PayoutTier.STANDARD)
    suspended_at = models.DateTimeField(null=True, blank=True, help_text="Nothing leaves from then on.")
    suspended_reason = models.CharField(
        max_length=200, blank=True, help_text="The staff's own; not shown to its owner."
    )
    changed_at = models.DateTimeField(default=now)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(suspended_at__isnull=True) | ~Q(suspended_reason=""),
                name="wallets_payoutprofile_suspended_for_a_reason",
            ),
        )

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.tier}"


class PayoutLimit(models.Model):
    """What one person may withdraw in one currency instead of what their tier says; minor units. Empty: the tier's."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payout_limits")
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    single_minor = models.BigIntegerField(null=True, blank=True)
    daily_minor = models.BigIntegerField(null=True, blank=True)
    monthly_minor = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("owner", "currency"), name="wallets_payoutlimit_once_per_currency"),
            models.CheckConstraint(
                condition=(Q(single_minor__isnull=True) | Q(single_minor__gte=0))
                & (Q(daily_minor__isnull=True) | Q(daily_minor__gte=0))
                & (Q(monthly_minor__isnull=True) | Q(monthly_minor__gte=0)),
                name="wallets_payoutlimit_is_no_debt",
            ),
        )

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.currency}"
