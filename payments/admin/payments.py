"""Payments: to look at, and to give back."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.models import User
from learning247.kit.admin import ReadOnlyAdmin
from learning247.kit.errors import DomainError
from learning247.kit.ids import new_id
from learning247.kit.lengths import longest
from learning247.kit.money import EXPONENTS, InvalidAmount, Money
from learning247.records.audit_history import AuditHistory
from payments.models import Payment, Refund
from payments.selectors import REFUND_PERMISSION
from payments.services.refunds import refund_start

FORM_PAGE = "admin/form_page.html"


class RefundForm(forms.Form):
    amount = forms.CharField(
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="Such as 25000.00. Left empty: all that is left.",
    )
    reason = forms.CharField(
        max_length=longest(Refund, "reason"),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="For the record; the buyer sees it in the API's answer.",
    )
    ends_access = forms.NullBooleanField(
        label="Access ends",
        widget=forms.Select(choices=[("unknown", "As usual"), ("true", "Yes"), ("false", "No")]),
        help_text="As usual: all of the money back ends it, a part does not.",
    )
    # The same form sent twice makes one refund.
    key = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)

    def __init__(self, data: Any = None, *, payment: Payment) -> None:
        self.payment = payment
        super().__init__(data)

    def clean_amount(self) -> int | None:
        """Minor units; None for all that is left."""
        text: str = self.cleaned_data["amount"].strip()
        if not text:
            return None
        currency = self.payment.captured_currency
        try:
            money = Money.from_decimal_string(text, currency if currency in EXPONENTS else self.payment.currency)
        except InvalidAmount as error:
            raise ValidationError(str(error)) from None
        if money.minor == 0:
            raise ValidationError("Ask for more than zero.")
        return money.minor

    def start(self, staff: User) -> Refund:
        """Raises what `refund_start` raises."""
        return refund_start(
            reference=self.payment.reference,
            requested_by=staff,
            amount_minor=self.cleaned_data["amount"],
            reason=self.cleaned_data["reason"],
            ends_access=self.cleaned_data["ends_access"],
            operation="console.refund",
            idempotency_key=str(self.cleaned_data["key"]),
        )


def _shown(minor: int | None, currency: str) -> str:
    """The gateway may have captured a currency that we do not know."""
    if minor is None:
        return "–"
    return str(Money(minor, currency)) if currency in EXPONENTS else f"{minor} minor units of {currency or '?'}"


def _may_refund(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "has_perm", lambda _: False)(REFUND_PERMISSION))


def _staff(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the console lets nobody else in
    return request.user


@admin.register(Payment)
class PaymentAdmin(AuditHistory, ReadOnlyAdmin):
    list_display = ("reference", "status", "amount", "gateway", "buyer", "product", "created_at", "review_reason")
    list_filter = ("status", "gateway", "currency", "review_reason")
    search_fields = ("reference", "gateway_payment_id", "buyer__email", "product__title")
    list_select_related = ("buyer", "product")
    date_hierarchy = "created_at"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "reference",
                    "status",
                    "amount",
                    "discounted",
                    "buyer",
                    "product",
                    "created_at",
                    "settled_at",
                )
            },
        ),
        (
            "The gateway",
            {
                "fields": (
                    "gateway",
                    "gateway_reference",
                    "gateway_payment_id",
                    "captured",
                    "gateway_fee",
                    "fee_due_at",
                    "failure_reason",
                    "checked_at",
                    "asking_ended_at",
                    "expires_at",
                )
            },
        ),
        (
            "The books",
            {"fields": ("platform_fee", "refunded", "sale_entry", "unsettled_entry", "fee_entry", "review_reason")},
        ),
        ("The request", {"fields": ("operation", "idempotency_key", "details")}),
    )

    def get_urls(self) -> list[URLPattern]:
        refund = path(
            "<uuid:payment_id>/refund/", self.admin_site.admin_view(self.refund_view), name="payments_payment_refund"
        )
        return [refund, *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Payment | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return [*fieldsets, ("To do", {"fields": ("to_do",)})] if _may_refund(request) else fieldsets

    def refund_view(self, request: HttpRequest, payment_id: UUID) -> HttpResponse:
        """Give back a part of this payment, or all that is left."""
        if not _may_refund(request):
            raise PermissionDenied
        payment = self.get_queryset(request).filter(pk=payment_id).first()
        if payment is None:
            raise Http404
        form = RefundForm(request.POST if request.method == "POST" else None, payment=payment)
        if form.is_valid():
            try:
                refund = form.start(_staff(request))
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                self.message_user(request, f"Refund of {refund.money}: {refund.get_status_display().lower()}.")
                return HttpResponseRedirect(reverse("admin:payments_payment_change", args=[payment_id]))
        left = payment.refundable
        context = self.admin_site.each_context(request) | {
            "opts": self.opts,
            "media": self.media,
            "form": form,
            "title": f"Give money back of {payment.reference}",
            "button": "Give back",
            "intro": f"{payment.buyer} paid {payment.money} for {payment.product.title}."
            f" Left of it: {left if left is not None else 'nothing'}. What was shared out of it is taken back at once;"
            " should the gateway fail, it returns.",
        }
        return TemplateResponse(request, FORM_PAGE, context)

    @admin.display(description="this payment")
    def to_do(self, payment: Payment) -> str:
        return format_html(
            '<a href="{}">Give money back</a>', reverse("admin:payments_payment_refund", args=[payment.pk])
        )

    @admin.display(description="Given back")
    def refunded(self, payment: Payment) -> str:
        return _shown(payment.refunded_minor, payment.captured_currency or payment.currency)

    @admin.display(description="Amount", ordering="amount_minor")
    def amount(self, payment: Payment) -> str:
        return str(payment.money)

    @admin.display(description="Discount")
    def discounted(self, payment: Payment) -> str:
        if not payment.discount_minor:
            return self.get_empty_value_display()
        bearer = "the platform" if payment.promotion_minor else "the creator"
        return f"{payment.discount} of {payment.price} by coupon {payment.coupon_code}, which {bearer} bears"

    @admin.display(description="Captured")
    def captured(self, payment: Payment) -> str:
        return _shown(payment.captured_minor, payment.captured_currency)

    @admin.display(description="Gateway's fee")
    def gateway_fee(self, payment: Payment) -> str:
        return _shown(payment.gateway_fee_minor, payment.gateway_fee_currency)

    @admin.display(description="Platform's share")
    def platform_fee(self, payment: Payment) -> str:
        return _shown(payment.platform_fee_minor, payment.currency)
