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
from courses.services.courses import course_withdraw
from courses.tests.builders import build_course, build_department
from learning247.records.errors import ReasonRequired
from learning247.records.models import AuditEntry
from learning247.tests.waiting import until_somebody_waits
from payments.models import Product

LINK = "https://classroom.example.com/room"
REASON = "Asked for by the faculty"


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
        "reason": REASON,
    }
    return fields | changed


LIST = reverse("admin:courses_course_changelist")
WHY = ReasonRequired.detail


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
    assert (audit.actor, audit.reason) == (staff, REASON)
    assert (audit.before, audit.after) == ({"title": "Torts"}, {"title": "Delicts"})


@pytest.mark.parametrize("reason", ["", "   "])
def test_without_a_reason_a_form_saves_nothing(console: Client, reason: str) -> None:
    course = build_course(title="Torts")

    answer: Any = console.post(address(course), form(course, title="Delicts", reason=reason))

    assert answer.context["adminform"].form.errors == {"reason": [WHY]}
    course.refresh_from_db()
    assert course.title == "Torts"
    assert not AuditEntry.objects.filter(action="course.changed").exists()


def test_lines_that_only_end_otherwise_are_no_change_and_need_no_reason(console: Client) -> None:
    course = build_course(description="One.\nTwo.")

    assert console.post(address(course), form(course, description="One.\r\nTwo.", reason="")).status_code == 302

    assert not AuditEntry.objects.filter(action="course.changed").exists()


@pytest.mark.parametrize(
    ("action", "before", "after"), [("publish", "withdrawn", "published"), ("withdraw", "published", "withdrawn")]
)
def test_a_course_goes_on_and_off_sale_with_a_reason(
    console: Client, staff: User, action: str, before: str, after: str
) -> None:
    course = build_course(title="Torts", status=CourseStatus(before))
    chosen = {"action": action, "_selected_action": [str(course.pk)]}

    asked: Any = console.post(LIST, chosen)
    refused: Any = console.post(LIST, chosen | {"apply": "yes", "reason": " "})

    assert (asked.context["items"], asked.context["form"].errors) == (["Torts"], {})
    assert refused.context["form"].errors == {"reason": [WHY]}
    course.refresh_from_db()
    assert course.status == before
    assert not AuditEntry.objects.filter(action=f"course.{after}", actor=staff).exists()

    console.post(LIST, chosen | {"apply": "yes", "reason": REASON})

    course.refresh_from_db()
    assert course.status == after
    entry = AuditEntry.objects.filter(action=f"course.{after}").latest("id")
    assert (entry.actor, entry.reason, entry.before, entry.after) == (
        staff,
        REASON,
        {"status": before},
        {"status": after},
    )


def test_a_creator_moves_their_own_without_a_reason_and_staff_never(staff: User) -> None:
    creator = build_creator()
    course = build_course(creator=creator)

    with pytest.raises(ReasonRequired):
        course_withdraw(course_id=course.pk, actor=staff)
    course.refresh_from_db()
    assert course.status == "published"

    course_withdraw(course_id=course.pk, actor=creator)
    course.refresh_from_db()
    assert course.status == "withdrawn"


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
        LIST,
        {"action": "publish", "_selected_action": [str(course.pk)], "apply": "yes", "reason": REASON},
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
    return {"name": "Law", "slug": "law", "description": "Of the land.", "reason": REASON} | fields


def recorded(action: str) -> AuditEntry:
    return AuditEntry.objects.get(action=f"department.{action}", subject_kind="department")


def test_a_department_that_staff_made_is_on_record(console: Client, staff: User) -> None:
    assert console.post(reverse("admin:courses_department_add"), department_form()).status_code == 302

    department = Department.objects.get()
    entry = recorded("created")
    assert (entry.actor, entry.subject_id, entry.before) == (staff, str(department.id), None)
    assert entry.reason == REASON
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
    assert entry.reason == REASON


@pytest.mark.parametrize("by_action", [False, True])
def test_an_empty_department_that_staff_removed_is_on_record(console: Client, staff: User, by_action: bool) -> None:
    department = build_department("Law", description="Of the land.")
    if by_action:
        page = reverse("admin:courses_department_changelist")
        form = {"action": "delete_selected", "_selected_action": str(department.id), "apply": "yes"}
    else:
        page, form = reverse("admin:courses_department_delete", args=[department.id]), {}

    refused: Any = console.post(page, form)
    assert refused.context["form"].errors == {"reason": [WHY]}
    assert Department.objects.get() == department

    assert console.post(page, form | {"reason": REASON}).status_code == 302

    assert not Department.objects.exists()
    entry = recorded("erased")
    assert (entry.actor, entry.subject_id, entry.reason) == (staff, str(department.id), REASON)
    assert entry.before == {"name": "Law", "slug": "law", "description": "Of the land."}


def test_a_department_with_courses_stays(console: Client) -> None:
    course = build_course()

    page = reverse("admin:courses_department_delete", args=[course.department_id])
    answer = console.post(page, {"reason": REASON}, follow=True)

    assert messages(answer) == [
        f"{course.department}: There are courses in this department. Move them to another one first."
    ]
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
