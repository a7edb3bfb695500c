"""Currencies whose payouts are paused, and the two people who let them go on."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from learning247.kit.admin import FormPages, ReadOnlyAdmin
from learning247.kit.errors import DomainError
from learning247.records.reason_forms import ReasonForm
from wallets.models import PayoutFreeze
from wallets.services.payout_freezes import payouts_unfreeze


@admin.register(PayoutFreeze)
class PayoutFreezeAdmin(FormPages, ReadOnlyAdmin):
    list_display = ("currency", "check_code", "breach", "frozen_at", "first_by", "lifted_by", "lifted_at")
    list_filter = ("currency", "check_code")
    list_select_related = ("first_by", "lifted_by")
    fields = list_display
    actions = ("unfreeze",)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """What every action needs; `has_change_permission` would open the fields themselves."""
        return bool(getattr(request.user, "has_perm", lambda _: False)("wallets.change_payoutfreeze"))

    @admin.action(description="Let payouts go on: takes two people", permissions=["decide"])
    def unfreeze(self, request: HttpRequest, freezes: QuerySet[PayoutFreeze]) -> HttpResponse | None:
        form = ReasonForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self.action_page(request, freezes, form, action="unfreeze", title="Let payouts go on")
        assert isinstance(request.user, User)  # the console lets nobody else in
        for freeze_id in freezes.values_list("pk", flat=True):
            try:
                freeze = payouts_unfreeze(freeze_id=freeze_id, actor=request.user, reason=form.cleaned_data["reason"])
            except DomainError as refusal:
                self.message_user(request, refusal.detail, messages.ERROR)
            else:
                lifted = "go on." if freeze.lifted_at else "wait for somebody else to agree, too."
                self.message_user(request, f"Payouts in {freeze.currency} {lifted}")
        return None
