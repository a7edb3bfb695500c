"""People in the staff console. Accounts are disabled, never deleted: money and records point to them."""

from copy import copy
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm
from django.contrib.auth.forms import UserChangeForm as BaseUserChangeForm
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse

from accounts.devices import Device, device_of
from accounts.models import User
from accounts.services.passwords import password_replaced
from learning247.records.services.audit import audit_record

RIGHTS = ("role", "is_staff", "is_superuser", "groups", "user_permissions", "platform_fee_bps")
_AUDITED = ("email", "role", "is_staff", "is_superuser", "is_active", "is_creator", "platform_fee_bps")


class PersonCreationForm(AdminUserCreationForm):
    """An email in place of a username."""

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name")


class PersonChangeForm(BaseUserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


class PersonPasswordForm(AdminPasswordChangeForm):
    """Sets somebody's password, or none."""

    def __init__(self, *args: Any, actor: User, device: Device, **kwargs: Any) -> None:
        self.actor, self.device = actor, device
        super().__init__(*args, **kwargs)

    def save(self, commit: bool = True) -> User:
        with transaction.atomic():
            user: User = super().save(commit=commit)
            password_replaced(user=user, actor=self.actor, action="user.password_changed", device=self.device)
        return user


@admin.register(User)
class PersonAdmin(UserAdmin):
    """Only a superuser gives or takes rights, sets a fee, or edits staff: else support could make itself admin."""

    form = PersonChangeForm
    add_form = PersonCreationForm
    ordering = ("-created_at",)
    list_display = ("email", "full_name", "role", "is_creator", "verified", "is_active", "is_staff", "created_at")
    list_filter = (
        "role",
        "is_active",
        "is_creator",
        "is_staff",
        ("email_verified_at", admin.EmptyFieldListFilter),
        "country",
    )
    search_fields = ("email", "first_name", "last_name", "phone")
    readonly_fields = ("email_verified_at", "is_creator", "last_login", "created_at")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "phone", "country", "bio", "avatar_url")}),
        ("Account", {"fields": ("is_active", "email_verified_at", "is_creator", "platform_fee_bps")}),
        ("Rights", {"fields": ("role", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Times", {"fields": ("created_at", "last_login")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("email", "first_name", "last_name", "usable_password", "password1", "password2"),
            },
        ),
    )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        assert isinstance(request.user, User)
        # The view gives its form the person alone. A copy, because one PersonAdmin serves all threads.
        bound = copy(self)
        bound.change_password_form = partial(PersonPasswordForm, actor=request.user, device=device_of(request))
        return super(PersonAdmin, bound).user_change_password(request, id, form_url)

    @admin.display(boolean=True, ordering="email_verified_at")
    def verified(self, user: User) -> bool:
        return user.email_verified

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if _is_superuser(request) else (*fields, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        edits_staff = obj is not None and (obj.is_staff or obj.is_superuser)
        return super().has_change_permission(request, obj) and (_is_superuser(request) or not edits_staff)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        """Saves, and records who changed which right from what to what."""
        before = User.objects.filter(pk=obj.pk).values(*_AUDITED).first()
        if before is not None and before["email"] != obj.email:
            obj.email_verified_at = None  # the old address was proved, not the new one
        super().save_model(request, obj, form, change)
        after = {name: getattr(obj, name) for name in _AUDITED}
        if before != after:
            assert isinstance(request.user, User)
            audit_record(
                actor=request.user,
                action="user.changed" if before else "user.created",
                subject_kind="user",
                subject_id=obj.pk,
                before=before,
                after=after,
            )


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
