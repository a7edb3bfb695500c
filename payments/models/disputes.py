"""Payments that the buyer's bank takes back, or may."""

from django.db import models
from django.db.models import Q

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from payments.enums import DISPUTE_OPEN, DisputeStatus
from payments.models.payments import Payment
from payments.models.products import CURRENCY_CHOICES


class Dispute(models.Model):
    """A dispute of a captured payment, as its gateway reported it last.

        warning ----------closed-----------> prevented
           \\--it became a dispute--> needs_response <--> under_review --> won | lost | prevented

    Whatever the gateway says is taken over, in any order, also that a lost one is won after all: its entries are
    the difference between what the books hold for it and what they should (`payments/services/disputes.py`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    gateway_dispute_id = models.CharField(max_length=64)
    status = models.CharField(max_length=20, choices=DisputeStatus)
    reason = models.CharField(max_length=100, blank=True, help_text="As the gateway calls it.")
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    amount_minor = models.BigIntegerField(help_text="What the buyer's bank wants back, minor units.")
    withdrawn_minor = models.BigIntegerField(default=0, help_text="What the gateway has taken and not given back.")
    gateway_fee_minor = models.BigIntegerField(default=0, help_text="What the gateway charges us for it.")
    seller_minor = models.BigIntegerField(
        default=0, help_text="The creator's share of what is disputed and was not refunded; zero when it is off."
    )
    platform_minor = models.BigIntegerField(default=0, help_text="The platform's share of the same.")
    promotion_minor = models.BigIntegerField(
        default=0, help_text="Of the discount that the platform bore what returns to it, from those two."
    )
    revision = models.PositiveIntegerField(default=0, help_text="Grows with each change: which report came last.")
    due_at = models.DateTimeField(null=True, blank=True, help_text="Until when the gateway takes evidence.")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    evidence_sent_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(default=now, help_text="When the gateway was last asked.")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("payment", "gateway_dispute_id"), name="payments_dispute_once_per_gateway_id"
            ),
            models.CheckConstraint(
                condition=Q(
                    amount_minor__gt=0,
                    withdrawn_minor__gte=0,
                    seller_minor__gte=0,
                    platform_minor__gte=0,
                    promotion_minor__gte=0,
                ),
                name="payments_dispute_amounts_not_negative",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=(DisputeStatus.WON, DisputeStatus.PREVENTED))
                | Q(seller_minor=0, platform_minor=0, promotion_minor=0),
                name="payments_dispute_over_takes_nothing",
            ),
        )
        indexes = (
            models.Index(
                fields=("checked_at",),
                condition=Q(
                    status__in=(DisputeStatus.WARNING, DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW)
                ),
                name="payments_dispute_open",
            ),
        )

    def __str__(self) -> str:
        return f"{self.gateway_dispute_id} ({self.get_status_display().lower()})"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def is_open(self) -> bool:
        return self.status in DISPUTE_OPEN
