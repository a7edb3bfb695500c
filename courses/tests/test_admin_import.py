"""The console's import page: who may use it, what it shows, what it leaves alone."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.builders import build_admin, build_user
from courses.models import Course, Department
from learning247.records.models import AuditEntry

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:courses_course_import")
LIST = reverse("admin:courses_course_changelist")
REASON = "This year's catalogue"
GOOD = b"Course Name,Course Link\nTorts,https://classroom.example.com/t\n<script>,\n"


def staff_with(*rights: str) -> User:
    staff = build_user(verified=True, is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=rights, content_type__app_label="courses"))
    return staff


def upload(client: Client, content: bytes = GOOD, name: str = "Law.csv", **fields: str) -> Any:
    return client.post(PAGE, {"file": SimpleUploadedFile(name, content), "reason": REASON, **fields})


def test_staff_import_a_file_and_read_what_became_of_each_row(client: Client) -> None:
    staff = staff_with("add_course", "change_course")
    client.force_login(staff)
    assert f'href="{PAGE}"' in client.get(LIST).content.decode()
    assert client.get(PAGE).status_code == 200

    page = upload(client).content.decode()

    course = Course.objects.get()
    assert (course.title, course.department.name, course.status) == ("Torts", "Law", "published")
    assert (
        "1 row came in: 1 course created, 0 updated, 0 unchanged, 0 rows repeated a name. 1 row was reported."
    ) in page
    assert "<td>Law.csv</td><td>3</td><td>&lt;script&gt;</td><td>reported</td><td>no course link</td>" in page
    entry = AuditEntry.objects.get(action="catalogue.imported")
    assert (entry.actor, entry.subject_id, entry.after) == (
        staff,
        str(course.department_id),
        {"sheet": "Law.csv", "courses": 1, "created": 1, "updated": 0},
    )
    assert (entry.reason, entry.before) == (REASON, {"courses": 0})


def test_without_a_reason_nothing_comes_in(client: Client) -> None:
    client.force_login(build_admin())

    page = upload(client, reason=" ").content.decode()

    assert "Say why: it goes on record with your name." in page
    assert not Course.objects.exists()


def test_each_course_that_an_import_changes_is_on_record_from_what_to_what(client: Client) -> None:
    staff = build_admin()
    client.force_login(staff)
    upload(client)

    upload(client, GOOD.replace(b"example.com/t", b"example.com/new"))

    (entry,) = AuditEntry.objects.filter(action="course.changed")
    assert (entry.actor, entry.reason, entry.subject_id) == (staff, REASON, str(Course.objects.get().id))
    assert entry.before == {"link": "https://classroom.example.com/t"}
    assert entry.after == {"link": "https://classroom.example.com/new"}


def test_a_trial_shows_the_same_and_changes_nothing(client: Client) -> None:
    client.force_login(build_admin())

    page = upload(client, dry_run="on", reason="").content.decode()

    assert "Law (new department)" in page
    assert "Dry run, nothing was changed: 1 row came in: 1 course created" in page
    assert not Course.objects.exists()
    assert not Department.objects.exists()
    assert not AuditEntry.objects.filter(action="catalogue.imported").exists()


@pytest.mark.parametrize("rights", [(), ("view_course",), ("add_course",), ("change_course",)])
def test_who_may_not_both_add_and_change_courses_cannot_import(client: Client, rights: tuple[str, ...]) -> None:
    client.force_login(staff_with(*rights))

    assert client.get(PAGE).status_code == 403
    assert upload(client).status_code == 403
    assert not Course.objects.exists()
    if rights in (("view_course",), ("change_course",)):
        assert PAGE not in client.get(LIST).content.decode()


def test_strangers_are_asked_to_sign_in(client: Client) -> None:
    client.force_login(build_user(verified=True))

    assert upload(client).status_code == 302
    assert not Course.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("law.pdf", b"%PDF", "File extension “pdf” is not allowed."),
        ("law.csv", b"", "The submitted file is empty."),
        ("law.csv", b"x" * (10 * 2**20 + 1), "10 MB is the most here."),
        ("law.xlsx", b"PK\x03\x04 no workbook", "The file is not an .xlsx workbook, or it is broken."),
        ("law.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "in the old .xls format: save it as a plain .xlsx."),
        ("law.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "in the old .xls format: save it as a plain .xlsx."),
        ("law.csv", b"some,table\n", "No sheet has the headers of a catalogue: nothing was imported."),
    ],
)
def test_a_file_of_no_use_is_refused_on_the_page(client: Client, name: str, content: bytes, said: str) -> None:
    client.force_login(build_admin())

    response = upload(client, content, name)

    assert response.status_code == 200
    assert said in response.content.decode()
    assert not Department.objects.exists()


def test_a_name_with_a_path_in_it_leads_nowhere(client: Client) -> None:
    client.force_login(build_admin())

    upload(client, name="../../Law.csv")

    assert Department.objects.get().name == "Law"
