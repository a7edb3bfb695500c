"""Who pays for what is sold."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import EXPONENTS, Money
from payments.coupon_codes import CODE_LENGTH
from payments.enums import GatewayName, PaymentStatus, ReviewReason
from payments.models.products import CURRENCY_CHOICES, Product
from wallets.models import JournalEntry


class Payment(models.Model):
    """One attempt of one buyer to pay for one product. `reference` is what the gateway knows it by.

        pending --captured, all agrees----------------------> paid
           |  \\--declined--> failed --paid after all--------> paid   (the same reference may still succeed)
           |  \\--checkout over--> expired --paid late--------> paid
           |  \\--captured, but something disagrees (from any of the three)--> in_review
           \\--captured, but the buyer owns it already (from any of the three)--> refunded, by itself

        paid <--> partially_refunded <--> refunded, in_review <--> refunded: by the sum of its refunds that did not fail

    `paid` has a sale entry (unless it was free) and a live entitlement; `in_review` has the captured money in
    the platform's `unsettled` account. Refunds and disputes start from `paid`, a refund of all from `in_review` too.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    reference = models.CharField(max_length=40, unique=True, help_text="Ours; also the gateway's idempotency key.")
    buyer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="payments")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="payments")
    status = models.CharField(max_length=20, choices=PaymentStatus, default=PaymentStatus.PENDING)
    gateway = models.CharField(max_length=10, choices=GatewayName, blank=True, help_text="Empty: free, no gateway.")
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    amount_minor = models.BigIntegerField(help_text="What we asked for, in minor units: the price less the discount.")
    discount_minor = models.BigIntegerField(default=0, help_text="What a coupon took off the price.")
    promotion_minor = models.BigIntegerField(
        default=0, help_text="Of the discount what the platform bears: the sale's parts come from it as well."
    )
    coupon_code = models.CharField(max_length=CODE_LENGTH, blank=True)
    platform_fee_bps = models.PositiveIntegerField(
        help_text="The platform's share, as agreed when the checkout opened."
    )
    platform_fee_minor = models.BigIntegerField(null=True, blank=True, help_text="Set when the payment settles.")

    # What the gateway told us.
    gateway_reference = models.CharField(max_length=255, blank=True, help_text="Checkout session or access code.")
    gateway_payment_id = models.CharField(
        max_length=64, blank=True, help_text="The gateway's id of the money movement."
    )
    checkout_url = models.URLField(max_length=1000, blank=True)
    captured_minor = models.BigIntegerField(null=True, blank=True, help_text="What the gateway captured, minor units.")
    captured_currency = models.CharField(max_length=3, blank=True)
    refunded_minor = models.BigIntegerField(
        default=0, help_text="The sum of its refunds that have not failed, minor units of what was captured."
    )
    gateway_fee_minor = models.BigIntegerField(null=True, blank=True, help_text="As the gateway reports it.")
    gateway_fee_currency = models.CharField(
        max_length=3, blank=True, help_text="What the gateway settles in: only a fee in what was captured is booked."
    )
    fee_due_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Not before this time is the gateway asked for a fee that it has not named yet.",
    )
    failure_reason = models.CharField(max_length=200, blank=True)
    review_reason = models.CharField(max_length=30, choices=ReviewReason, blank=True)

    # What the kind of product needs to know when it is granted, such as the student of a course enrollment.
    details = models.JSONField(default=dict, blank=True)
    operation = models.CharField(max_length=60, help_text="With the key: a re-run after a crash finds this row.")
    idempotency_key = models.CharField(max_length=255)
    sale_entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Of a paid payment."
    )
    unsettled_entry = models.OneToOneField(
        JournalEntry, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Of one in review."
    )
    fee_entry = models.OneToOneField(
        JournalEntry,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Of the gateway's fee.",
    )
    expires_at = models.DateTimeField(help_text="When the checkout closes.")
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When the gateway was last asked.")
    asking_ended_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Since then the gateway is no longer asked; what its event announces later still counts.",
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("buyer", "operation", "idempotency_key"), name="payments_payment_once_per_key"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="payments_payment_amount_not_negative"),
            models.CheckConstraint(
                condition=Q(promotion_minor__gte=0, promotion_minor__lte=F("discount_minor")),
                name="payments_payment_promotion_within_discount",
            ),
            models.CheckConstraint(
                condition=Q(discount_minor=0, coupon_code="") | (Q(discount_minor__gt=0) & ~Q(coupon_code="")),
                name="payments_payment_discount_has_a_coupon",
            ),
            # Whatever runs at the same moment: never more than captured (I8).
            models.CheckConstraint(
                condition=Q(refunded_minor=0)
                | Q(captured_minor__isnull=False, refunded_minor__gt=0, refunded_minor__lte=F("captured_minor")),
                name="payments_payment_refunded_within_capture",
            ),
            models.CheckConstraint(condition=Q(platform_fee_bps__lte=10_000), name="payments_payment_fee_at_most_all"),
            models.CheckConstraint(
                condition=~Q(status=PaymentStatus.PAID) | Q(settled_at__isnull=False),
                name="payments_payment_paid_is_settled",
            ),
            models.CheckConstraint(
                condition=~Q(status=PaymentStatus.PAID)
                | Q(amount_minor=0, promotion_minor=0)
                | Q(sale_entry__isnull=False),
                name="payments_payment_paid_has_an_entry",
            ),
            models.CheckConstraint(
                condition=~Q(status=PaymentStatus.IN_REVIEW) | ~Q(review_reason=""),
                name="payments_payment_review_has_a_reason",
            ),
        )
        indexes = (
            models.Index(fields=("buyer", "-id"), name="payments_payment_by_buyer"),
            models.Index(
                fields=("checked_at",),
                condition=Q(
                    status__in=(PaymentStatus.PENDING, PaymentStatus.FAILED, PaymentStatus.EXPIRED),
                    asking_ended_at__isnull=True,
                ),
                name="payments_payment_unsettled",
            ),
            models.Index(
                fields=("fee_due_at",), condition=Q(fee_due_at__isnull=False), name="payments_payment_fee_due"
            ),
        )

    def __str__(self) -> str:
        return self.reference

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def price(self) -> Money:
        """Before the discount."""
        return Money(self.amount_minor + self.discount_minor, self.currency)

    @property
    def discount(self) -> Money:
        return Money(self.discount_minor, self.currency)

    @property
    def gross(self) -> Money:
        """What is shared between the seller and the platform: what the buyer pays, and the platform for the buyer."""
        return Money(self.amount_minor + self.promotion_minor, self.currency)

    @property
    def gateway_cost_minor(self) -> int | None:
        """What of the gateway's fee the platform bears, in minor units of what was captured: what the buyer paid on top
        of a sale's price is taken off. None where the fee is not known, or in another currency than the capture."""
        if self.gateway_fee_minor is None or self.gateway_fee_currency != self.captured_currency:
            return None
        borne_by_buyer = 0 if self.sale_entry_id is None or self.unsettled_entry_id is not None else self._on_top
        return self.gateway_fee_minor - borne_by_buyer

    @property
    def _on_top(self) -> int:
        return (self.captured_minor or 0) - self.amount_minor

    @property
    def refundable(self) -> Money | None:
        """What can still be given back, in what was captured; None where nothing ever came that the books could hold.

        Of a sale no more than was sold for: where the buyer bore the gateway's fee, that is the gateway's.
        """
        if not self.captured_minor or self.captured_currency not in EXPONENTS:
            return None
        most = self.captured_minor if self.settled_at is None else self.amount_minor
        return Money(most - self.refunded_minor, self.captured_currency)
