"""Passes and their prices."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.models import User
from courses.models import CoursePass
from courses.services.passes import course_pass_prices_set
from learning247.kit.admin import FormPages, ReadOnlyAdmin
from learning247.kit.money import InvalidAmount, Money
from learning247.records.audit_history import AuditHistory
from learning247.records.reason_forms import ReasonField
from payments.selectors import charge_refusal, charged_currencies


class AmountField(forms.CharField):
    """Money of one currency as its decimal string; empty: none."""

    def __init__(self, currency: str) -> None:
        super().__init__(label=currency, required=False, max_length=40)
        self.currency = currency

    def clean(self, value: Any) -> Money | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            price = Money.from_decimal_string(text, self.currency)
        except InvalidAmount as error:
            raise ValidationError(str(error)) from None
        refusal = self.refusal(price)
        if refusal:
            raise ValidationError(refusal)
        return price

    def refusal(self, price: Money) -> str | None:
        return charge_refusal(price) if price.minor else "A pass is not free of charge. Leave it empty instead."


class PricesForm(forms.Form):
    amount_field = AmountField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in charged_currencies():
            self.fields[row["currency"]] = self.amount_field(row["currency"])
        self.fields["reason"] = ReasonField()

    @property
    def prices(self) -> list[Money]:
        """Of a valid form."""
        return [value for value in self.cleaned_data.values() if isinstance(value, Money)]


@admin.register(CoursePass)
class CoursePassAdmin(AuditHistory, FormPages, ReadOnlyAdmin):
    """Both passes are always there; staff set what they cost in each currency."""

    list_display = ("access_type", "prices")
    list_select_related = ("product",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("product__prices")

    @admin.display(description="prices")
    def prices(self, course_pass: CoursePass) -> str:
        return ", ".join(str(price) for price in course_pass.product.prices.all()) or "none"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The prices. Not the parent's page, which saves within a transaction of its own."""
        staff = request.user
        if not (isinstance(staff, User) and staff.has_perm("courses.change_coursepass")):
            answer: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
            return answer
        course_pass = self.get_object(request, object_id)
        if course_pass is None:
            raise Http404
        now_asked = {price.currency: price.money.amount for price in course_pass.product.prices.all()}
        form = PricesForm(request.POST if request.method == "POST" else None, initial=now_asked)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            course_pass_prices_set(course_pass_id=course_pass.id, prices=form.prices, staff=staff, reason=reason)
            self.message_user(request, f"{course_pass}: {', '.join(map(str, form.prices)) or 'not on sale'}.")
            return HttpResponseRedirect(reverse("admin:courses_coursepass_changelist"))
        return self.form_page(
            request,
            form,
            title=f"Prices: {course_pass}",
            button="Save",
            intro="A currency that is left empty cannot buy this pass. Open checkouts keep their price.",
        )
