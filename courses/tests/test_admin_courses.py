"""The console's forms for courses, when the course is not what the form was opened on any more."""

import threading
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.builders import build_admin, build_creator
from courses.enums import CourseStatus
from courses.locks import course_lock
from courses.models import Course
from courses.tests.builders import build_course
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
