"""Setting up a second factor in the console, by whoever has to and whoever wants to.

Who gave their password where staff need one comes here from the sign-in form, not signed in yet; who is signed in shows
the password again. In both cases the browser's session names what was begun, and the first code of it signs them in.
"""

from typing import Any, cast

import segno
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import login
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.devices import device_of
from accounts.models import User
from accounts.selectors import second_factor_state
from accounts.services.sign_in_records import sign_in_record_alone
from accounts.services.staff_sign_ins import StaffSetup, staff_setup_find
from adminpanel.forms import BEGUN, CONSOLE, SHOWN, CountedForm, SetupBeginForm, SetupConfirmForm

PAGE = "admin/second_factor.html"


class SecondFactorPage(AdminSite):
    """Adds the page to a console."""

    def get_urls(self) -> list[Any]:
        page: URLPattern = path("second-factor/", self.second_factor, name="second_factor")
        return [page, *super().get_urls()]

    def begun(self, request: HttpRequest, what: dict[str, str]) -> HttpResponse:
        """Keep with the session what was begun, and go on to its QR code."""
        request.session.cycle_key()
        request.session[BEGUN] = what
        return redirect("admin:second_factor")

    @method_decorator([never_cache, sensitive_post_parameters()])
    def second_factor(self, request: HttpRequest) -> HttpResponse:
        setup = _setup_of(request)
        if setup is not None:
            return self._confirm(request, setup)
        if self.has_permission(request):
            return self._begin(request)
        return redirect_to_login(request.get_full_path(), reverse("admin:login", current_app=self.name))

    def _begin(self, request: HttpRequest) -> HttpResponse:
        assert isinstance(request.user, User)
        state = second_factor_state(request.user)
        form = SetupBeginForm(request.POST if request.method == "POST" else None, request=request)
        if not state.enabled and form.is_valid():
            return self.begun(request, form.begun)
        return self._shown(request, form=form, state=state)

    def _confirm(self, request: HttpRequest, setup: StaffSetup) -> HttpResponse:
        form = SetupConfirmForm(request.POST if request.method == "POST" else None, request=request, setup=setup)
        if not form.is_valid():
            return self._shown(request, form=form, secret=_spaced(setup.totp.secret), qr=_qr_code(setup.totp.uri))
        del request.session[BEGUN]
        if not request.user.is_authenticated:
            sign_in_record_alone(user=setup.user, device=device_of(request), door=CONSOLE, second_factor="totp")
        # Also who was signed in: the others of their consoles end, and this one has shown it.
        login(request, setup.user, backend=settings.AUTHENTICATION_BACKENDS[0])
        request.session[SHOWN] = str(setup.factor_id)
        return self._shown(request, recovery_codes=form.recovery_codes)

    def _shown(self, request: HttpRequest, **parts: Any) -> HttpResponse:
        context = {**self.each_context(request), "title": "Second factor", **parts}
        request.current_app = self.name
        return cast(HttpResponse, limited(TemplateResponse(request, PAGE, context)))


def limited(response: HttpResponseBase) -> HttpResponseBase:
    """With the status that says so, where the form on this page was not looked at."""
    form = getattr(response, "context_data", {}).get("form")
    if isinstance(form, CountedForm) and form.retry_after is not None:
        response.status_code = 429 if form.throttled else 503
        response["Retry-After"] = str(form.retry_after)
    return response


def _setup_of(request: HttpRequest) -> StaffSetup | None:
    """What this session has begun: by whom is signed in, where somebody is, and with the password that they have."""
    kept = request.session.get(BEGUN)
    if kept is None:
        return None
    setup = staff_setup_find(user_id=kept["user"], factor_id=kept["factor"])
    if setup is None or not constant_time_compare(setup.user.get_session_auth_hash(), kept["hash"]):
        return None
    if request.user.is_authenticated and request.user.pk != setup.user.pk:
        return None
    return setup


def _spaced(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _qr_code(uri: str) -> SafeString:
    """Black on white in every theme, or apps do not see it."""
    drawn = segno.make(uri, error="m", micro=False).svg_inline(scale=5, border=4, dark="#000", light="#fff")
    return mark_safe(drawn)  # noqa: S308 - paths of a library's own
