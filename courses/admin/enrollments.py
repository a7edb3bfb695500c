"""Enrollments, as staff serve them: marked as sent, revoked, exported, and given by hand."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.models import User
from courses.enums import AccessType, CourseOwner, CourseStatus, EnrollmentState
from courses.models import Course, Enrollment
from courses.selectors.enrollments import (
    EnrollmentFilters,
    account_choose,
    enrollment_history,
    enrollment_list,
    enrollment_search,
    expiring_within,
    in_state,
    owned_by,
)
from courses.services.enrollment_exports import enrollments_export
from courses.services.enrollments import (
    MOST_MARKED_AT_ONCE,
    enrollment_grant,
    enrollment_mark_many,
    enrollment_revoke,
)
from learning247.kit.admin import FormPages, ReadOnlyAdmin
from learning247.kit.errors import DomainError
from learning247.kit.lengths import longest
from learning247.records.audit_history import AuditHistory
from learning247.records.reason_forms import ReasonField, ReasonForm
from payments.models import Entitlement

EACH_IS_MAILED = "Each student gets a mail, once."


class StateFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in EnrollmentState.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Enrollment]) -> QuerySet[Enrollment]:
        value = self.value()
        return queryset.filter(in_state(value)) if value in EnrollmentState.values else queryset


class OwnerFilter(admin.SimpleListFilter):
    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in CourseOwner.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Enrollment]) -> QuerySet[Enrollment]:
        value = self.value()
        return queryset.filter(owned_by(value)) if value in CourseOwner.values else queryset


class ExpiringFilter(admin.SimpleListFilter):
    title = "expiring"
    parameter_name = "expiring"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("7", "Within 7 days"), ("30", "Within 30 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Enrollment]) -> QuerySet[Enrollment]:
        value = self.value()
        return queryset.filter(expiring_within(int(value))) if value in ("7", "30") else queryset


class MarkForm(forms.Form):
    notes = forms.CharField(
        required=False,
        max_length=longest(Enrollment, "notes"),
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        help_text="Replace what stands there now, but not where it was sent already; left empty, it stays. Students do"
        " not see them.",
    )


def _reason_field() -> ReasonField:
    return ReasonField(
        max_length=longest(Entitlement, "revoked_reason"), help_text="For the record; the student is not told."
    )


class RevokeForm(forms.Form):
    reason = _reason_field()


class CourseSelect(AutocompleteSelect):
    """Shows a refused form again also when what was sent is no id at all; Django's own asks the database for it."""

    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        return super().optgroups(name, [text for text in value if _is_id(text)], attr)


class EnrolForm(forms.Form):
    """A person by the email of their account; in one course, or by a pass."""

    email = forms.EmailField(
        max_length=longest(User, "email"),
        help_text="Of the person's account.",
        widget=forms.EmailInput(attrs={"class": "vTextField"}),
    )
    access_type = forms.ChoiceField(choices=AccessType.choices)
    course = forms.ModelChoiceField(
        Course.objects.exclude(status=CourseStatus.DRAFT).select_related("product"),
        required=False,
        widget=CourseSelect(Enrollment._meta.get_field("course"), admin.site),
        help_text="Left empty for a pass, which opens every platform course on sale.",
    )
    student_name = forms.CharField(
        max_length=longest(Enrollment, "student_name"),
        required=False,
        help_text="Who takes the course, where that is not the account's owner.",
    )
    student_email = forms.EmailField(max_length=longest(Enrollment, "student_email"), required=False)
    student_phone = forms.CharField(max_length=longest(Enrollment, "student_phone"), required=False)
    notes = forms.CharField(
        required=False,
        max_length=longest(Enrollment, "notes"),
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
    )
    reason = _reason_field()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if "course" in values and "access_type" in values:
            if values["access_type"] == AccessType.INDIVIDUAL and values["course"] is None:
                self.add_error("course", "Choose the course.")
            elif values["access_type"] != AccessType.INDIVIDUAL and values["course"] is not None:
                self.add_error("course", "A pass opens every platform course: choose none.")
        return values


def _time(name: str, *, never: str = "-") -> Callable[[Any, Enrollment], str]:
    """A column of a time in UTC, written as the mails write it."""

    @admin.display(description=name.replace("_", " "), ordering=name)
    def shown(_: Any, enrollment: Enrollment) -> str:
        moment = getattr(enrollment, name)
        return f"{moment:%-d %B %Y, %H:%M} UTC" if moment else never

    return shown


@admin.register(Enrollment)
class EnrollmentAdmin(AuditHistory, FormPages, ReadOnlyAdmin):
    """No field is edited here: what staff do goes through actions and pages that call the services."""

    list_display = (
        "student_name",
        "student_email",
        "what",
        "whose",
        "state",
        "made",
        "ends",
    )
    list_filter = (StateFilter, OwnerFilter, ExpiringFilter, "access_type", "course__department")
    search_fields = ("student_name",)  # shows the box; `get_search_results` does the search
    search_help_text = "Student's name or email, course title, or the start of a payment reference"
    list_per_page = 50
    date_hierarchy = "created_at"
    actions = ("mark_sent", "revoke", "export")
    fieldsets = (
        (None, {"fields": ("state", "course", "access_type", "begins", "ends", "made")}),
        ("Student", {"fields": ("student_name", "student_email", "student_phone", "user")}),
        (
            "Service",
            {"fields": ("sent", "credentials_sent_by", "mailed", "notes", "changed")},
        ),
        ("Right", {"fields": ("paid_by", "entitlement", "revoked_at", "revoked_by", "revoked_because")}),
    )

    begins = _time("starts_at")
    ends = _time("expires_at", never="for good")
    made = _time("created_at")
    sent = _time("credentials_sent_at")
    mailed = _time("credentials_mailed_at")
    changed = _time("updated_at")

    def get_urls(self) -> list[URLPattern]:
        pages = [
            path(
                f"<uuid:enrollment_id>/{action.replace('_', '-')}/",
                self.admin_site.admin_view(self.act_view),
                {"action": action},
                name=f"courses_enrollment_{action}",
            )
            for action in ("mark_sent", "revoke")
        ]
        return [*pages, *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Enrollment | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return [*fieldsets, ("To do", {"fields": ("to_do",)})] if self.has_serve_permission(request) else fieldsets

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrollment]:
        return enrollment_list(EnrollmentFilters()).select_related("entitlement")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Enrollment], search_term: str
    ) -> tuple[QuerySet[Enrollment], bool]:
        text = search_term.strip()
        return (enrollment_search(queryset, text) if text else queryset), False

    def has_serve_permission(self, request: HttpRequest) -> bool:
        """What every action that writes needs; `has_change_permission` would open the fields themselves."""
        return bool(getattr(request.user, "has_perm", lambda _: False)("courses.change_enrollment"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_serve_permission(request)

    @admin.display(description="course or pass", ordering="course__title")
    def what(self, enrollment: Enrollment) -> str:
        return str(enrollment.course or enrollment.get_access_type_display())

    @admin.display(description="owner", ordering="course__creator__email")
    def whose(self, enrollment: Enrollment) -> str:
        return str(enrollment.owner.label)

    @admin.display(description="status")
    def state(self, enrollment: Any) -> str:
        return str(EnrollmentState(enrollment.state).label)

    @admin.display(description="payment")
    def paid_by(self, enrollment: Enrollment) -> str:
        return str(enrollment.payment or "none: granted by staff")

    @admin.display(description="this enrollment")
    def to_do(self, enrollment: Enrollment) -> str:
        pages = [reverse(f"admin:courses_enrollment_{act}", args=[enrollment.pk]) for act in ("mark_sent", "revoke")]
        return format_html('<a href="{}">Mark as sent</a> &nbsp; <a href="{}">Revoke</a>', *pages)

    @admin.display(description="revoked at")
    def revoked_at(self, enrollment: Enrollment) -> str:
        moment = enrollment.entitlement.revoked_at
        return f"{moment:%-d %B %Y, %H:%M} UTC" if moment else self.get_empty_value_display()

    @admin.display(description="revoked by")
    def revoked_by(self, enrollment: Enrollment) -> str:
        ends = [entry for entry in enrollment_history(enrollment) if entry.action == "enrollment.revoked"]
        return str(ends[0].actor or "the platform") if ends else self.get_empty_value_display()

    @admin.display(description="revoked because")
    def revoked_because(self, enrollment: Enrollment) -> str:
        return enrollment.entitlement.revoked_reason or self.get_empty_value_display()

    @admin.action(description="Mark as sent: the sign-in went out", permissions=["serve"])
    def mark_sent(self, request: HttpRequest, enrollments: QuerySet[Enrollment]) -> HttpResponse | None:
        ids = self._chosen(request, enrollments)
        if ids is None:
            return None
        form = MarkForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self.action_page(
                request, enrollments, form, action="mark_sent", title="Mark as sent", intro=EACH_IS_MAILED
            )
        results = enrollment_mark_many(
            enrollment_ids=ids, notes=form.cleaned_data["notes"] or None, actor=_staff(request)
        )
        outcomes = [result.outcome for result in results]
        self.message_user(
            request,
            f"Marked as sent: {outcomes.count('sent')}. Were so already: {outcomes.count('already_sent')}.",
        )
        names = {row.id: str(row) for row in enrollments}
        for result in results:
            if result.detail:
                self.message_user(request, f"{names.get(result.id, result.id)}: {result.detail}", messages.ERROR)
        return None

    @admin.action(description="Revoke: take access back", permissions=["serve"])
    def revoke(self, request: HttpRequest, enrollments: QuerySet[Enrollment]) -> HttpResponse | None:
        ids = self._chosen(request, enrollments)
        if ids is None:
            return None
        form = RevokeForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self.action_page(request, enrollments, form, action="revoke", title="Revoke", intro=EACH_IS_MAILED)
        for enrollment_id in ids:
            enrollment_revoke(enrollment_id=enrollment_id, reason=form.cleaned_data["reason"], actor=_staff(request))
        self.message_user(request, f"Revoked: {len(ids)}.")
        return None

    @admin.action(description="Export as CSV", permissions=["view"])
    def export(self, request: HttpRequest, enrollments: QuerySet[Enrollment]) -> HttpResponse | StreamingHttpResponse:
        form = ReasonForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self.action_page(
                request,
                enrollments,
                form,
                action="export",
                title="Export as CSV",
                across=True,
                intro="The file holds names, addresses and telephone numbers. The list stays open while it comes.",
            )
        chosen = enrollment_list(EnrollmentFilters()).filter(id__in=enrollments.order_by().values("id"))
        filters = {"console": request.GET.urlencode()}
        return StreamingHttpResponse(
            enrollments_export(rows=chosen, filters=filters, actor=_staff(request), reason=form.cleaned_data["reason"]),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="enrollments.csv"', "Cache-Control": "no-store"},
        )

    def act_view(self, request: HttpRequest, enrollment_id: UUID, action: str) -> HttpResponse:
        """An action for this one enrollment, from its own page."""
        if not self.has_serve_permission(request):
            raise PermissionDenied
        this = self.get_queryset(request).filter(pk=enrollment_id)
        if not this.exists():
            raise Http404
        act = {"mark_sent": self.mark_sent, "revoke": self.revoke}[action]
        page: HttpResponse | None = act(request, this)
        return page or HttpResponseRedirect(reverse("admin:courses_enrollment_change", args=[enrollment_id]))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Enrol a student by hand. Not the parent's page, which saves within a transaction of its own."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = EnrolForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            values = form.cleaned_data
            try:
                granted = enrollment_grant(
                    user=account_choose(values["email"]),
                    course=values["course"],
                    access_type=values["access_type"],
                    student={name: values[f"student_{name}"] for name in ("name", "email", "phone")},
                    notes=values["notes"],
                    reason=values["reason"],
                    actor=_staff(request),
                )
            except DomainError as refusal:
                form.add_error(refusal.attr if refusal.attr in form.fields else None, refusal.detail)
            else:
                self.message_user(request, f"Enrolled: {granted}.")
                return HttpResponseRedirect(reverse("admin:courses_enrollment_change", args=[granted.id]))
        return self.form_page(
            request, form, title="Enrol a student", button="Enrol", intro="Without a payment; the student gets a mail."
        )

    def _chosen(self, request: HttpRequest, enrollments: QuerySet[Enrollment]) -> list[UUID] | None:
        """Their ids; None, with a message, when they are too many for one transaction."""
        ids = list(enrollments.values_list("id", flat=True)[: MOST_MARKED_AT_ONCE + 1])
        if len(ids) > MOST_MARKED_AT_ONCE:
            self.message_user(request, f"Choose at most {MOST_MARKED_AT_ONCE} at once.", messages.ERROR)
            return None
        return ids


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _staff(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
