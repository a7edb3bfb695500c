"""Money that goes back to a buyer."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from payments.enums import RefundSource, RefundStatus
from payments.models.payments import Payment
from payments.models.products import CURRENCY_CHOICES
from wallets.models import JournalEntry


class Refund(models.Model):
    """A part of a captured payment, or all of it, on its way back to the buyer.

        requested --the gateway took it--> pending --arrived--> done
            |                                |  ^                 |
            |                                v  |                 |
            |                          needs_attention            |
            |                                |                    |
            \\--a conclusive no--> failed <---+---it came back----/

    Its entry, and the end of access where it ends, are written with the row: before the gateway hears of it, so that
    nobody withdraws what is being given back. `failed` has a second entry that restores all of the first, and the
    access. A timeout leaves it `requested`: the gateway is asked before anything is sent again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reference = models.CharField(max_length=40, unique=True, help_text="Ours; how the gateway's is found again.")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    status = models.CharField(max_length=20, choices=RefundStatus, default=RefundStatus.REQUESTED)
    source = models.CharField(max_length=10, choices=RefundSource)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="None: nobody of ours.",
    )
    reason = models.CharField(max_length=200)
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    amount_minor = models.BigIntegerField(help_text="Minor units.")
    seller_minor = models.BigIntegerField(help_text="Of which from the creator's wallet.")
    platform_minor = models.BigIntegerField(help_text="Of which from the platform's fees, sales or unsettled money.")
    promotion_minor = models.BigIntegerField(
        default=0, help_text="Of the discount that the platform bore what returns to it, from those two."
    )
    ends_access = models.BooleanField(help_text="The buyer's right went with it.")
    entry = models.OneToOneField(JournalEntry, on_delete=models.PROTECT, related_name="+")
    restoring_entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Of a failed one."
    )
    gateway_refund_id = models.CharField(max_length=64, blank=True)
    failure_reason = models.CharField(max_length=200, blank=True)
    operation = models.CharField(max_length=60, blank=True)
    idempotency_key = models.CharField(max_length=255, blank=True)

    # Asking the gateway: one worker at a time, again when due.
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the gateway was last told to make it.")
    due_at = models.DateTimeField(default=now, help_text="Not before this time is the gateway asked again.")
    lease_until = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("requested_by", "operation", "idempotency_key"),
                condition=~Q(idempotency_key=""),
                name="payments_refund_once_per_key",
            ),
            models.UniqueConstraint(
                fields=("payment", "gateway_refund_id"),
                condition=~Q(gateway_refund_id=""),
                name="payments_refund_once_per_gateway_id",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_refund_is_something"),
            models.CheckConstraint(
                condition=Q(seller_minor__gte=0, platform_minor__gte=0, promotion_minor__gte=0)
                & Q(amount_minor=F("seller_minor") + F("platform_minor") - F("promotion_minor")),
                name="payments_refund_parts_add_up",
            ),
            models.CheckConstraint(
                condition=Q(status=RefundStatus.FAILED, restoring_entry__isnull=False)
                | (~Q(status=RefundStatus.FAILED) & Q(restoring_entry__isnull=True)),
                name="payments_refund_failed_is_restored",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=(RefundStatus.FAILED, RefundStatus.NEEDS_ATTENTION)) | ~Q(failure_reason=""),
                name="payments_refund_failed_for_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(source__in=(RefundSource.BUYER, RefundSource.STAFF)) | Q(requested_by__isnull=False),
                name="payments_refund_by_somebody",
            ),
        )
        indexes = (
            models.Index(
                fields=("due_at",),
                condition=Q(status__in=(RefundStatus.REQUESTED, RefundStatus.PENDING, RefundStatus.NEEDS_ATTENTION)),
                name="payments_refund_due",
            ),
        )

    def __str__(self) -> str:
        return self.reference

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)
