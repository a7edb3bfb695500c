"""The books, to look at: the database would refuse to edit them. And what leaves, which only its own steps change."""

from django.contrib import admin

from learning247.kit.admin import ReadOnlyAdmin, ReadOnlyInline
from learning247.kit.money import Money
from wallets.models import (
    JournalEntry,
    JournalLine,
    LedgerAccount,
    Seal,
)

ADJUST_PERMISSION = "wallets.change_adjustmentproposal"
FORM_PAGE = "admin/form_page.html"
SHOWN = 20


class LineInline(ReadOnlyInline):
    model = JournalLine
    fields = ("account", "amount", "balance_after")
    readonly_fields = fields

    @admin.display(description="Amount")
    def amount(self, line: JournalLine) -> str:
        return str(Money(line.amount_minor, line.currency))

    @admin.display(description="Balance after")
    def balance_after(self, line: JournalLine) -> str:
        balance = line.balance_after_minor
        return "–" if balance is None else str(Money(balance, line.currency))


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin):
    list_display = ("code", "owner", "kind", "currency", "balance")
    list_filter = ("kind", "currency")
    search_fields = ("owner__email", "code")
    list_select_related = ("owner",)

    @admin.display(description="Balance", ordering="balance_minor")
    def balance(self, account: LedgerAccount) -> str:
        return "derived" if account.balance_minor is None else str(Money(account.balance_minor, account.currency))


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    list_display = ("id", "posted_at", "kind", "currency", "reference", "description")
    list_filter = ("kind", "currency")
    search_fields = ("reference", "key", "source_id")
    fields = ("id", "posted_at", "kind", "currency", "reference", "description", "key", "source_kind", "source_id")
    inlines = (LineInline,)


@admin.register(Seal)
class SealAdmin(ReadOnlyAdmin):
    list_display = ("id", "first_entry_id", "last_entry_id", "entry_count", "sealed_at", "hex_digest")
    fields = (*list_display, "hex_previous_digest")

    @admin.display(description="Digest (SHA-256)")
    def hex_digest(self, seal: Seal) -> str:
        return bytes(seal.digest).hex()

    @admin.display(description="Previous digest")
    def hex_previous_digest(self, seal: Seal) -> str:
        return bytes(seal.previous_digest).hex()
