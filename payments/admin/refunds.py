"""Money on its way back, to look at. A refund begins on its payment's page."""

from django.contrib import admin

from learning247.kit.admin import ReadOnlyAdmin
from learning247.kit.money import Money
from learning247.records.audit_history import AuditHistory
from payments.models import Refund


@admin.register(Refund)
class RefundAdmin(AuditHistory, ReadOnlyAdmin):
    list_display = ("reference", "payment", "amount", "status", "source", "failure_reason", "created_at")
    list_filter = ("status", "source", "currency")
    search_fields = ("reference", "payment__reference", "gateway_refund_id", "payment__buyer__email")
    list_select_related = ("payment",)
    fieldsets = (
        (None, {"fields": ("reference", "payment", "status", "amount", "reason", "failure_reason", "ends_access")}),
        ("Asked for", {"fields": ("source", "requested_by", "created_at", "done_at")}),
        ("The gateway", {"fields": ("gateway_refund_id", "attempts", "sent_at", "due_at")}),
        ("The books", {"fields": ("from_creator", "from_platform", "promotion", "entry", "restoring_entry")}),
    )

    @admin.display(description="Amount", ordering="amount_minor")
    def amount(self, refund: Refund) -> str:
        return str(refund.money)

    @admin.display(description="From the creator")
    def from_creator(self, refund: Refund) -> str:
        return str(Money(refund.seller_minor, refund.currency))

    @admin.display(description="From the platform")
    def from_platform(self, refund: Refund) -> str:
        return str(Money(refund.platform_minor, refund.currency))

    @admin.display(description="Promotion that returned")
    def promotion(self, refund: Refund) -> str:
        return str(Money(refund.promotion_minor, refund.currency))
