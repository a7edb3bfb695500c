"""The checks for fraud in the staff console: what was decided and why; and the rules, which change in two steps."""

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from learning247.kit.admin import FormPages, ReadOnlyAdmin
from learning247.kit.errors import DomainError
from learning247.records.audit_history import AuditHistory
from learning247.records.reason_forms import ReasonField, ReasonForm
from learning247.risk.enums import Outcome, Purpose, RuleKind
from learning247.risk.models import Decision, RuleVersion
from learning247.risk.services.rules import rule_promote, rule_retire, rule_version_add


class RuleVersionForm(forms.Form):
    rule = forms.SlugField(max_length=60, help_text="A name that is there makes its next version, another one a rule.")
    purpose = forms.ChoiceField(choices=Purpose.choices)
    kind = forms.ChoiceField(choices=RuleKind.choices)
    parameters = forms.JSONField(
        initial=dict,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "class": "vLargeTextField"}),
        help_text="By kind, as docs/risk.md has it: amounts in minor units by currency, times in seconds.",
    )
    outcome = forms.ChoiceField(choices=[choice for choice in Outcome.choices if choice[0] != Outcome.ALLOW])
    reason = ReasonField()

    def clean_parameters(self) -> dict[str, Any]:
        parameters = self.cleaned_data["parameters"] or {}
        if not isinstance(parameters, dict):
            raise forms.ValidationError('Write names and values, as {"at_least": 3}.')
        return parameters


@admin.register(RuleVersion)
class RuleVersionAdmin(AuditHistory, FormPages, ReadOnlyAdmin):
    list_display = ("rule", "number", "purpose", "kind", "outcome", "status", "created_at")
    list_filter = ("status", "purpose", "kind", "outcome")
    search_fields = ("rule",)
    ordering = ("purpose", "rule", "-number")
    actions = ("promote", "retire")
    fields = ("rule", "number", "purpose", "kind", "outcome", "parameters_as_text", "status", "created_at")
    readonly_fields = ("parameters_as_text",)

    @admin.display(description="Parameters")
    def parameters_as_text(self, version: RuleVersion) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(version.parameters, indent=2, sort_keys=True))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _may(request, "risk.add_ruleversion")

    def has_promote_permission(self, request: HttpRequest) -> bool:
        """What every action needs; `has_change_permission` would open the fields themselves."""
        return _may(request, "risk.change_ruleversion")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Another version, or another rule: into shadow, where its answers are kept and have no effect."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = RuleVersionForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                made = rule_version_add(actor=_staff(request), **form.cleaned_data)
            except DomainError as error:
                form.add_error("parameters", error.detail)
            else:
                self.message_user(request, f"{made} is in shadow. See what it would have done, then promote it.")
                return HttpResponseRedirect(reverse("admin:risk_ruleversion_change", args=[made.pk]))
        return self.form_page(
            request,
            form,
            title="Add a version of a rule",
            button="Into shadow",
            intro="It is asked at every check and its answers are kept, without effect, until it is promoted.",
        )

    @admin.action(description="Promote: decide by them from now on", permissions=["promote"])
    def promote(self, request: HttpRequest, versions: QuerySet[RuleVersion]) -> HttpResponse | None:
        return self._each(request, versions, rule_promote, action="promote", button="Promote", done="In force")

    @admin.action(description="Retire: ask them no more", permissions=["promote"])
    def retire(self, request: HttpRequest, versions: QuerySet[RuleVersion]) -> HttpResponse | None:
        return self._each(request, versions, rule_retire, action="retire", button="Retire", done="Retired")

    def _each(
        self,
        request: HttpRequest,
        versions: QuerySet[RuleVersion],
        act: Callable[..., RuleVersion],
        *,
        action: str,
        button: str,
        done: str,
    ) -> HttpResponse | None:
        form = ReasonForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self.action_page(request, versions, form, action=action, title=button)
        acted = 0
        for version in versions:
            try:
                act(version_id=version.pk, actor=_staff(request), reason=form.cleaned_data["reason"])
                acted += 1
            except DomainError as refusal:
                self.message_user(request, f"{version}: {refusal.detail}", messages.ERROR)
        if acted:
            self.message_user(request, f"{done}: {acted}.")
        return None


class FlaggedFilter(admin.SimpleListFilter):
    title = "the check"
    parameter_name = "flagged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "It failed, wholly or in part")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Decision]) -> QuerySet[Decision]:
        return queryset.exclude(failure="") if self.value() == "yes" else queryset


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "purpose", "outcome", "rules", "subject_kind", "subject_id", "person", "failure")
    list_filter = ("outcome", "purpose", FlaggedFilter, "created_at")
    search_fields = ("person__email", "subject_kind")
    list_select_related = ("person",)
    fields = (
        "id", "created_at", "purpose", "outcome", "subject_kind", "subject_id", "person", "counterparty", "failure",
        "said", "given",
    )  # fmt: skip
    readonly_fields = ("said", "given")

    @admin.display(description="Rules that fired")
    def rules(self, decision: Decision) -> str:
        return ", ".join(one["rule"] for one in decision.fired) or "-"

    @admin.display(description="What each rule said")
    def said(self, decision: Decision) -> SafeString:
        lines = [
            f"{one['rule']} {one['number']} ({one['status']}): "
            f"{one['failure'] or (one['outcome'] if one['fired'] else 'quiet')}; {one['saw']}"
            for one in decision.results
        ]
        return format_html("<pre>{}</pre>", "\n".join(lines))

    @admin.display(description="What they were given")
    def given(self, decision: Decision) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(decision.inputs, indent=2, sort_keys=True))


def _may(request: HttpRequest, right: str) -> bool:
    return bool(getattr(request.user, "has_perm", lambda _: False)(right))


def _staff(request: HttpRequest) -> AbstractBaseUser:
    assert isinstance(request.user, AbstractBaseUser)  # the console lets nobody else in
    return request.user
