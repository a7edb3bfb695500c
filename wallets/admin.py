"""The books, to look at: the database would refuse to edit them. And what leaves, which only its own steps change."""

from django.contrib import admin

from learning247.kit.admin import ReadOnlyAdmin, ReadOnlyInline
from learning247.kit.money import Money
from wallets.models import JournalEntry, JournalLine, LedgerAccount, PayoutAccount, Seal, Withdrawal


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


@admin.register(PayoutAccount)
class PayoutAccountAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "owner",
        "method",
        "currency",
        "bank_name",
        "account_name",
        "last4",
        "created_at",
        "removed_at",
    )
    list_filter = ("method", "currency")
    search_fields = ("owner__email", "account_name")
    list_select_related = ("owner",)
    fields = (*list_display, "bank_code", "gateway_account_id", "ready_at", "not_ready_reason")


@admin.register(Withdrawal)
class WithdrawalAdmin(ReadOnlyAdmin):
    list_display = ("reference", "owner", "status", "reason", "amount", "method", "created_at", "paid_at")
    list_filter = ("status", "method", "currency", "reason")
    search_fields = ("reference", "owner__email", "gateway_transfer_id")
    list_select_related = ("owner",)
    fields = (
        *list_display, "account", "arrives", "note", "gateway_transfer_id", "gateway_fee", "confirmed_at", "ended_at",
        "hold_entry", "paid_entry", "back_entry", "attempts", "sent_at", "due_at",
    )  # fmt: skip

    @admin.display(description="Amount")
    def amount(self, withdrawal: Withdrawal) -> str:
        return withdrawal.money.grouped

    @admin.display(description="Arrives")
    def arrives(self, withdrawal: Withdrawal) -> str:
        return withdrawal.net.grouped

    @admin.display(description="Fee of the gateway")
    def gateway_fee(self, withdrawal: Withdrawal) -> str:
        fee = withdrawal.gateway_fee_minor
        return "–" if fee is None else Money(fee, withdrawal.currency).grouped
