"""The console's own doors: signing in to it, and changing one's password there."""

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from accounts.devices import Device, device_of
from accounts.models import User
from accounts.services.passwords import password_replaced
from accounts.services.sign_ins import sign_in_record, sign_in_refusal_record
from learning247.kit.api.throttles import limits_ask
from learning247.kit.errors import Unavailable

CONSOLE = "console"
THROTTLED = "throttled"


class SignInForm(AdminAuthenticationForm):
    """Who came in, and who did not, is on record. Tries are limited as those at the API are, by the same counters."""

    retry_after: int | None = None  # seconds, where this try was not looked at

    def clean(self) -> dict[str, Any]:
        assert self.request is not None
        self._count(self.request)
        device = device_of(self.request)
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            sign_in_refusal_record(email=self.cleaned_data.get("username", ""), device=device, door=CONSOLE)
            raise
        user = self.get_user()
        if isinstance(user, User):
            with transaction.atomic():
                sign_in_record(user=user, device=device, door=CONSOLE)
        return cleaned

    def _count(self, request: HttpRequest) -> None:
        email = self.cleaned_data.get("username", "")
        try:
            usage = limits_ask(request, scope="console", user=None, account=lambda: email)
        except Unavailable as error:
            self.retry_after = error.retry_after
            raise ValidationError(error.detail, code=error.code) from error
        if usage is not None and usage.refused:
            self.retry_after = usage.reset
            minutes = -(-usage.reset // 60)
            raise ValidationError(f"These were too many tries. Try again in {minutes} minutes.", code=THROTTLED)


class OwnPasswordForm(AdminPasswordChangeForm):
    """Another password here ends the API's sessions too; Django ends the other consoles'."""

    def __init__(self, *args: Any, device: Device, **kwargs: Any) -> None:
        self.device = device
        super().__init__(*args, **kwargs)

    def save(self, commit: bool = True) -> User:
        with transaction.atomic():
            user: User = super().save(commit=commit)
            password_replaced(user=user, actor=user, action="user.password_changed", device=self.device)
        return user
