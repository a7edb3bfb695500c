"""The console's forms for courses, when the course is not what the form was opened on any more."""

import threading
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.builders import build_admin, build_creator, build_user
from courses.enums import CourseStatus
from courses.locks import course_lock
from courses.models import Course, Department
from courses.tests.builders import build_course, build_department
from learning247.records.models import AuditEntry
from learning247.tests.waiting import until_somebody_waits
from payments.models import Product

LINK = "https://classroom.example.com/room"


def form(course: Course, **changed: str) -> dict[str, str]:
    """What a browser sends when somebody presses Save."""
    fields = {
        "title": course.title,
        "department": str(course.department_id),
        "description": course.description,
        "curriculum": course.curriculum,
        "duration": course.duration,
        "link": course.link,
        "image_url": course.image_url,
    }
    return fields | changed


def address(course: Course) -> str:
    return reverse("admin:courses_course_change", args=[course.pk])


def messages(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


@pytest.fixture
def staff(db: None) -> User:
    return build_admin()


@pytest.fixture
def console(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


def test_a_form_saves_what_it_changed(console: Client, staff: User) -> None:
    course = build_course(title="Torts")

    answer = console.post(address(course), form(course, title="Delicts"), follow=True)

    assert answer.status_code == 200
    course.refresh_from_db()
    assert (course.title, course.link, Product.objects.get(kind="course").title) == ("Delicts", LINK, "Delicts")
    audit = AuditEntry.objects.get(action="course.changed")
    assert (audit.actor, audit.before, audit.after) == (staff, {"title": "Torts"}, {"title": "Delicts"})


def test_a_course_on_sale_keeps_its_link_and_the_form_says_so(console: Client) -> None:
    course = build_course(title="Torts")

    answer = console.post(address(course), form(course, title="Delicts", link=""), follow=True)

    assert answer.status_code == 200
    assert messages(answer) == ["Who bought this course opens it by its link. Give it another instead."]
    course.refresh_from_db()
    assert (course.title, course.link, Product.objects.get(kind="course").title) == ("Torts", LINK, "Torts")
    assert not AuditEntry.objects.filter(action="course.changed").exists()


def test_a_draft_without_a_link_is_not_put_on_sale_by_the_console(console: Client) -> None:
    course = build_course(title="Torts", creator=build_creator(), link="", status=CourseStatus.DRAFT)

    answer = console.post(
        reverse("admin:courses_course_changelist"),
        {"action": "publish", "_selected_action": [str(course.pk)]},
        follow=True,
    )

    assert messages(answer) == ["Torts: Give the course its link first: without one, buyers get nothing."]
    course.refresh_from_db()
    assert course.status == "draft"


@pytest.mark.race
def test_a_form_saved_while_the_course_is_erased_is_a_message(committed_db: str) -> None:
    course = build_course(title="Torts", creator=build_creator())
    console = Client()
    console.force_login(build_admin())
    answers: list[Any] = []

    def save() -> None:
        try:
            answers.append(console.post(address(course), form(course, title="Delicts"), follow=True))
        finally:
            connection.close()

    with transaction.atomic():
        held = course_lock(course.pk)
        assert held is not None
        saving = threading.Thread(target=save)
        saving.start()
        until_somebody_waits()
        held.delete()
        held.product.delete()
    saving.join()

    (answer,) = answers
    assert answer.status_code == 200
    assert answer.redirect_chain == [(reverse("admin:courses_course_changelist"), 302)]
    assert messages(answer) == ["There is no such course."]
    assert not Course.objects.exists()
    assert not AuditEntry.objects.filter(action="course.changed").exists()


# --- Departments


def department_form(**fields: str) -> dict[str, str]:
    return {"name": "Law", "slug": "law", "description": "Of the land."} | fields


def recorded(action: str) -> AuditEntry:
    return AuditEntry.objects.get(action=f"department.{action}", subject_kind="department")


def test_a_department_that_staff_made_is_on_record(console: Client, staff: User) -> None:
    assert console.post(reverse("admin:courses_department_add"), department_form()).status_code == 302

    department = Department.objects.get()
    entry = recorded("created")
    assert (entry.actor, entry.subject_id, entry.before) == (staff, str(department.id), None)
    assert entry.after == {"name": "Law", "slug": "law", "description": "Of the land."}


def test_a_department_that_staff_changed_is_on_record_with_what_it_was(console: Client, staff: User) -> None:
    department = build_department("Law", description="Of the land.")
    page = reverse("admin:courses_department_change", args=[department.id])

    assert console.post(page, department_form(name="Laws")).status_code == 302
    assert console.post(page, department_form(name="Laws")).status_code == 302  # nothing new

    department.refresh_from_db()
    assert (department.name, department.slug, department.description) == ("Laws", "law", "Of the land.")
    entry = recorded("changed")
    assert (entry.actor, entry.before, entry.after) == (staff, {"name": "Law"}, {"name": "Laws"})


@pytest.mark.parametrize("by_action", [False, True])
def test_an_empty_department_that_staff_removed_is_on_record(console: Client, staff: User, by_action: bool) -> None:
    department = build_department("Law", description="Of the land.")
    if by_action:
        page = reverse("admin:courses_department_changelist")
        form = {"action": "delete_selected", "_selected_action": str(department.id), "post": "yes"}
    else:
        page, form = reverse("admin:courses_department_delete", args=[department.id]), {"post": "yes"}

    assert console.post(page, form).status_code == 302

    assert not Department.objects.exists()
    entry = recorded("erased")
    assert (entry.actor, entry.subject_id) == (staff, str(department.id))
    assert entry.before == {"name": "Law", "slug": "law", "description": "Of the land."}


def test_a_department_with_courses_stays(console: Client) -> None:
    course = build_course()

    console.post(reverse("admin:courses_department_delete", args=[course.department_id]), {"post": "yes"})

    assert Department.objects.get() == course.department
    assert not AuditEntry.objects.filter(action="department.erased").exists()


def test_who_may_not_change_a_department_leaves_nothing_on_record(client: Client, db: None) -> None:
    department = build_department("Law")
    reader = build_user(verified=True, is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_department"))
    client.force_login(reader)

    assert client.post(reverse("admin:courses_department_add"), department_form()).status_code == 403
    page = reverse("admin:courses_department_change", args=[department.id])
    assert client.post(page, department_form(name="Laws")).status_code == 403

    assert Department.objects.get().name == "Law"
    assert not AuditEntry.objects.exists()
