"""What is sold, and for how much."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import EXPONENTS, Money
from payments.enums import ProductKind

CURRENCY_CHOICES = [(code, code) for code in EXPONENTS]


class Product(models.Model):
    """Whatever is sold: a course, a video, a live class. The content row holds the key to its product; here stands
    only the plain (kind, item_id). No seller means that the platform owns it and keeps the whole price."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=20, choices=ProductKind)
    item_id = models.UUIDField(help_text="The course, video or live class.")
    title = models.CharField(max_length=300)
    seller = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="products"
    )
    active = models.BooleanField(default=False, help_text="Can be bought. Buyers keep what they own when it cannot.")
    term_months = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Calendar months that one purchase lasts. None: for good."
    )
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("kind", "item_id"), name="payments_product_once_per_item"),
            models.CheckConstraint(condition=Q(term_months__gte=1), name="payments_product_term_is_some_time"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.title}"


class Price(models.Model):
    """What a product costs in one currency; zero means free of charge in that currency."""

    id = models.BigAutoField(primary_key=True)
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="prices")
    currency = models.CharField(max_length=3, choices=CURRENCY_CHOICES)
    amount_minor = models.BigIntegerField(help_text="Minor units.")

    class Meta:
        ordering = ("currency",)
        constraints = (
            models.UniqueConstraint(fields=("product", "currency"), name="payments_price_once_per_currency"),
            models.CheckConstraint(condition=Q(amount_minor__gte=0), name="payments_price_is_not_negative"),
            models.CheckConstraint(condition=Q(currency__in=list(EXPONENTS)), name="payments_price_currency_known"),
        )

    def __str__(self) -> str:
        return str(self.money)

    @property
    def money(self) -> Money:
        return Money(self.amount_minor, self.currency)
