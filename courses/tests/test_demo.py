"""The demo's people and courses, and the staff console that shows them."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from accounts.tests.builders import build_admin
from courses.admin import CourseAdmin
from courses.demo import PASSWORD
from courses.enums import CourseStatus
from courses.models import Course, Department
from courses.tests.builders import build_course, build_enrollment
from learning247.records.models import AuditEntry
from payments.models import Price, Product

pytestmark = pytest.mark.django_db


def load(*arguments: str) -> str:
    out = io.StringIO()
    call_command("load_demo", *arguments, stdout=out)
    return out.getvalue()


def test_it_loads_three_people_who_can_sign_in_and_a_whole_catalogue() -> None:
    load()

    assert [
        (user.email, user.is_staff, user.is_superuser, user.is_creator, user.email_verified)
        for user in User.objects.order_by("email")
    ] == [
        ("admin@demo.example.com", True, True, False, True),
        ("creator@demo.example.com", False, False, True, True),
        ("learner@demo.example.com", False, False, False, True),
    ]
    assert all(user.check_password(PASSWORD) for user in User.objects.all())
    assert Department.objects.exclude(description="").count() == Department.objects.count() == 30
    platform = Course.objects.filter(creator__isnull=True, status=CourseStatus.PUBLISHED)
    assert platform.count() == 1_081
    for column in ("title", "description", "curriculum", "link"):
        assert platform.exclude(**{column: ""}).values(column).distinct().count() == 1_081, "no two are alike"
    theirs = Course.objects.filter(creator__email="creator@demo.example.com", status=CourseStatus.PUBLISHED)
    assert theirs.count() == 3
    for course in theirs:
        assert [price.currency for price in course.product.prices.all()] == ["EUR", "GBP", "NGN", "USD"]
    free = Product.objects.filter(prices__amount_minor=0).distinct().get()
    assert free.title == "Learning Online: a Short Guide"


def test_loading_again_changes_nothing_also_not_what_was_edited() -> None:
    load()
    Course.objects.filter(title="Alcohol-Free Drinks Worth Ordering").update(description="Edited by hand.")
    before = (User.objects.count(), Course.objects.count(), Price.objects.count())

    assert load("--verbosity", "0") == ""

    assert (User.objects.count(), Course.objects.count(), Price.objects.count()) == before
    assert Course.objects.get(title="Alcohol-Free Drinks Worth Ordering").description == "Edited by hand."


def test_an_interrupted_run_is_finished_by_the_next() -> None:
    load()
    User.objects.filter(email="learner@demo.example.com").delete()
    before = Course.objects.count()

    load()

    assert User.objects.filter(email="learner@demo.example.com").exists()
    assert Course.objects.count() == before


def test_it_prints_the_sign_ins() -> None:
    assert [line.split() for line in load("--print").splitlines()] == [
        ["administrator", "admin@demo.example.com", PASSWORD],
        ["creator", "creator@demo.example.com", PASSWORD],
        ["learner", "learner@demo.example.com", PASSWORD],
    ]


def test_it_refuses_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ENV", "production")

    with pytest.raises(CommandError, match="does not run in production"):
        load()

    assert not User.objects.exists()
    assert not Course.objects.exists()


@pytest.fixture
def console(client: Client) -> Client:
    client.force_login(build_admin())
    return client


def test_the_console_lists_courses_departments_and_enrollments(console: Client) -> None:
    build_enrollment(build_course(title="Torts"))

    for page in ("course", "department", "enrollment"):
        response = console.get(f"/admin/courses/{page}/", {"q": "Torts"} if page != "department" else {})
        assert response.status_code == 200
    assert b"NGN 25000.00, USD 30.00" in console.get("/admin/courses/course/").content
    assert console.get("/admin/courses/course/add/").status_code == 403


def test_staff_publish_and_withdraw_by_actions_that_are_audited(console: Client) -> None:
    draft, shown = build_course(status=CourseStatus.DRAFT), build_course()

    def act(action: str, *courses: Course) -> str:
        selected = [str(course.id) for course in courses]
        data = {"action": action, "_selected_action": selected, "apply": "yes", "reason": "Letter 12"}
        return console.post("/admin/courses/course/", data, follow=True).content.decode()

    assert "was never on sale" in act("withdraw", draft, shown)
    draft.refresh_from_db()
    shown.refresh_from_db()
    assert (draft.status, shown.status) == ("draft", "withdrawn")
    act("publish", draft)
    draft.refresh_from_db()
    assert draft.status == "published"
    assert Product.objects.get(id=draft.product_id).active
    last = AuditEntry.objects.order_by("-id")[0]
    assert last.actor is not None
    assert (last.action, last.subject_id, last.actor.is_staff) == ("course.published", str(draft.id), True)
    assert last.reason == "Letter 12"


def test_a_title_edited_in_the_console_is_the_products_title_too(console: Client) -> None:
    course = build_course(title="Torts")
    form = {
        "title": "Delicts",
        "department": str(course.department_id),
        "description": "",
        "curriculum": "",
        "duration": "",
        "link": course.link,
        "image_url": "",
        "status": "draft",
        "reason": "Letter 12",
    }

    response = console.post(f"/admin/courses/course/{course.id}/change/", form)

    assert response.status_code == 302
    course.refresh_from_db()
    assert (course.title, course.product.title, course.status) == ("Delicts", "Delicts", "published")
    entry = AuditEntry.objects.get(action="course.changed")
    assert (entry.subject_id, entry.before, entry.after) == (str(course.id), {"title": "Torts"}, {"title": "Delicts"})


def test_an_edit_in_the_console_leaves_what_others_changed_meanwhile(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = build_course(title="Torts", curriculum="Old.\nTwo lines.")
    form = {
        "title": "Delicts",
        "department": str(course.department_id),
        "description": "",
        "curriculum": "Old.\r\nTwo lines.",
        "duration": "",
        "link": course.link,
        "image_url": "",
        "reason": "Letter 12",
    }
    save = CourseAdmin.save_model

    def save_late(*arguments: Any) -> None:
        Course.objects.update(status=CourseStatus.WITHDRAWN, curriculum="New.")
        save(*arguments)

    monkeypatch.setattr(CourseAdmin, "save_model", save_late)
    response = console.post(f"/admin/courses/course/{course.id}/change/", form)

    assert response.status_code == 302
    course.refresh_from_db()
    assert (course.title, course.status, course.curriculum) == ("Delicts", "withdrawn", "New.")
