"""What pages of the staff console have in common; and pages of rows that nobody edits by hand."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, ActionForm
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.core.exceptions import ValidationError
from django.db import DataError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse


class ForgivingAdmin(admin.ModelAdmin):
    """Takes what no list or form of its own sends (a NUL, the year 0, an id that is none) for a mistake."""

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Runs the list's query, which is where the database refuses a filter that Django let through: back to
        `?e=1`, where Django sends any bad one."""
        try:
            return super().get_changelist_instance(request)
        except (DataError, ValueError, OverflowError) as error:
            if request.GET.keys() <= {ERROR_FLAG}:
                raise  # no parameter is to blame
            raise IncorrectLookupParameters from error

    # The stubs are of a Django that gives it one argument more.
    def response_action(  # type: ignore[override]
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """Refuses, with a message, an action on rows that cannot be: their ids would fail in the database."""
        if all(map(self._may_be_an_id, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            return super().response_action(request, queryset)
        self.message_user(request, "Choose rows of this list. Nothing was changed.", messages.ERROR)
        return None

    def _may_be_an_id(self, text: str) -> bool:
        key = self.opts.pk
        try:
            key.run_validators(key.to_python(text))  # also: does it fit the column?
        except ValidationError:
            return False
        return "\0" not in text


class ReasonActionForm(ActionForm):
    """A field beside a list's actions, for those that go on record. Actions without one leave it alone."""

    reason = forms.CharField(
        required=False,
        max_length=500,
        label="Reason:",
        widget=forms.TextInput(attrs={"placeholder": "why, for the record, naming nobody", "size": 40}),
    )


class ReadOnlyAdmin(admin.ModelAdmin):
    """Lists and shows; adds, changes and deletes nothing. What may change, changes by actions that call services."""

    show_full_result_count = False  # a COUNT(*) over a history that grows without end

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(admin.TabularInline):
    """Rows of a parent, to look at. Name the columns in `fields` and again in `readonly_fields`."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
