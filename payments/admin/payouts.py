"""What the gateways paid out to our bank: to look at, row by row."""

from django.contrib import admin
from django.db.models import Sum
from django.http import HttpRequest
from django.utils.html import format_html_join

from learning247.kit.admin import ReadOnlyAdmin
from learning247.kit.money import Money
from payments.models import Payout

ROWS_SHOWN = 200


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin):
    list_display = ("gateway_payout_id", "gateway", "amount", "status", "initiated_at", "arrives_at", "failure_reason")
    list_filter = ("gateway", "status", "currency")
    search_fields = ("gateway_payout_id", "rows__key")
    fieldsets = (
        (None, {"fields": ("gateway_payout_id", "gateway", "status", "amount", "failure_reason")}),
        ("When", {"fields": ("initiated_at", "arrives_at", "closed_at", "checked_at")}),
        ("The books", {"fields": ("entry", "returning_entry")}),
        ("What it consists of", {"fields": ("rows_read_at", "sum_of_rows", "first_rows")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Payout | None = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "sum_of_rows", "first_rows"]

    @admin.display(description="Amount", ordering="amount_minor")
    def amount(self, payout: Payout) -> str:
        return str(payout.money)

    @admin.display(description="Sum of all rows, after fees")
    def sum_of_rows(self, payout: Payout) -> str:
        return str(Money(payout.rows.aggregate(total=Sum("net_minor", default=0))["total"], payout.currency))

    @admin.display(description=f"Rows (the first {ROWS_SHOWN})")
    def first_rows(self, payout: Payout) -> str:
        rows = payout.rows.all()[:ROWS_SHOWN]
        return format_html_join(
            "",
            "{} {}: {}, fee {}<br>",
            (
                (row.get_kind_display(), row.key, Money(row.amount_minor, payout.currency).grouped, row.fee_minor)
                for row in rows
            ),
        )
