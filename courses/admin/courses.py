"""Departments and courses. State changes through actions that call the services."""

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.db import models, transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from courses.admin.imports import ImportPage
from courses.admin.prices import PricesPage
from courses.enums import CourseStatus
from courses.errors import CourseNotFound, DepartmentNotFound
from courses.models import Course, Department
from courses.services.courses import CourseChanges, course_change, course_publish, course_withdraw
from courses.services.departments import DepartmentChanges, department_change, department_create, department_erase
from learning247.kit.errors import DomainError
from learning247.records.audit_history import AuditHistory


@admin.register(Department)
class DepartmentAdmin(AuditHistory):
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
        if not change:
            department_create(department=obj, staff=request.user)
        elif form.changed_data:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            department_change(department_id=obj.pk, changes=cast(DepartmentChanges, changes), staff=request.user)

    def delete_model(self, request: HttpRequest, obj: Department) -> None:
        assert isinstance(request.user, User)
        department_erase(department=obj, staff=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Department]) -> None:
        with transaction.atomic():
            for department in queryset.order_by("id"):
                self.delete_model(request, department)


@admin.register(Course)
class CourseAdmin(AuditHistory, PricesPage, ImportPage):
    """Texts can be edited here. New platform courses come by import, creators' ones by the API."""

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
        changes = {}
        for name in form.changed_data:
            value = form.cleaned_data[name]
            if isinstance(value, str):
                value = value.replace("\r\n", "\n")  # browsers send every line's end so, changed or not
            if value != form.initial[name]:
                changes[name] = value
        if changes:
            course_change(course_id=obj.pk, changes=cast(CourseChanges, changes), staff=request.user)

    @admin.display(description="owner", ordering="creator__email")
    def owner(self, course: Course) -> str:
        return str(course.creator) if course.creator else "platform"

    @admin.action(description="Publish: put on sale", permissions=["change"])
    def publish(self, request: HttpRequest, courses: QuerySet[Course]) -> None:
        self._each(request, courses, course_publish, done=CourseStatus.PUBLISHED.label)

    @admin.action(description="Withdraw: take off sale, owners keep it", permissions=["change"])
    def withdraw(self, request: HttpRequest, courses: QuerySet[Course]) -> None:
        self._each(request, courses, course_withdraw, done=CourseStatus.WITHDRAWN.label)

    def _each(self, request: HttpRequest, courses: QuerySet[Course], move: Callable[..., Course], *, done: str) -> None:
        assert isinstance(request.user, User)
        moved = 0
        for course in courses:
            try:
                move(course_id=course.id, actor=request.user)
                moved += 1
            except DomainError as refusal:
                self.message_user(request, f"{course}: {refusal.detail}", messages.ERROR)
        if moved:
            self.message_user(request, f"{done}: {moved}.")
