"""Who may withdraw how much, and who may not at all; changed by actions, with a reason on record."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from learning247.kit.admin import FormPages, ReadOnlyAdmin
from learning247.kit.errors import DomainError
from learning247.kit.money import Money
from learning247.records.reason_forms import ReasonField
from wallets.enums import PayoutTier
from wallets.models import PayoutLimit, PayoutProfile
from wallets.services.payout_limits import payout_profile_set, payouts_resume, payouts_suspend


class ReasonForm(forms.Form):
    reason = ReasonField(max_length=200)


class TierForm(ReasonForm):
    tier = forms.ChoiceField(choices=PayoutTier.choices)


@admin.register(PayoutProfile)
class PayoutProfileAdmin(FormPages, ReadOnlyAdmin):
    list_display = ("owner", "tier", "suspended_at", "suspended_reason", "changed_at")
    list_filter = ("tier",)
    search_fields = ("owner__email",)
    list_select_related = ("owner",)
    actions = ("set_tier", "suspend", "resume")
    fields = list_display

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """What every action needs; `has_change_permission` would open the fields themselves."""
        return bool(getattr(request.user, "has_perm", lambda _: False)("wallets.change_payoutprofile"))

    @admin.action(description="Give them another tier", permissions=["decide"])
    def set_tier(self, request: HttpRequest, profiles: QuerySet[PayoutProfile]) -> HttpResponse | None:
        return self._act(request, profiles, TierForm, payout_profile_set, action="set_tier", title="Give another tier")

    @admin.action(description="Suspend their withdrawals", permissions=["decide"])
    def suspend(self, request: HttpRequest, profiles: QuerySet[PayoutProfile]) -> HttpResponse | None:
        return self._act(request, profiles, ReasonForm, payouts_suspend, action="suspend", title="Suspend")

    @admin.action(description="Let them withdraw again", permissions=["decide"])
    def resume(self, request: HttpRequest, profiles: QuerySet[PayoutProfile]) -> HttpResponse | None:
        return self._act(request, profiles, ReasonForm, payouts_resume, action="resume", title="Let withdraw again")

    def _act(
        self,
        request: HttpRequest,
        profiles: QuerySet[PayoutProfile],
        shape: type[forms.Form],
        act: Callable[..., PayoutProfile],
        *,
        action: str,
        title: str,
    ) -> HttpResponse | None:
        form = shape(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self.action_page(request, profiles, form, action=action, title=title)
        assert isinstance(request.user, User)  # the console lets nobody else in
        fields: dict[str, Any] = form.cleaned_data
        done = 0
        for profile in profiles.select_related("owner"):
            try:
                act(owner=profile.owner, actor=request.user, **fields)
                done += 1
            except DomainError as refusal:
                self.message_user(request, f"{profile}: {refusal.detail}", messages.ERROR)
        if done:
            self.message_user(request, f"Done: {done}.")
        return None


@admin.register(PayoutLimit)
class PayoutLimitAdmin(ReadOnlyAdmin):
    list_display = ("owner", "currency", "single", "daily", "monthly")
    list_filter = ("currency",)
    search_fields = ("owner__email",)
    list_select_related = ("owner",)
    fields = list_display

    @admin.display(description="At a time")
    def single(self, limit: PayoutLimit) -> str:
        return _shown(limit.single_minor, limit.currency)

    @admin.display(description="In a day")
    def daily(self, limit: PayoutLimit) -> str:
        return _shown(limit.daily_minor, limit.currency)

    @admin.display(description="In a month")
    def monthly(self, limit: PayoutLimit) -> str:
        return _shown(limit.monthly_minor, limit.currency)


def _shown(minor: int | None, currency: str) -> str:
    return "as their tier" if minor is None else Money(minor, currency).grouped
