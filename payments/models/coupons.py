"""Codes that take something off a price, and who used them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import BASIS_POINTS, EXPONENTS, Money
from payments.coupon_codes import CODE_LENGTH
from payments.enums import CouponBearer, RedemptionStatus
from payments.models.payments import Payment
from payments.models.products import CURRENCY_CHOICES, Product


class Coupon(models.Model):
    """Takes a percentage off, or a fixed amount in each currency that it names; what it takes never changes.

    `owner` is the creator whose code it is, for their own items; none: the platform's. It is for one `product`, for
    all of one `seller`, or for everything. Codes are unique per owner, so nobody learns or takes away another's.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=CODE_LENGTH, help_text="Capitals, digits, - and _.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="coupons",
        help_text="None: the platform's.",
    )
    bearer = models.CharField(max_length=10, choices=CouponBearer)
    percent_bps = models.PositiveIntegerField(
        null=True, blank=True, help_text="Basis points. None: a fixed amount per currency."
    )
    product = models.ForeignKey(Product, on_delete=models.CASCADE, null=True, blank=True, related_name="coupons")
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="For whatever this creator sells.",
    )
    active = models.BooleanField(default=True, help_text="Off: paused.")
    starts_at = models.DateTimeField(default=now)
    ends_at = models.DateTimeField(null=True, blank=True)
    max_uses = models.PositiveIntegerField(null=True, blank=True, help_text="In all. None: any number.")
    max_uses_per_user = models.PositiveIntegerField(null=True, blank=True, help_text="None: any number.")
    taken = models.PositiveIntegerField(
        default=0, help_text="How many uses are consumed or reserved by an open checkout."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("owner", "code"), name="payments_coupon_code_once_per_owner"),
            models.UniqueConstraint(
                fields=("code",), condition=Q(owner__isnull=True), name="payments_coupon_code_once_of_the_platform"
            ),
            models.CheckConstraint(
                condition=Q(percent_bps__isnull=True) | Q(percent_bps__gte=1, percent_bps__lte=BASIS_POINTS),
                name="payments_coupon_percent_is_a_part",
            ),
            # Whatever runs at the same moment: never more uses than there are.
            models.CheckConstraint(
                condition=Q(taken__lte=Coalesce(F("max_uses"), F("taken"))), name="payments_coupon_taken_within_limit"
            ),
            models.CheckConstraint(
                condition=~Q(max_uses=0) & ~Q(max_uses_per_user=0), name="payments_coupon_limits_allow_one"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="payments_coupon_ends_after_start"),
            models.CheckConstraint(
                condition=Q(product__isnull=True) | Q(seller__isnull=True), name="payments_coupon_one_scope"
            ),
            # A creator's own code is for that creator's own items, and at that creator's cost.
            models.CheckConstraint(
                condition=Q(owner__isnull=True)
                | (Q(bearer=CouponBearer.CREATOR) & (Q(product__isnull=False) | Q(seller=F("owner")))),
                name="payments_coupon_owner_bears_it",
            ),
            # No creator's price falls unless that creator or item is named.
            models.CheckConstraint(
                condition=~Q(bearer=CouponBearer.CREATOR) | Q(product__isnull=False) | Q(seller__isnull=False),
                name="payments_coupon_creator_is_named",
            ),
        )

    def __str__(self) -> str:
        return self.code


class CouponAmount(models.Model):
    """What a coupon of fixed amounts takes off in one currency."""

    id = models.BigAutoField(primary_key=True)
    coupon = models.ForeignKey(Coupon, on_delete=models.CASCADE, related_name="amounts")
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    amount_minor = models.BigIntegerField(help_text="Minor units.")

    class Meta:
        ordering = ("currency",)
        constraints = (
            models.UniqueConstraint(fields=("coupon", "currency"), name="payments_couponamount_once_per_currency"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_couponamount_is_something"),
            models.CheckConstraint(
                condition=Q(currency__in=list(EXPONENTS)), name="payments_couponamount_currency_known"
            ),
        )

    def __str__(self) -> str:
        return str(self.money)

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)


class CouponRedemption(models.Model):
    """One use of a coupon, by one payment.

        reserved --the payment settles--> consumed
           |                                 ^
           |  its checkout failed or ended   |  paid late, and a use is still free
           \\---------> released -------------/

    Reserved and consumed ones count against the limits (`Coupon.taken`). A refund gives no use back.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="redemptions")
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="redemption")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=RedemptionStatus, default=RedemptionStatus.RESERVED)
    created_at = models.DateTimeField(default=now, editable=False)
    consumed_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(status=RedemptionStatus.RESERVED, consumed_at__isnull=True, released_at__isnull=True)
                | Q(status=RedemptionStatus.CONSUMED, consumed_at__isnull=False, released_at__isnull=True)
                | Q(status=RedemptionStatus.RELEASED, consumed_at__isnull=True, released_at__isnull=False),
                name="payments_couponredemption_times_fit_status",
            ),
        )
        indexes = (
            models.Index(fields=("coupon", "user"), name="payments_couponredemption_user"),
            models.Index(
                fields=("coupon",),
                condition=Q(status=RedemptionStatus.RESERVED),
                name="payments_couponredemption_open",
            ),
        )

    def __str__(self) -> str:
        return f"{self.payment}: {self.get_status_display().lower()}"
