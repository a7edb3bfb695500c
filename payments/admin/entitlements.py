"""Who may use what, to look at."""

from django.contrib import admin

from learning247.kit.admin import ReadOnlyAdmin
from payments.models import Entitlement


@admin.register(Entitlement)
class EntitlementAdmin(ReadOnlyAdmin):
    list_display = ("user", "product", "source", "starts_at", "ends_at", "revoked_at")
    list_filter = ("source",)
    search_fields = ("user__email", "product__title", "payment__reference")
    list_select_related = ("user", "product")
