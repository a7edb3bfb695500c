"""The console's own doors: signing in to it, and changing one's password there."""

from typing import Any

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import BaseForm, CharField, Form, PasswordInput, TextInput
from django.http import HttpRequest

from accounts.devices import Device, device_of
from accounts.errors import EmailNotVerified, SecondFactorSetupRequired
from accounts.hashers import hashing_for
from accounts.models import User, normalised_email
from accounts.selectors import console_sign_in_is_known
from accounts.services.passwords import password_replaced
from accounts.services.sign_in_records import sign_in_refusal_record
from accounts.services.staff_sign_ins import StaffSetup, staff_setup_begin, staff_setup_confirm, staff_sign_in
from learning247.kit.api.throttles import limits_ask, limits_know
from learning247.kit.errors import DomainError, Unavailable

CONSOLE = "console"
# Under this name stands, with the request and then with the session, the id of the authenticator that was shown.
SHOWN = "second_factor"
# And under this one, what was begun to have one.
BEGUN = "second_factor_begun"


class CountedForm(BaseForm):
    """A form whose tries are limited as those at the API are, by the same counters."""

    retry_after: int | None = None  # seconds, where this try was not looked at
    throttled = False

    def count(self, request: HttpRequest, *, scope: str, user: object, email: str = "") -> None:
        """Before the password is looked at. Raises ValidationError where there were too many, or nobody can count."""
        try:
            usage = limits_ask(request, scope=scope, user=user, account=lambda: email)
        except Unavailable as error:
            raise self.put_off(error) from error
        if usage is not None and usage.refused:
            self.retry_after, self.throttled = usage.reset, True
            minutes = -(-usage.reset // 60)
            raise ValidationError(f"These were too many tries. Try again in {minutes} minutes.", code="throttled")

    def put_off(self, error: Unavailable) -> ValidationError:
        """What the form says of it."""
        self.retry_after = error.retry_after
        return ValidationError(error.detail, code=error.code)


class SignInForm(CountedForm, AdminAuthenticationForm):
    """Who came in, and who did not, is on record. The code is asked of those alone who have a second factor."""

    code = CharField(
        required=False,
        max_length=64,
        label="Code",
        help_text="Of your authenticator app, if you have set one up; or a recovery code.",
        widget=TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text"}),
    )

    def clean(self) -> dict[str, Any]:
        assert self.request is not None
        email, device = self.cleaned_data.get("username", ""), device_of(self.request)
        self.count(self.request, scope="console", user=None, email=email)
        known = console_sign_in_is_known(email=email, network=device.network)
        try:
            with hashing_for(normalised_email(email) if known else device.network, known=known):
                cleaned: dict[str, Any] = super().clean()
        except Unavailable as error:
            raise self.put_off(error) from error
        except ValidationError:
            sign_in_refusal_record(email=email, device=device, door=CONSOLE)
            raise
        user = self.get_user()
        if isinstance(user, User):
            self._enter(user, code=cleaned.get("code", ""), device=device)
        return cleaned

    def _enter(self, user: User, *, code: str, device: Device) -> None:
        assert self.request is not None
        try:
            factor = staff_sign_in(user=user, code=code, device=device, door=CONSOLE)
        except SecondFactorSetupRequired as refusal:
            setattr(self.request, BEGUN, begin(user, device=device))
            raise ValidationError(refusal.detail, code=refusal.code) from refusal
        except DomainError as refusal:
            if refusal.retry_after is not None:
                self.retry_after, self.throttled = refusal.retry_after, True
            raise ValidationError(refusal.detail, code=refusal.code) from refusal
        # For the console to keep: the session that is signed in begins only after the form.
        setattr(self.request, SHOWN, factor and str(factor))
        limits_know(self.request, account=user.email)


def begin(user: User, *, device: Device, password: str | None = None) -> dict[str, str]:
    """Begin a second factor: what the session keeps of it. Raises ValidationError."""
    try:
        factor_id = staff_setup_begin(user=user, password=password, device=device, door=CONSOLE)
    except EmailNotVerified as refusal:
        # Nobody of the staff has to know the API for it.
        address = f"{settings.FRONTEND_URL}/forgot-password"
        raise ValidationError(
            f"Staff need a second factor, and before it a verified email. Ask for a new password at {address}: the"
            " mailed link verifies it. Then sign in here.",
            code=refusal.code,
        ) from refusal
    except DomainError as refusal:
        raise ValidationError(refusal.detail, code=refusal.code) from refusal
    return {"user": str(user.pk), "factor": str(factor_id), "hash": user.get_session_auth_hash()}


class SetupBeginForm(CountedForm, Form):
    """Somebody who is signed in begins: who finds a console open may not."""

    password = CharField(
        label="Your password", strip=False, widget=PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        self.request = request
        self.begun: dict[str, str] = {}
        super().__init__(*args, **kwargs)

    def clean_password(self) -> str:
        user = self.request.user
        assert isinstance(user, User)
        self.count(self.request, scope="codes", user=user.pk)
        password: str = self.cleaned_data["password"]
        try:
            self.begun = begin(user, device=device_of(self.request), password=password)
        except Unavailable as error:
            raise self.put_off(error) from error
        return password


class SetupConfirmForm(CountedForm, Form):
    code = CharField(
        max_length=64,
        label="Code",
        help_text="The six digits that the app shows now.",
        widget=TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )

    def __init__(self, *args: Any, request: HttpRequest, setup: StaffSetup, **kwargs: Any) -> None:
        self.request, self.setup = request, setup
        self.recovery_codes: list[str] = []
        super().__init__(*args, **kwargs)

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        self.count(self.request, scope="codes", user=self.setup.user.pk)
        try:
            self.recovery_codes = staff_setup_confirm(
                setup=self.setup, code=code, device=device_of(self.request), door=CONSOLE
            )
        except DomainError as refusal:
            if refusal.retry_after is not None:
                self.retry_after, self.throttled = refusal.retry_after, True
            raise ValidationError(refusal.detail, code=refusal.code) from refusal
        return code


class OwnPasswordForm(CountedForm, AdminPasswordChangeForm):
    """Another password here ends the API's sessions too; Django ends the other consoles'.

    Who finds a console open may not guess the password there, as at `/auth/change-password`.
    """

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)

    def clean_old_password(self) -> str:
        self.count(self.request, scope="codes", user=self.user.pk)
        try:
            with hashing_for(self.user.pk, known=True):
                return super().clean_old_password()
        except Unavailable as error:
            raise self.put_off(error) from error

    def save(self, commit: bool = True) -> User:
        with transaction.atomic():
            user: User = super().save(commit=commit)
            password_replaced(user=user, actor=user, action="user.password_changed", device=device_of(self.request))
        return user
