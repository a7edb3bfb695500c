"""What is sold, to look at."""

from django.contrib import admin

from learning247.kit.admin import ReadOnlyAdmin, ReadOnlyInline
from payments.models import Price, Product


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
