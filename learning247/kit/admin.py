"""Admin pages to look at rows that nobody edits by hand: money, history, what providers sent."""

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.db import DataError
from django.db.models import Model
from django.http import HttpRequest


class ForgivingList(admin.ModelAdmin):
    """A list that takes a filter no row can match (a NUL, the year 0) as Django takes any bad one: back to `?e=1`."""

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Runs the list's query, which is where the database refuses a value that Django let through."""
        try:
            return super().get_changelist_instance(request)
        except (DataError, ValueError, OverflowError) as error:
            if request.GET.keys() <= {ERROR_FLAG}:
                raise  # no parameter is to blame
            raise IncorrectLookupParameters from error


class ReadOnlyAdmin(ForgivingList):
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
