"""Payments that people decide over: approve, reject, take on, note."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from accounts.models import User
from learning247.kit.admin import ReadOnlyAdmin
from learning247.kit.errors import DomainError
from learning247.kit.lengths import longest
from learning247.records.reason_forms import ReasonField
from learning247.risk.enums import Purpose, ReviewPriority
from payments.models import PaymentReview
from payments.selectors import review_decision, review_list
from payments.services.decisions import payment_approve, payment_reject
from payments.services.reviews import review_edit

FORM_PAGE = "admin/form_page.html"
SHOWN = 20


class ApproveForm(forms.Form):
    reason = ReasonField(max_length=longest(PaymentReview, "decision_reason"))


class RejectForm(forms.Form):
    reason = ReasonField(
        max_length=longest(PaymentReview, "decision_reason"),
        help_text="For the record; the buyer sees it with the refund.",
    )


class NoteForm(forms.Form):
    notes = forms.CharField(
        max_length=longest(PaymentReview, "notes"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        help_text="The staff's own. Left empty: what stands there stays.",
    )
    priority = forms.TypedChoiceField(
        choices=[("", "As it is"), *ReviewPriority.choices], coerce=int, required=False, empty_value=None
    )


@admin.register(PaymentReview)
class PaymentReviewAdmin(ReadOnlyAdmin):
    list_display = ("payment", "reason", "status", "priority", "due_at", "assigned_to", "escalated_at", "decided_by")
    list_filter = ("status", "priority", "reason")
    search_fields = ("payment__reference", "payment__buyer__email", "payment__product__title")
    list_select_related = ("payment", "assigned_to", "decided_by")
    ordering = ("due_at", "id")
    actions = ("approve", "reject", "take_on", "note")
    fieldsets = (
        (None, {"fields": ("payment", "reason", "noticed", "status")}),
        ("Queue", {"fields": ("priority", "due_at", "escalated_at", "assigned_to")}),
        ("Work", {"fields": ("notes", "decided_by", "decided_at", "decision_reason", "created_at")}),
    )

    readonly_fields = ("noticed",)

    @admin.display(description="What our checks noticed")
    def noticed(self, review: PaymentReview) -> SafeString:
        decisions = [review_decision(review, purpose) for purpose in (Purpose.CHECKOUT, Purpose.SETTLEMENT)]
        fired = [(one["rule"], one["saw"]) for decision in decisions if decision for one in decision.fired]
        return format_html_join(SafeString("<br>"), "{}: {}", fired) or SafeString("-")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentReview]:
        return review_list()

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """What every action needs; `has_change_permission` would open the fields themselves."""
        return bool(getattr(request.user, "has_perm", lambda _: False)("payments.change_paymentreview"))

    @admin.action(description="Approve: settle them after all", permissions=["decide"])
    def approve(self, request: HttpRequest, reviews: QuerySet[PaymentReview]) -> HttpResponse | None:
        form = ApproveForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, reviews, form, action="approve", button="Approve and settle")
        self._each(request, reviews, payment_approve, done="Approved", reason=form.cleaned_data["reason"])
        return None

    @admin.action(description="Reject: give the money back", permissions=["decide"])
    def reject(self, request: HttpRequest, reviews: QuerySet[PaymentReview]) -> HttpResponse | None:
        form = RejectForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, reviews, form, action="reject", button="Reject and give back")
        self._each(request, reviews, payment_reject, done="Rejected", reason=form.cleaned_data["reason"])
        return None

    @admin.action(description="Take on: you look at them", permissions=["decide"])
    def take_on(self, request: HttpRequest, reviews: QuerySet[PaymentReview]) -> None:
        self._each(request, reviews, review_edit, done="Yours", assigned_to=_staff(request))

    @admin.action(description="Note something, or how urgent they are", permissions=["decide"])
    def note(self, request: HttpRequest, reviews: QuerySet[PaymentReview]) -> HttpResponse | None:
        form = NoteForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, reviews, form, action="note", button="Keep")
        notes, priority = form.cleaned_data["notes"] or None, form.cleaned_data["priority"]
        self._each(request, reviews, review_edit, done="Noted", notes=notes, priority=priority)
        return None

    def _each(
        self,
        request: HttpRequest,
        reviews: QuerySet[PaymentReview],
        act: Callable[..., PaymentReview],
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
                self.message_user(request, f"{review.payment}: {refusal.detail}", messages.ERROR)
        if acted:
            self.message_user(request, f"{done}: {acted}.")

    def _ask(
        self, request: HttpRequest, reviews: QuerySet[PaymentReview], form: forms.Form, *, action: str, button: str
    ) -> HttpResponse:
        ids: list[UUID] = list(reviews.values_list("pk", flat=True))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
            "title": f"{button}: {len(ids)}",
            "button": button,
            "items": [str(review) for review in reviews[:SHOWN]],
            "more": max(0, len(ids) - SHOWN),
            "hidden": [("action", action), ("apply", "yes"), *((helpers.ACTION_CHECKBOX_NAME, pk) for pk in ids)],
        }
        return TemplateResponse(request, FORM_PAGE, context)


def _staff(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the console lets nobody else in
    return request.user
