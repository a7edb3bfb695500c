"""What pages of the staff console have in common; and pages of rows that nobody edits by hand."""

from functools import partial
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.filters import SimpleListFilter
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, ActionForm
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import NotRelationField, get_fields_from_path
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.contrib.admin.widgets import url_params_from_lookup_dict
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import DataError
from django.db.models import Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

# What the filters of lists compare by, and the dates above them; whatever reads a part of a text is not among them.
_COMPARISONS: Final = frozenset({"exact", "in", "isnull", "isempty", "gte", "lt", "year", "month", "day"})

FORM_PAGE: Final = "admin/form_page.html"
# Of the rows that a page is about, so many are named.
SHOWN: Final = 20


class ForgivingAdmin(admin.ModelAdmin):
    """Takes what no list or form of its own sends (a NUL, the year 0, an id that is none) for a mistake.

    A list is filtered by its own filters alone. Django lets an address name any column of the table, so that whoever
    sees which rows match reads, letter by letter, columns that no page shows them: a mail's text, a course's link.
    """

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        offered = {self.date_hierarchy} if self.date_hierarchy else set()
        for one in self.list_filter if request is None else self.get_list_filter(request):
            if isinstance(one, type) and issubclass(one, SimpleListFilter):
                offered.add(one.parameter_name or "")
            else:
                offered.add(str(one[0] if isinstance(one, list | tuple) else one))
        return any(map(partial(self._compares, lookup), offered)) or self._chooses_related(lookup, value)

    def _compares(self, lookup: str, column: str) -> bool:
        """By the column itself or, of a related row, by its key."""
        if lookup == column:
            return True
        comparison = lookup.removeprefix(f"{column}{LOOKUP_SEP}")
        if comparison == lookup:
            return False
        try:
            related = get_fields_from_path(self.model, column)[-1].related_model
        except (FieldDoesNotExist, NotRelationField):
            related = None
        if isinstance(related, type):
            comparison = comparison.removeprefix(f"{related._meta.pk.name}{LOOKUP_SEP}")
        return comparison in _COMPARISONS

    def _chooses_related(self, lookup: str, value: Any) -> bool:
        """What a form's popup asks for, where its field limits what may be chosen."""
        limits = (limit() if callable(limit) else limit for limit in self.opts.related_fkey_lookups)
        return any((lookup, value) in url_params_from_lookup_dict(limit).items() for limit in limits)

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


class FormPages(admin.ModelAdmin):
    """Pages of one form each: what an action asks before it acts, or what a service needs."""

    def form_page(
        self, request: HttpRequest, form: forms.BaseForm, *, title: str, button: str, **parts: Any
    ) -> TemplateResponse:
        """`parts` are those that the template names."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
            "title": title,
            "button": button,
            **parts,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, FORM_PAGE, context)

    def action_page(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        form: forms.BaseForm,
        *,
        action: str,
        title: str,
        across: bool = False,
        **parts: Any,
    ) -> TemplateResponse:
        """Asks about the chosen rows and comes back to `action`, with `apply` in the form. `across`: where the whole
        list was chosen, it is chosen again then, however long it is."""
        count = rows.count()
        pks = rows.values_list("pk", flat=True)
        chosen: list[tuple[str, Any]]
        if across and request.POST.get("select_across") == "1":
            # One, because Django looks at no action without.
            chosen = [("select_across", "1"), *((ACTION_CHECKBOX_NAME, pk) for pk in pks[:1])]
        else:
            chosen = [(ACTION_CHECKBOX_NAME, pk) for pk in pks]
        return self.form_page(
            request,
            form,
            title=f"{title}: {count}",
            button=title,
            items=[str(row) for row in rows[:SHOWN]],
            more=max(0, count - SHOWN),
            hidden=[("action", action), ("apply", "yes"), *chosen],
            **parts,
        )


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
