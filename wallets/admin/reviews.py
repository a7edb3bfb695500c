"""Withdrawals that people decide over: approve, reject, take on, note."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from learning247.kit.admin import FormPages, ReadOnlyAdmin
from learning247.kit.errors import DomainError
from learning247.kit.lengths import longest
from learning247.records.reason_forms import ReasonField
from learning247.risk.enums import ReviewPriority
from wallets.models import WithdrawalReview
from wallets.selectors import withdrawal_review_list
from wallets.services.withdrawal_reviews import withdrawal_approve, withdrawal_reject, withdrawal_review_edit


class ApproveForm(forms.Form):
    reason = ReasonField(max_length=longest(WithdrawalReview, "decision_reason"))


class RejectForm(forms.Form):
    reason = ReasonField(
        max_length=longest(WithdrawalReview, "decision_reason"),
        help_text="For the record; its owner reads it.",
    )


class NoteForm(forms.Form):
    notes = forms.CharField(
        max_length=longest(WithdrawalReview, "notes"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        help_text="The staff's own. Left empty: what stands there stays.",
    )
    priority = forms.TypedChoiceField(
        choices=[("", "As it is"), *ReviewPriority.choices], coerce=int, required=False, empty_value=None
    )


@admin.register(WithdrawalReview)
class WithdrawalReviewAdmin(FormPages, ReadOnlyAdmin):
    list_display = ("withdrawal", "reason", "status", "priority", "due_at", "assigned_to", "escalated_at", "decided_by")
    list_filter = ("status", "priority", "reason")
    search_fields = ("withdrawal__reference", "withdrawal__owner__email")
    list_select_related = ("withdrawal", "assigned_to", "decided_by")
    ordering = ("due_at", "id")
    actions = ("approve", "reject", "take_on", "note")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "withdrawal",
                    "reason",
                    "told",
                    "approvals_needed",
                    "status",
                    "priority",
                    "due_at",
                    "assigned_to",
                )
            },
        ),
        ("Work", {"fields": ("notes", "decided_by", "decided_at", "decision_reason", "escalated_at", "created_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[WithdrawalReview]:
        return withdrawal_review_list()

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """What every action needs; `has_change_permission` would open the fields themselves."""
        return bool(getattr(request.user, "has_perm", lambda _: False)("wallets.change_withdrawalreview"))

    @admin.action(description="Approve: let them go out", permissions=["decide"])
    def approve(self, request: HttpRequest, reviews: QuerySet[WithdrawalReview]) -> HttpResponse | None:
        form = ApproveForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self.action_page(request, reviews, form, action="approve", title="Approve")
        self._each(request, reviews, withdrawal_approve, done="Approved by you", reason=form.cleaned_data["reason"])
        return None

    @admin.action(description="Reject: back to the wallet", permissions=["decide"])
    def reject(self, request: HttpRequest, reviews: QuerySet[WithdrawalReview]) -> HttpResponse | None:
        form = RejectForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self.action_page(request, reviews, form, action="reject", title="Reject")
        self._each(request, reviews, withdrawal_reject, done="Rejected", reason=form.cleaned_data["reason"])
        return None

    @admin.action(description="Take on: you look at them", permissions=["decide"])
    def take_on(self, request: HttpRequest, reviews: QuerySet[WithdrawalReview]) -> None:
        self._each(request, reviews, withdrawal_review_edit, done="Yours", assigned_to=_staff(request))

    @admin.action(description="Note something, or how urgent they are", permissions=["decide"])
    def note(self, request: HttpRequest, reviews: QuerySet[WithdrawalReview]) -> HttpResponse | None:
        form = NoteForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self.action_page(request, reviews, form, action="note", title="Keep")
        notes, priority = form.cleaned_data["notes"] or None, form.cleaned_data["priority"]
        self._each(request, reviews, withdrawal_review_edit, done="Noted", notes=notes, priority=priority)
        return None

    def _each(
        self,
        request: HttpRequest,
        reviews: QuerySet[WithdrawalReview],
        act: Callable[..., WithdrawalReview],
        *,
        done: str,
        **fields: Any,
    ) -> None:
        acted = 0
        for review in reviews:
            try:
                act(review_id=review.pk, actor=_staff(request), **fields)
                acted += 1
            except DomainError as refusal:
                self.message_user(request, f"{review.withdrawal}: {refusal.detail}", messages.ERROR)
        if acted:
            self.message_user(request, f"{done}: {acted}.")


def _staff(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the console lets nobody else in
    return request.user
