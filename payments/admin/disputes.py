"""What buyers' banks want back: to look at, its evidence to read, to take along and to send to the gateway."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.models import User
from learning247.kit.admin import ReadOnlyAdmin
from learning247.kit.errors import DomainError
from learning247.kit.money import Money
from payments.evidence import evidence_of
from payments.models import Dispute
from payments.services.dispute_evidence import dispute_evidence_send

# The evidence names the buyer's addresses and devices: for those who answer disputes.
ANSWER_PERMISSION = "payments.change_dispute"


class EvidenceForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="For the record, with your name. The bank gets the document, not this.",
    )


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = ("gateway_dispute_id", "payment", "amount", "status", "reason", "due_at", "opened_at")
    list_filter = ("status", "currency", "payment__gateway")
    search_fields = ("gateway_dispute_id", "payment__reference", "payment__buyer__email")
    list_select_related = ("payment",)
    fieldsets = (
        (None, {"fields": ("gateway_dispute_id", "payment", "status", "amount", "reason")}),
        ("When", {"fields": ("opened_at", "due_at", "evidence_sent_at", "closed_at", "checked_at")}),
        ("The books", {"fields": ("from_creator", "from_platform", "promotion", "withdrawn", "gateway_fee")}),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<uuid:dispute_id>/evidence/", view(self.evidence_view), name="payments_dispute_evidence"),
            path("<uuid:dispute_id>/send-evidence/", view(self.send_view), name="payments_dispute_send"),
            *super().get_urls(),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Dispute | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return [*fieldsets, ("To do", {"fields": ("to_do",)})] if _may_answer(request) else fieldsets

    def evidence_view(self, request: HttpRequest, dispute_id: UUID) -> HttpResponse:
        """The evidence as a document to keep, or to upload where the gateway takes it by hand."""
        dispute = self._dispute(request, dispute_id)
        answer = HttpResponse(evidence_of(dispute).document, content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="evidence-{dispute.payment.reference}.txt"'
        answer["Cache-Control"] = "no-store"
        return answer

    def send_view(self, request: HttpRequest, dispute_id: UUID) -> HttpResponse:
        """Send the evidence to the gateway."""
        dispute = self._dispute(request, dispute_id)
        form = EvidenceForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            assert isinstance(request.user, User)  # the console lets nobody else in
            try:
                sent = dispute_evidence_send(
                    dispute_id=dispute_id, actor=request.user, reason=form.cleaned_data["reason"]
                )
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                self.message_user(request, f"Evidence sent. The dispute is {sent.get_status_display().lower()}.")
                return HttpResponseRedirect(reverse("admin:payments_dispute_change", args=[dispute_id]))
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "media": self.media,
            "form": form,
            "title": f"Send the evidence about {dispute.payment.reference}",
            "button": "Send to the bank",
            "intro": "The gateway hands this to the buyer's bank. It cannot be taken back.",
            "items": evidence_of(dispute).document.splitlines(),
        }
        return TemplateResponse(request, "admin/form_page.html", context)

    def _dispute(self, request: HttpRequest, dispute_id: UUID) -> Dispute:
        if not _may_answer(request):
            raise PermissionDenied
        known = self.get_queryset(request).select_related("payment__buyer", "payment__product")
        dispute: Dispute | None = known.filter(pk=dispute_id).first()
        if dispute is None:
            raise Http404
        return dispute

    @admin.display(description="this dispute")
    def to_do(self, dispute: Dispute) -> str:
        return format_html(
            '<a href="{}">Download the evidence</a> · <a href="{}">Send it to the gateway</a>',
            reverse("admin:payments_dispute_evidence", args=[dispute.pk]),
            reverse("admin:payments_dispute_send", args=[dispute.pk]),
        )

    @admin.display(description="Amount", ordering="amount_minor")
    def amount(self, dispute: Dispute) -> str:
        return str(dispute.money)

    @admin.display(description="The creator's share")
    def from_creator(self, dispute: Dispute) -> str:
        return str(Money(dispute.seller_minor, dispute.currency))

    @admin.display(description="The platform's share")
    def from_platform(self, dispute: Dispute) -> str:
        return str(Money(dispute.platform_minor, dispute.currency))

    @admin.display(description="Promotion that returned")
    def promotion(self, dispute: Dispute) -> str:
        return str(Money(dispute.promotion_minor, dispute.currency))

    @admin.display(description="Withdrawn by the gateway")
    def withdrawn(self, dispute: Dispute) -> str:
        return str(Money(dispute.withdrawn_minor, dispute.currency))

    @admin.display(description="Gateway's fee")
    def gateway_fee(self, dispute: Dispute) -> str:
        return str(Money(dispute.gateway_fee_minor, dispute.currency))


def _may_answer(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "has_perm", lambda _: False)(ANSWER_PERMISSION))
