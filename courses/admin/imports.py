"""The console's page that brings an operator's catalogue in: `manage.py import_courses` for staff without a shell."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import FileExtensionValidator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from accounts.models import User
from courses.services.catalogue import ImportReport, catalogue_import
from courses.workbooks import Limits
from learning247.records.errors import ReasonRequired
from learning247.records.reason_forms import ReasonField

PAGE: Final = "admin/courses/import.html"
# An upload occupies a web thread; what is larger is a matter for the command.
UPLOAD_LIMITS: Final = Limits(
    file_bytes=10 * 2**20,
    unpacked_bytes=128 * 2**20,
    parsed_bytes=32 * 2**20,
    parsed_elements=200_000,
    sheet_elements=1_000_000,
)
SHOWN: Final = 500
_RIGHTS: Final = ("courses.add_course", "courses.change_course")


class CatalogueUploadForm(forms.Form):
    file = forms.FileField(
        validators=[
            FileExtensionValidator(["xlsx", "xlsm", "csv", "tsv", "xls"])
        ],  # what is wrong with an .xls its reader says
        help_text=(
            "A workbook with one sheet per department, or a .csv whose name is the department's or that has a column"
            " Department; 10 MB at most. Headers: Course Name, Course Link, Course Content, Course Curriculum, Course"
            " Duration."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xlsm,.csv,.tsv"}),
    )
    dry_run = forms.BooleanField(
        required=False, initial=True, label="Only try it", help_text="Says what would happen, and changes nothing."
    )

    reason = ReasonField(required=False, help_text="For the record, naming nobody. To only try it takes none.")

    def clean_file(self) -> UploadedFile:
        """Before anything of it is read."""
        file: UploadedFile = self.cleaned_data["file"]
        if file.size is None or file.size > UPLOAD_LIMITS.file_bytes:
            raise ValidationError("10 MB is the most here. Split the file, or have it imported on the server.")
        return file

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if not values.get("dry_run") and not values.get("reason"):
            self.add_error("reason", ReasonRequired.detail)
        return values

    def bring_in(self, *, actor: User) -> ImportReport:
        """Import what a valid form holds."""
        upload: UploadedFile = self.cleaned_data["file"]
        with TemporaryDirectory(prefix="catalogue-") as directory:
            # Under its own name, which may be the department's.
            file = Path(directory) / Path(str(upload.name)).name
            with file.open("wb") as content:
                content.writelines(upload.chunks())
            return catalogue_import(
                path=file,
                dry_run=self.cleaned_data["dry_run"],
                actor=actor,
                reason=self.cleaned_data["reason"],
                limits=UPLOAD_LIMITS,
            )


class ImportPage(admin.ModelAdmin):
    """Adds the page and the button that leads to it to the admin of courses."""

    change_list_template = "admin/courses/course_list.html"

    def get_urls(self) -> list[URLPattern]:
        page = path("import/", self.admin_site.admin_view(self.import_view), name="courses_course_import")
        return [page, *super().get_urls()]

    def has_import_permission(self, request: HttpRequest) -> bool:
        """An import makes courses and changes them."""
        assert isinstance(request.user, User)
        return request.user.has_perms(_RIGHTS)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = {"has_import_permission": self.has_import_permission(request)}
        return super().changelist_view(request, {**(extra_context or {}), **may})

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """GET shows the form; POST imports and shows the report above it."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        assert isinstance(request.user, User)
        form, report = CatalogueUploadForm(), None
        if request.method == "POST":
            form = CatalogueUploadForm(request.POST, request.FILES)
            if form.is_valid():
                report = form.bring_in(actor=request.user)
        return TemplateResponse(request, PAGE, self._context(request, form, report))

    def _context(self, request: HttpRequest, form: CatalogueUploadForm, report: ImportReport | None) -> dict[str, Any]:
        lines: Sequence[Any] = ()
        more = 0
        if report is not None:
            every = report.lines()
            lines = list(islice(every, SHOWN))
            more = sum(1 for _ in every)
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Import courses",
            "media": self.media + form.media,
            "form": form,
            "report": report,
            "lines": lines,
            "more": more,
        }
