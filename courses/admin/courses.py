"""Departments and courses. State changes through actions that call the services."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from courses.admin.imports import ImportPage
from courses.admin.prices import PricesPage
from courses.enums import CourseStatus
from courses.errors import CourseNotFound, DepartmentNotFound
from courses.models import Course, Department
from courses.services.courses import CourseChanges, course_change, course_publish, course_withdraw
from courses.services.departments import DepartmentChanges, department_change, department_create, department_erase
from learning247.kit.admin import FormPages
from learning247.kit.errors import DomainError
from learning247.records.audit_history import AuditHistory
from learning247.records.reason_forms import ReasonedAdmin, ReasonedForm, ReasonForm

MOST_AT_ONCE = 500
ONLY_EMPTY_ONES = "A department that has courses stays."


class DepartmentForm(ReasonedForm):
    class Meta:
        model = Department
        fields = "__all__"


class CourseForm(ReasonedForm):
    class Meta:
        model = Course
        fields = "__all__"


@admin.register(Department)
class DepartmentAdmin(AuditHistory, FormPages, ReasonedAdmin):
    form = DepartmentForm
    actions = ("delete_selected",)
    list_display = ("name", "slug", "course_count")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DepartmentNotFound as gone:  # erased while the form was open
            self.message_user(request, gone.detail, messages.ERROR)
            return redirect("admin:courses_department_changelist")

    def save_model(self, request: HttpRequest, obj: Department, form: ModelForm, change: bool) -> None:
        """Only what the form has changed: the rest of `obj` may be older than the row."""
        assert isinstance(request.user, User)
        assert isinstance(form, DepartmentForm)
        if not change:
            department_create(department=obj, staff=request.user, reason=form.cleaned_data["reason"])
        elif form.changes():
            department_change(
                department_id=obj.pk,
                changes=cast(DepartmentChanges, form.changes()),
                staff=request.user,
                reason=form.cleaned_data["reason"],
            )

    @admin.action(description="Delete", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, departments: QuerySet[Department]) -> HttpResponse | None:
        """In the place of Django's, which asks for no reason."""
        form = ReasonForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self.action_page(
                request, departments, form, action="delete_selected", title="Delete", intro=ONLY_EMPTY_ONES
            )
        for department in departments:
            self._erase(request, department, form.cleaned_data["reason"])
        return None

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's asks for no reason, and deletes within a transaction of its own."""
        department = self.get_object(request, unquote(object_id))
        if not self.has_delete_permission(request, department):
            raise PermissionDenied
        if department is None:
            raise Http404
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self.form_page(request, form, title=f"Delete {department}", button="Delete", intro=ONLY_EMPTY_ONES)
        self._erase(request, department, form.cleaned_data["reason"])
        return redirect("admin:courses_department_changelist")

    def _erase(self, request: HttpRequest, department: Department, reason: str) -> None:
        assert isinstance(request.user, User)
        try:
            department_erase(department_id=department.id, staff=request.user, reason=reason)
        except DomainError as refusal:
            self.message_user(request, f"{department}: {refusal.detail}", messages.ERROR)
        else:
            self.message_user(request, f"{department}: deleted.")


@admin.register(Course)
class CourseAdmin(AuditHistory, PricesPage, ImportPage, ReasonedAdmin):
    """Texts can be edited here. New platform courses come by import, creators' ones by the API."""

    form = CourseForm
    list_display = ("title", "department", "owner", "status", "prices", "updated_at")
    list_filter = ("status", "department", ("creator", admin.EmptyFieldListFilter))
    search_fields = ("title", "slug", "creator__email")
    list_select_related = ("department", "creator", "product")
    readonly_fields = ("slug", "creator", "product", "prices", "status", "created_at", "updated_at")
    actions = ("publish", "withdraw")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Course | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Course]:
        return super().get_queryset(request).prefetch_related("product__prices")

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A refusal is a message. It has left the transaction around the form by then: nothing of it is saved."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except CourseNotFound as gone:  # erased while the form was open
            self.message_user(request, gone.detail, messages.ERROR)
            return redirect("admin:courses_course_changelist")
        except DomainError as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return redirect(request.path)

    def save_model(self, request: HttpRequest, obj: Course, form: ModelForm, change: bool) -> None:
        """Only what the form has changed: the rest of `obj` may be older than the row."""
        assert isinstance(request.user, User)
        assert isinstance(form, CourseForm)
        changes = cast(CourseChanges, form.changes())
        if changes:
            course_change(course_id=obj.pk, changes=changes, staff=request.user, reason=form.cleaned_data["reason"])

    @admin.display(description="owner", ordering="creator__email")
    def owner(self, course: Course) -> str:
        return str(course.creator) if course.creator else "platform"

    @admin.action(description="Publish: put on sale", permissions=["change"])
    def publish(self, request: HttpRequest, courses: QuerySet[Course]) -> HttpResponse | None:
        return self._move(request, courses, course_publish, action="publish", done=CourseStatus.PUBLISHED.label)

    @admin.action(description="Withdraw: take off sale, owners keep it", permissions=["change"])
    def withdraw(self, request: HttpRequest, courses: QuerySet[Course]) -> HttpResponse | None:
        return self._move(request, courses, course_withdraw, action="withdraw", done=CourseStatus.WITHDRAWN.label)

    def _move(
        self, request: HttpRequest, courses: QuerySet[Course], move: Callable[..., Course], *, action: str, done: str
    ) -> HttpResponse | None:
        assert isinstance(request.user, User)
        if len(courses[: MOST_AT_ONCE + 1]) > MOST_AT_ONCE:
            self.message_user(request, f"Choose at most {MOST_AT_ONCE} at once.", messages.ERROR)
            return None
        form = ReasonForm(request.POST if "apply" in request.POST else None)
        if not form.is_valid():
            return self.action_page(request, courses, form, action=action, title=action.capitalize())
        moved = 0
        for course in courses:
            try:
                move(course_id=course.id, actor=request.user, reason=form.cleaned_data["reason"])
                moved += 1
            except DomainError as refusal:
                self.message_user(request, f"{course}: {refusal.detail}", messages.ERROR)
        if moved:
            self.message_user(request, f"{done}: {moved}.")
        return None
