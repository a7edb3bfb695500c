"""What goes between the gateways and our own bank."""

from django.db import models
from django.db.models import F, Q

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from payments.enums import GatewayName, PayoutRowKind, PayoutStatus
from payments.models.products import CURRENCY_CHOICES
from wallets.models import JournalEntry


class Payout(models.Model):
    """What a gateway paid out to our bank (Paystack: a settlement), or took in from there (a top-up): as it says.

        pending ----> paid ----came back----> failed
           \\--it never went--> failed | canceled

    Booked once it is paid, and taken back once if it fails after that: two entries at most. An older report, which
    comes late, changes nothing. What creators withdraw is none of this.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    gateway = models.CharField(max_length=10, choices=GatewayName)
    gateway_payout_id = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=PayoutStatus, default=PayoutStatus.PENDING)
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    amount_minor = models.BigIntegerField(help_text="To our bank, minor units; below zero: from our bank.")
    failure_reason = models.CharField(max_length=200, blank=True)
    initiated_at = models.DateTimeField(help_text="When the gateway made it.")
    arrives_at = models.DateTimeField(null=True, blank=True, help_text="When the bank has it, as the gateway expects.")
    entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Once it is paid."
    )
    returning_entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="If it came back."
    )
    closed_at = models.DateTimeField(null=True, blank=True, help_text="When we heard that it failed or was canceled.")
    rows_read_at = models.DateTimeField(
        null=True, blank=True, help_text="When the gateway listed what it pays out. Empty: it does not, or not yet."
    )
    checked_at = models.DateTimeField(default=now, help_text="When the gateway last said how it stands.")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-initiated_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("gateway", "gateway_payout_id"), name="payments_payout_once_per_gateway_id"
            ),
            models.CheckConstraint(
                condition=Q(returning_entry__isnull=True)
                | (Q(entry__isnull=False, status__in=(PayoutStatus.FAILED, PayoutStatus.CANCELED))),
                name="payments_payout_returned_was_booked",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_gateway_display()} {self.gateway_payout_id}"

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)


class PayoutRow(models.Model):
    """One of the movements that a payout pays out, as the gateway lists them. Together they are the payout (I14)."""

    id = models.BigAutoField(primary_key=True)
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="rows")
    kind = models.CharField(max_length=20, choices=PayoutRowKind)
    key = models.CharField(max_length=255, blank=True, help_text="What it is about: as a line of reconciliation.")
    amount_minor = models.BigIntegerField(help_text="Signed, before the fee.")
    fee_minor = models.BigIntegerField(default=0)
    net_minor = models.GeneratedField(
        expression=F("amount_minor") - F("fee_minor"), output_field=models.BigIntegerField(), db_persist=True
    )

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key}"
