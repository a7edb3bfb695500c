"""What a payment, or staff, opens to a person."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from payments.enums import EntitlementSource
from payments.models.payments import Payment
from payments.models.products import Product


class Entitlement(models.Model):
    """A person's right to a product, from `starts_at` to `ends_at` (none: for good) unless revoked."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="entitlements")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="entitlements")
    source = models.CharField(max_length=20, choices=EntitlementSource)
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, null=True, blank=True, related_name="entitlement")
    starts_at = models.DateTimeField(default=now)
    ends_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            # Decides between two payments for the same thing that settle at the same moment.
            models.UniqueConstraint(
                fields=("user", "product"),
                condition=Q(revoked_at__isnull=True, ends_at__isnull=True),
                name="payments_entitlement_once_for_good",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_reason="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_reason="")),
                name="payments_entitlement_revoked_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(source=EntitlementSource.STAFF) | Q(payment__isnull=False),
                name="payments_entitlement_bought_with_a_payment",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="payments_entitlement_ends_after_its_start"
            ),
        )

    def __str__(self) -> str:
        until = f"to {self.ends_at:%-d %B %Y, %H:%M} UTC" if self.ends_at else "for good"
        return f"{self.get_source_display()}, from {self.starts_at:%-d %B %Y, %H:%M} UTC {until}"
