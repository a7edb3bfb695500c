"""The console's page of a platform course's prices."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.models import User
from courses.admin.passes import AmountField, PricesForm
from courses.models import Course
from courses.services.courses import course_prices_set
from learning247.kit.admin import FormPages
from learning247.kit.errors import DomainError
from learning247.kit.money import Money
from payments.selectors import charge_refusal


class CourseAmountField(AmountField):
    """Unlike a pass, a course may be free of charge."""

    def refusal(self, price: Money) -> str | None:
        return charge_refusal(price)


class CoursePricesForm(PricesForm):
    amount_field = CourseAmountField


class PricesPage(FormPages):
    """Adds the page, and the link to it, to the admin of courses. Creators price their own courses by the API."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.prices_view)
        return [path("<uuid:course_id>/prices/", page, name="courses_course_prices"), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        may = self.has_change_permission(request, obj) and obj is not None and obj.creator_id is None
        return [{"prices": "prices_and_page"}.get(str(name), name) if may else name for name in fields]

    @admin.display(description="prices")
    def prices(self, course: Course) -> str:
        return ", ".join(str(price) for price in course.product.prices.all()) or "none"

    @admin.display(description="prices")
    def prices_and_page(self, course: Course) -> str:
        page = reverse("admin:courses_course_prices", args=[course.pk])
        return format_html('{} &nbsp; <a href="{}">Set prices</a>', self.prices(course), page)

    def prices_view(self, request: HttpRequest, course_id: Any) -> HttpResponse:
        """GET shows the form; POST sets exactly the prices given."""
        course = self.get_object(request, str(course_id))
        if not self.has_change_permission(request, course):
            raise PermissionDenied
        if course is None:
            raise Http404
        assert isinstance(request.user, User)
        now_asked = {price.currency: price.money.amount for price in course.product.prices.all()}
        form = CoursePricesForm(request.POST if request.method == "POST" else None, initial=now_asked)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            try:
                course_prices_set(course_id=course.pk, prices=form.prices, staff=request.user, reason=reason)
            except DomainError as refusal:
                form.add_error(None, refusal.detail)
            else:
                self.message_user(request, f"{course}: {', '.join(map(str, form.prices)) or 'no price'}.")
                return HttpResponseRedirect(reverse("admin:courses_course_change", args=[course.pk]))
        return self.form_page(
            request,
            form,
            title=f"Prices: {course}",
            button="Save",
            intro="A currency that is left empty cannot buy this course; 0 in all of them makes it free of charge."
            " Open checkouts keep their price.",
        )
