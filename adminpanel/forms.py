"""The console's own doors: signing in to it, and changing one's password there."""

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest

from accounts.devices import device_of
from accounts.models import User
from accounts.services.passwords import password_replaced
from accounts.services.sign_ins import sign_in_record, sign_in_refusal_record
from learning247.kit.api.throttles import limits_ask
from learning247.kit.errors import Unavailable

CONSOLE = "console"


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
    """Who came in, and who did not, is on record."""

    def clean(self) -> dict[str, Any]:
        assert self.request is not None
        self.count(self.request, scope="console", user=None, email=self.cleaned_data.get("username", ""))
        device = device_of(self.request)
        try:
            cleaned: dict[str, Any] = super().clean()
        except Unavailable as error:
            raise self.put_off(error) from error
        except ValidationError:
            sign_in_refusal_record(email=self.cleaned_data.get("username", ""), device=device, door=CONSOLE)
            raise
        user = self.get_user()
        if isinstance(user, User):
            with transaction.atomic():
                sign_in_record(user=user, device=device, door=CONSOLE)
        return cleaned


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
            return super().clean_old_password()
        except Unavailable as error:
            raise self.put_off(error) from error

    def save(self, commit: bool = True) -> User:
        with transaction.atomic():
            user: User = super().save(commit=commit)
            password_replaced(user=user, actor=user, action="user.password_changed", device=device_of(self.request))
        return user
