"""The console's own doors: signing in to it, and changing one's password there."""

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.devices import Device, device_of
from accounts.models import User
from accounts.services.passwords import password_replaced
from accounts.services.sign_ins import sign_in_record, sign_in_refusal_record

CONSOLE = "console"


class SignInForm(AdminAuthenticationForm):
    """Who came in, and who did not, is on record."""

    def clean(self) -> dict[str, Any]:
        assert self.request is not None
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
