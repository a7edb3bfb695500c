"""Currencies in which nothing leaves, because the books did not prove."""

from django.conf import settings
from django.db import models

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from wallets.models.ledger import CURRENCY_CHOICES


class PayoutFreeze(models.Model):
    """Payouts of one currency, paused by an invariant that failed, until two different people let them go on.

    No machine lifts one. Where the invariant still fails after that, the next look at the books makes another.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    check_code = models.CharField(max_length=10, help_text="Of the invariant: I1, I2, …")
    breach = models.CharField(max_length=500, help_text="The first row that broke it.")
    frozen_at = models.DateTimeField(default=now, editable=False)
    first_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who agreed first that payouts go on.",
    )
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who agreed then.",
    )
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-frozen_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("currency",), condition=models.Q(lifted_at__isnull=True), name="wallets_payoutfreeze_one_open"
            ),
            models.CheckConstraint(
                condition=models.Q(lifted_at__isnull=True, lifted_by__isnull=True)
                | (
                    models.Q(lifted_at__isnull=False, first_by__isnull=False, lifted_by__isnull=False)
                    & ~models.Q(first_by=models.F("lifted_by"))
                ),
                name="wallets_payoutfreeze_lifted_by_two_people",
            ),
        )

    def __str__(self) -> str:
        return f"{self.currency}: {self.check_code}"
