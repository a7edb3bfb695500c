"""Payments, products and entitlements, to look at. Money states change by services, never by a form."""

from django.contrib import admin

from learning247.kit.admin import ReadOnlyAdmin, ReadOnlyInline
from payments.models import Entitlement, Payment, Price, Product


class PriceInline(ReadOnlyInline):
    model = Price
    fields = ("price",)
    readonly_fields = fields

    @admin.display(description="Price")
    def price(self, price: Price) -> str:
        return str(price.money)


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

    @admin.display(description="Amount", ordering="amount_minor")
    def amount(self, payment: Payment) -> str:
        return str(payment.money)


@admin.register(Entitlement)
class EntitlementAdmin(ReadOnlyAdmin):
    list_display = ("user", "product", "source", "starts_at", "ends_at", "revoked_at")
    list_filter = ("source",)
    search_fields = ("user__email", "product__title", "payment__reference")
    list_select_related = ("user", "product")
