"""Payments, products and entitlements, to look at. Money states change by services, never by a form."""

from django.contrib import admin

from learning247.kit.admin import ReadOnlyAdmin, ReadOnlyInline
from learning247.kit.money import EXPONENTS, Money
from payments.models import Entitlement, Payment, Price, Product


class PriceInline(ReadOnlyInline):
    model = Price
    fields = ("price",)
    readonly_fields = fields

    @admin.display(description="Price")
    def price(self, price: Price) -> str:
        return str(price.money)


def _shown(minor: int | None, currency: str) -> str:
    """The gateway may have captured a currency that we do not know."""
    if minor is None:
        return "–"
    return str(Money(minor, currency)) if currency in EXPONENTS else f"{minor} minor units of {currency or '?'}"


@admin.register(Product)
class ProductAdmin(ReadOnlyAdmin):
    list_display = ("title", "kind", "seller", "active", "created_at")
    list_filter = ("kind", "active")
    search_fields = ("title", "seller__email")
    list_select_related = ("seller",)
    inlines = (PriceInline,)


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = ("reference", "status", "amount", "gateway", "buyer", "product", "created_at", "review_reason")
    list_filter = ("status", "gateway", "currency", "review_reason")
    search_fields = ("reference", "gateway_payment_id", "buyer__email", "product__title")
    list_select_related = ("buyer", "product")
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": ("reference", "status", "amount", "buyer", "product", "created_at", "settled_at")}),
        (
            "The gateway",
            {
                "fields": (
                    "gateway",
                    "gateway_reference",
                    "gateway_payment_id",
                    "captured",
                    "gateway_fee",
                    "failure_reason",
                    "checked_at",
                    "expires_at",
                )
            },
        ),
        ("The books", {"fields": ("platform_fee", "sale_entry", "unsettled_entry", "review_reason")}),
        ("The request", {"fields": ("operation", "idempotency_key", "details")}),
    )

    @admin.display(description="Amount", ordering="amount_minor")
    def amount(self, payment: Payment) -> str:
        return str(payment.money)

    @admin.display(description="Captured")
    def captured(self, payment: Payment) -> str:
        return _shown(payment.captured_minor, payment.captured_currency)

    @admin.display(description="Gateway's fee")
    def gateway_fee(self, payment: Payment) -> str:
        return _shown(payment.gateway_fee_minor, payment.currency)

    @admin.display(description="Platform's share")
    def platform_fee(self, payment: Payment) -> str:
        return _shown(payment.platform_fee_minor, payment.currency)


@admin.register(Entitlement)
class EntitlementAdmin(ReadOnlyAdmin):
    list_display = ("user", "product", "source", "starts_at", "ends_at", "revoked_at")
    list_filter = ("source",)
    search_fields = ("user__email", "product__title", "payment__reference")
    list_select_related = ("user", "product")
