"""What is on record about a row: where the console's History button leads."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from learning247.records.models import AuditEntry

SHOWN = 200


class AuditHistory(admin.ModelAdmin):
    """Django's own page knows forms alone, and most of what happens here goes through services."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        entries = AuditEntry.objects.filter(subject_kind=self.opts.model_name, subject_id=str(row.pk))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "object": row,
            "title": f"On record: {row}",
            "entries": entries.select_related("actor").order_by("-id")[:SHOWN],
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/history.html", context)
