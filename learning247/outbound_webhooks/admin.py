"""Outbound webhooks in the staff console: to look at; and the operators' own endpoints to be made and taken away."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from learning247.kit.admin import FormPages, ReadOnlyAdmin, ReadOnlyInline
from learning247.kit.errors import DomainError
from learning247.outbound_webhooks.event_types import event_types
from learning247.outbound_webhooks.models import LONGEST_URL, DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from learning247.outbound_webhooks.services.endpoints import endpoint_create
from learning247.records.reason_forms import ReasonField


class OperatorEndpointForm(forms.Form):
    url = forms.CharField(max_length=LONGEST_URL, widget=forms.TextInput(attrs={"class": "vURLField"}))
    description = forms.CharField(required=False, max_length=200, widget=forms.TextInput(attrs={"class": "vTextField"}))
    event_types = forms.MultipleChoiceField(
        required=False, choices=lambda: [(name, name) for name in event_types()], help_text="None: all of them."
    )
    reason = ReasonField()


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(FormPages, ReadOnlyAdmin):
    list_display = ("url", "owner", "status", "disabled_reason", "failing_since", "created_at")
    list_filter = ("status",)
    search_fields = ("url", "owner__email")
    list_select_related = ("owner",)
    fields = (
        "id", "owner", "url", "description", "event_types", "status", "disabled_reason", "failing_since", "created_at",
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "has_perm", lambda _: False)("outbound_webhooks.add_webhookendpoint"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An endpoint of the operators', told of everybody's events. Its secret is shown this once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = OperatorEndpointForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            assert isinstance(request.user, AbstractBaseUser)
            try:
                made = endpoint_create(owner=None, actor=request.user, **form.cleaned_data)
            except DomainError as error:
                form.add_error(error.attr if error.attr in form.fields else None, error.detail)
            else:
                self.message_user(request, f"Its secret, shown this once: {made.secret}", messages.WARNING)
                return HttpResponseRedirect(
                    reverse("admin:outbound_webhooks_webhookendpoint_change", args=[made.endpoint.pk])
                )
        return self.form_page(
            request,
            form,
            title="Add an operators' endpoint",
            button="Add",
            intro="It is told of everybody's events, signed as Standard Webhooks has it.",
        )


class AttemptInline(ReadOnlyInline):
    model = DeliveryAttempt
    fields = ("attempted_at", "status_code", "failure", "milliseconds")
    readonly_fields = fields


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "event", "endpoint", "status", "attempts", "due_at", "delivered_at")
    list_filter = ("status", "created_at")
    search_fields = ("endpoint__url", "event__event_type")
    list_select_related = ("event", "endpoint")
    inlines = (AttemptInline,)
