"""Withdrawals and the accounts that they go to: only their own steps change them."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from learning247.kit.admin import FormPages, ReadOnlyAdmin
from learning247.kit.encryption import decrypt
from learning247.kit.errors import DomainError
from learning247.kit.money import Money
from learning247.records.reason_forms import ReasonField
from wallets.enums import PayoutMethod
from wallets.models import PayoutAccount, Withdrawal
from wallets.services.finance_transfers import (
    finance_transfer_done,
    finance_transfer_refuse,
    finance_transfer_return,
)
from wallets.services.payout_accounts import NUMBER_PURPOSE


class ReasonForm(forms.Form):
    reason = ReasonField(max_length=200)


class DoneForm(ReasonForm):
    bank_reference = forms.CharField(max_length=64, help_text="What the bank calls the transfer; one for each.")


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
class WithdrawalAdmin(FormPages, ReadOnlyAdmin):
    list_display = ("reference", "owner", "status", "reason", "amount", "method", "created_at", "paid_at")
    list_filter = ("status", "method", "currency", "reason")
    search_fields = ("reference", "owner__email", "gateway_transfer_id")
    list_select_related = ("owner",)
    fields = (
        *list_display, "account", "arrives", "note", "gateway_transfer_id", "gateway_fee", "confirmed_at", "ended_at",
        "hold_entry", "paid_entry", "back_entry", "attempts", "sent_at", "due_at",
    )  # fmt: skip

    actions = ("transferred", "not_transferable", "sent_back")

    def get_fields(self, request: HttpRequest, obj: Withdrawal | None = None) -> Any:
        """The whole account number is for who has to type it in at the bank."""
        by_hand = obj is not None and obj.method == PayoutMethod.BANK and self.has_finance_permission(request)
        return (*self.fields, "account_number") if by_hand else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Withdrawal | None = None) -> Any:
        return self.get_fields(request, obj)

    def has_finance_permission(self, request: HttpRequest) -> bool:
        """What every action needs; `has_change_permission` would open the fields themselves."""
        return bool(getattr(request.user, "has_perm", lambda _: False)("wallets.change_withdrawal"))

    @admin.action(description="By hand: transferred", permissions=["finance"])
    def transferred(self, request: HttpRequest, withdrawals: QuerySet[Withdrawal]) -> HttpResponse | None:
        return self._act(
            request, withdrawals, DoneForm, finance_transfer_done, action="transferred", title="Transferred"
        )

    @admin.action(description="By hand: cannot be transferred", permissions=["finance"])
    def not_transferable(self, request: HttpRequest, withdrawals: QuerySet[Withdrawal]) -> HttpResponse | None:
        return self._act(
            request,
            withdrawals,
            ReasonForm,
            finance_transfer_refuse,
            action="not_transferable",
            title="Cannot be transferred",
        )

    @admin.action(description="By hand: the bank sent it back", permissions=["finance"])
    def sent_back(self, request: HttpRequest, withdrawals: QuerySet[Withdrawal]) -> HttpResponse | None:
        return self._act(
            request, withdrawals, ReasonForm, finance_transfer_return, action="sent_back", title="Sent back"
        )

    def _act(
        self,
        request: HttpRequest,
        withdrawals: QuerySet[Withdrawal],
        shape: type[forms.Form],
        act: Callable[..., Withdrawal],
        *,
        action: str,
        title: str,
    ) -> HttpResponse | None:
        form = shape(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self.action_page(request, withdrawals, form, action=action, title=title)
        assert isinstance(request.user, User)  # the console lets nobody else in
        done = 0
        for withdrawal in withdrawals:
            try:
                act(withdrawal_id=withdrawal.pk, actor=request.user, **form.cleaned_data)
                done += 1
            except DomainError as refusal:
                self.message_user(request, f"{withdrawal}: {refusal.detail}", messages.ERROR)
        if done:
            self.message_user(request, f"{title}: {done}.")
        return None

    @admin.display(description="Account number")
    def account_number(self, withdrawal: Withdrawal) -> str:
        sealed = withdrawal.account.sealed_number
        return decrypt(sealed, purpose=NUMBER_PURPOSE) if sealed else "forgotten"

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
