"""The Django admin under the platform's name. Each app brings its own pages; money states change by actions alone."""

from functools import partial
from typing import Any, cast

from django.contrib.admin import ModelAdmin
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.devices import device_of
from accounts.models import User
from accounts.selectors import staff_factor_holds
from accounts.services.sign_in_records import sign_out_record
from adminpanel.forms import BEGUN, CONSOLE, SHOWN, OwnPasswordForm, SignInForm
from adminpanel.second_factor_page import SecondFactorPage, limited
from learning247.kit.admin import ForgivingAdmin
from wallets.selectors import frozen_currencies


class StaffConsole(SecondFactorPage):
    site_title = "Learning247"
    site_header = "Learning247 staff console"
    index_title = "What is going on"
    site_url = "/api/docs"
    login_form = SignInForm
    login_template = "admin/sign_in.html"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = cast(HttpResponse, limited(super().login(request, extra_context)))
        if hasattr(request, BEGUN):
            return self.begun(request, getattr(request, BEGUN))
        if hasattr(request, SHOWN):
            request.session[SHOWN] = getattr(request, SHOWN)
        return response

    def has_permission(self, request: HttpRequest) -> bool:
        """Also: nobody goes on in a session that one factor opened where two are asked for by now."""
        if not super().has_permission(request):
            return False
        assert isinstance(request.user, User)
        return staff_factor_holds(request.user, shown=request.session.get(SHOWN))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        view = PasswordChangeView.as_view(
            form_class=partial(OwnPasswordForm, request=request),
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        request.current_app = self.name
        return cast(TemplateResponse, limited(view(request)))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        if request.method == "POST" and isinstance(request.user, User):
            sign_out_record(user=request.user, device=device_of(request), door=CONSOLE)
        return super().logout(request, extra_context)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Also the currencies whose payouts are paused, which every page says above all else."""
        context = super().each_context(request)
        return {**context, "payouts_paused": frozen_currencies() if context["has_permission"] else []}

    def register(self, model_or_iterable: Any, admin_class: type[ModelAdmin] | None = None, **options: Any) -> None:
        """Makes every page forgiving, those of libraries too."""
        page = admin_class or ModelAdmin
        super().register(
            model_or_iterable, type(page.__name__, (ForgivingAdmin, page), {"__module__": page.__module__}), **options
        )

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.GET.get("term", ""):
            raise BadRequest("No text of ours holds a NUL.")
        return super().autocomplete_view(request)
