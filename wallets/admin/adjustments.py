"""Adjustments of the books by hand: proposed by one person, approved by another."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.models import User
from learning247.kit.admin import ReadOnlyAdmin, ReadOnlyInline
from learning247.kit.errors import DomainError
from learning247.kit.money import EXPONENTS, InvalidAmount, Money
from learning247.records.reason_forms import ReasonField, ReasonForm
from wallets.enums import PERSON_ACCOUNT_KINDS, AccountKind
from wallets.models import (
    AdjustmentLine,
    AdjustmentProposal,
)
from wallets.services.accounts import AccountRef
from wallets.services.adjustments import adjustment_approve, adjustment_propose, adjustment_reject
from wallets.services.journal import Posting

ADJUST_PERMISSION = "wallets.change_adjustmentproposal"
FORM_PAGE = "admin/form_page.html"
SHOWN = 20


class AdjustmentLineInline(ReadOnlyInline):
    model = AdjustmentLine
    fields = ("owner", "kind", "amount")
    readonly_fields = fields

    @admin.display(description="Amount")
    def amount(self, line: AdjustmentLine) -> str:
        return str(Money(line.amount_minor, line.proposal.currency))


class ProposeForm(forms.Form):
    currency = forms.ChoiceField(choices=[(code, code) for code in EXPONENTS])
    lines = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5, "class": "vLargeTextField"}),
        help_text="One a line, summing to zero: an account and a signed amount, + credits it. Such as "
        "“losses -10.00” or “available someone@example.com 10.00”.",
    )
    reference = forms.CharField(max_length=64, required=False, widget=forms.TextInput(attrs={"class": "vTextField"}))
    reason = ReasonField(max_length=200)

    def clean_lines(self) -> list[Posting]:
        currency = self.cleaned_data.get("currency", "")
        return [self._line(line.split(), currency) for line in self.cleaned_data["lines"].splitlines() if line.strip()]

    def _line(self, words: list[str], currency: str) -> Posting:
        try:
            kind, amount = AccountKind(words[0]), words[-1]
            minor = Money.from_decimal_string(amount.lstrip("+-"), currency).minor
        except (ValueError, InvalidAmount) as error:
            raise ValidationError(f"“{' '.join(words)}”: {error}") from None
        owner = None
        if kind in PERSON_ACCOUNT_KINDS:
            owner = User.objects.filter(email__iexact=words[1]).first() if len(words) == 3 else None
            if owner is None:
                raise ValidationError(f"“{' '.join(words)}” needs the address of the person whose account it is.")
        elif len(words) != 2:
            raise ValidationError(f"“{' '.join(words)}” is no account and amount.")
        return Posting(AccountRef(owner.pk if owner else None, kind), -minor if amount.startswith("-") else minor)


@admin.register(AdjustmentProposal)
class AdjustmentProposalAdmin(ReadOnlyAdmin):
    """Approving takes two different people; the second one posts."""

    list_display = ("reason", "reference", "status", "currency", "first_by", "second_by", "created_at")
    list_filter = ("status", "currency")
    search_fields = ("reference", "source_key", "reason")
    list_select_related = ("first_by", "second_by")
    fields = (
        "reason", "reference", "status", "currency", "source_key", "report_line", "first_by", "second_by",
        "rejected_by", "decided_at", "decision_reason", "entry", "created_at",
    )  # fmt: skip
    inlines = (AdjustmentLineInline,)
    actions = ("approve", "reject")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """What every action needs; `has_change_permission` would open the fields themselves."""
        return bool(getattr(request.user, "has_perm", lambda _: False)(ADJUST_PERMISSION))

    def get_urls(self) -> list[URLPattern]:
        propose = path("propose/", self.admin_site.admin_view(self.propose_view), name="wallets_adjustment_propose")
        return [propose, *super().get_urls()]

    def propose_view(self, request: HttpRequest) -> HttpResponse:
        """Propose an entry; somebody else has to approve it."""
        if not self.has_decide_permission(request):
            raise PermissionDenied
        form = ProposeForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            data = form.cleaned_data
            try:
                proposal = adjustment_propose(
                    actor=_staff(request),
                    currency=data["currency"],
                    postings=data["lines"],
                    reason=data["reason"],
                    reference=data["reference"],
                )
            except DomainError as refusal:
                form.add_error(None, refusal.detail)
            else:
                self.message_user(request, "Proposed. Somebody else has to approve it.")
                return HttpResponseRedirect(reverse("admin:wallets_adjustmentproposal_change", args=[proposal.pk]))
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "media": self.media + form.media,
            "form": form,
            "title": "Propose an adjustment",
            "button": "Propose",
        }
        return TemplateResponse(request, FORM_PAGE, context)

    @admin.action(description="Approve: the second person posts it", permissions=["decide"])
    def approve(self, request: HttpRequest, proposals: QuerySet[AdjustmentProposal]) -> HttpResponse | None:
        return self._decide(request, proposals, adjustment_approve, action="approve", button="Approve")

    @admin.action(description="Reject, for good", permissions=["decide"])
    def reject(self, request: HttpRequest, proposals: QuerySet[AdjustmentProposal]) -> HttpResponse | None:
        return self._decide(request, proposals, adjustment_reject, action="reject", button="Reject")

    def _decide(
        self,
        request: HttpRequest,
        proposals: QuerySet[AdjustmentProposal],
        act: Callable[..., AdjustmentProposal],
        *,
        action: str,
        button: str,
    ) -> HttpResponse | None:
        form = ReasonForm(request.POST if "apply" in request.POST else None)
        ids: list[UUID] = list(proposals.values_list("pk", flat=True))
        if not form.is_valid():
            context: dict[str, Any] = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "form": form,
                "media": self.media + form.media,
                "title": f"{button}: {len(ids)}",
                "button": button,
                "items": [str(proposal) for proposal in proposals[:SHOWN]],
                "more": max(0, len(ids) - SHOWN),
                "hidden": [("action", action), ("apply", "yes"), *((helpers.ACTION_CHECKBOX_NAME, pk) for pk in ids)],
            }
            return TemplateResponse(request, FORM_PAGE, context)
        done: dict[str, int] = {}
        for pk in ids:
            try:
                decided = act(proposal_id=pk, actor=_staff(request), reason=form.cleaned_data["reason"])
            except DomainError as refusal:
                self.message_user(request, refusal.detail, messages.ERROR)
            else:
                label = decided.get_status_display()
                done[label] = done.get(label, 0) + 1
        for label, count in done.items():
            self.message_user(request, f"{label}: {count}.")
        return None


def _staff(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the console lets nobody else in
    return request.user
