"""People and staff groups in the console. Rows of accounts are never deleted, because money and records point to them:
an account is disabled, or its person forgotten for good."""

from copy import copy
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm
from django.contrib.auth.forms import UserChangeForm as BaseUserChangeForm
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.devices import Device, device_of
from accounts.enums import SessionEnd
from accounts.models import Erasure, User
from accounts.selectors import belongs_to_staff, second_factor_state
from accounts.services.erasures import erasure_by_staff
from accounts.services.passwords import password_replaced
from accounts.services.second_factors import second_factor_reset
from accounts.services.sessions import session_end_all
from accounts.services.single_use_links import link_revoke_all
from learning247.kit.admin import FormPages, ReasonActionForm
from learning247.kit.errors import DomainError
from learning247.records.personal_tables import personal_rows
from learning247.records.reason_forms import ReasonedAdmin, ReasonedForm, ReasonField, ReasonForm
from learning247.records.services.audit import audit_record

RIGHTS = ("role", "is_staff", "is_superuser", "groups", "user_permissions", "platform_fee_bps")
_PROFILE = ("first_name", "last_name", "phone", "country", "bio", "avatar_url")
_AUDITED = (
    "email",
    "email_verified",
    "role",
    "is_staff",
    "is_superuser",
    "is_active",
    "is_creator",
    "platform_fee_bps",
    *_PROFILE,
)


class PersonCreationForm(ReasonedForm, AdminUserCreationForm):
    """An email in place of a username."""

    class Meta:
        model = User
        fields = ("email", "first_name", "last_name")


class PersonChangeForm(ReasonedForm, BaseUserChangeForm):
    class Meta:
        model = User
        fields = "__all__"


class GroupForm(ReasonedForm):
    class Meta:
        model = Group
        fields = "__all__"


class PersonPasswordForm(AdminPasswordChangeForm):
    """Sets somebody's password, or none."""

    reason = ReasonField()

    def __init__(self, *args: Any, actor: User, device: Device, **kwargs: Any) -> None:
        self.actor, self.device = actor, device
        super().__init__(*args, **kwargs)

    def save(self, commit: bool = True) -> User:
        with transaction.atomic():
            user: User = super().save(commit=commit)
            password_replaced(
                user=user,
                actor=self.actor,
                action="user.password_changed",
                device=self.device,
                reason=self.cleaned_data["reason"],
            )
        return user


class SecondFactorResetForm(ReasonForm):
    reason = ReasonField(help_text="For the record: how you made sure who asks. The person is not told it.")


class AuditedAdmin(ReasonedAdmin):
    """Who changed what from what to what, and why, is on record, what stands in other tables included."""

    audited_as: ClassVar[str]

    def audited(self, pk: Any) -> dict[str, Any] | None:
        """What is compared; None when there is no such row."""
        raise NotImplementedError

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        # A copy, because one admin serves all threads, and what stood there before belongs to this request.
        bound = copy(self)
        return super(AuditedAdmin, bound).changeform_view(request, object_id, *args, **kwargs)

    def save_form(self, request: HttpRequest, form: ModelForm, change: bool) -> Any:
        self.before = self.audited(form.instance.pk) if change else None
        return super().save_form(request, form, change)

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        after = self.audited(form.instance.pk)
        if self.before != after:
            assert isinstance(request.user, User)
            audit_record(
                actor=request.user,
                action=f"{self.audited_as}.{'changed' if change else 'created'}",
                subject_kind=self.audited_as,
                subject_id=form.instance.pk,
                reason=form.cleaned_data.get("reason", ""),
                before=self.before,
                after=after,
            )


@admin.register(User)
class PersonAdmin(AuditedAdmin, FormPages, UserAdmin):
    """Only a superuser gives or takes rights, sets a fee, or edits staff: else support could make itself admin."""

    audited_as = "user"
    form = PersonChangeForm
    add_form = PersonCreationForm
    change_user_password_template = "admin/accounts/user/change_password.html"  # noqa: S105
    action_form = ReasonActionForm
    actions = ("reset_second_factor", "erase")
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
    readonly_fields = ("email_verified_at", "second_factor", "is_creator", "last_login", "created_at")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "phone", "country", "bio", "avatar_url")}),
        ("Account", {"fields": ("is_active", "email_verified_at", "second_factor", "is_creator", "platform_fee_bps")}),
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

    @admin.action(description="Delete the account for good (one at a time)", permissions=["erase"])
    def erase(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """Says first what of this person is forgotten and what stays."""
        people = list(queryset.order_by()[:2])
        if len(people) != 1:
            self.message_user(request, "Choose one person. Nothing was deleted.", messages.ERROR)
            return None
        form = self._reason_form(request)
        if form.is_valid():
            assert isinstance(request.user, User)
            try:
                erasure_by_staff(user=people[0], actor=request.user, reason=form.cleaned_data["reason"])
            except DomainError as refusal:
                form.add_error(None, f"{refusal.detail} Nothing was deleted.")
            else:
                self.message_user(request, "The account is deleted, and who it was is forgotten.")
                return None
        held = personal_rows(people[0])
        return self._page_about(
            request,
            form,
            people[0],
            action="erase",
            title="Delete the account for good",
            button="Delete for good",
            intro="It cannot be taken back, and nobody signs in by this account any more.",
            sections=[
                ("Is deleted", [str(rows) for rows in held if rows.table.deleted]),
                (
                    "Stays, and tells nobody who it was",
                    [str(rows) for rows in held if not (rows.table.deleted or rows.table.kept)],
                ),
                ("Stays, and why", [f"{rows}: {rows.table.kept}" for rows in held if rows.table.kept]),
            ],
        )

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    @admin.display(boolean=True, ordering="email_verified_at")
    def verified(self, user: User) -> bool:
        return user.email_verified

    @admin.display(description="second factor")
    def second_factor(self, user: User) -> str:
        state = second_factor_state(user)
        if state.enabled_at is None:
            return "Off"
        return f"On since {state.enabled_at:%-d %B %Y, %H:%M} UTC; recovery codes left: {state.recovery_codes_left}"

    @admin.action(description="Reset the second factor", permissions=["change"])
    def reset_second_factor(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        """For one person at a time, of whom somebody has made sure; of staff, by a superuser."""
        chosen = list(people[:2])
        if len(chosen) != 1 or not self.has_change_permission(request, chosen[0]):
            self.message_user(request, "Choose one person whose account you may change.", messages.ERROR)
            return None
        form = self._reason_form(request, SecondFactorResetForm)
        if not form.is_valid():
            return self._page_about(
                request,
                form,
                chosen[0],
                action="reset_second_factor",
                title="Reset the second factor",
                button="Reset",
                intro="App and recovery codes are worth nothing any more, every session ends, and the person is"
                " mailed.",
            )
        assert isinstance(request.user, User)
        try:
            second_factor_reset(user=chosen[0], actor=request.user, reason=form.cleaned_data["reason"])
        except DomainError as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
        else:
            self.message_user(request, f"{chosen[0]}: the second factor is off, and every session has ended.")
        return None

    def _reason_form(self, request: HttpRequest, form: type[ReasonForm] = ReasonForm) -> ReasonForm:
        """What was written beside the action is not asked for again."""
        beside = {"reason": request.POST.get("reason", "")}
        return form(request.POST if "apply" in request.POST else None, initial=beside)

    def _page_about(
        self, request: HttpRequest, form: forms.Form, person: User, *, action: str, **parts: Any
    ) -> TemplateResponse:
        hidden = [("action", action), ("apply", "yes"), (ACTION_CHECKBOX_NAME, str(person.pk))]
        return self.form_page(request, form, items=[str(person)], hidden=hidden, **parts)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if _is_superuser(request) else (*fields, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        edits_staff = obj is not None and belongs_to_staff(obj)
        if obj is not None and Erasure.objects.filter(user=obj).exists():
            return False
        return super().has_change_permission(request, obj) and (_is_superuser(request) or not edits_staff)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        before = User.objects.filter(pk=obj.pk).first()
        if before is not None and before.email != obj.email:
            obj.email_verified_at = None  # the old address was proved, not the new one
            link_revoke_all(user=obj)
        super().save_model(request, obj, form, change)
        if before is not None and before.is_active and not obj.is_active:
            session_end_all(user=obj, reason=SessionEnd.DISABLED)
            link_revoke_all(user=obj)

    def audited(self, pk: Any) -> dict[str, Any] | None:
        user = User.objects.filter(pk=pk).first()
        if user is None:
            return None
        return {
            **{name: getattr(user, name) for name in _AUDITED},
            "groups": sorted(user.groups.values_list("name", flat=True)),
            "user_permissions": _named(user.user_permissions.all()),
        }


admin.site.unregister(Group)


@admin.register(Group)
class StaffGroupAdmin(AuditedAdmin, GroupAdmin):
    """What a group may is changed by superusers alone. One is emptied, never deleted: people's history names it."""

    audited_as = "group"
    form = GroupForm

    def audited(self, pk: Any) -> dict[str, Any] | None:
        group = Group.objects.filter(pk=pk).first()
        return None if group is None else {"name": group.name, "permissions": _named(group.permissions.all())}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _named(permissions: QuerySet[Permission]) -> list[str]:
    rows = permissions.values_list("content_type__app_label", "codename")
    return sorted(f"{app}.{codename}" for app, codename in rows)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
