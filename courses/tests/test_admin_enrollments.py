"""The console's pages for enrollments and passes: the same as the staff's API, with the same rights."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.builders import build_admin, build_creator, build_user
from courses.models import Enrollment
from courses.selectors.passes import course_pass_of
from courses.services.enrollments import enrollment_grant
from courses.tests.builders import build_course, build_department, build_enrollment
from learning247.kit.clock import now
from learning247.records.models import AuditEntry, OutboundMail
from payments.models import Entitlement, Price

pytestmark = pytest.mark.django_db

LIST = reverse("admin:courses_enrollment_changelist")
ENROL = reverse("admin:courses_enrollment_add")


@pytest.fixture
def staff() -> User:
    return build_admin()


@pytest.fixture
def console(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


def act(console: Client, action: str, *enrollments: Enrollment, **more: Any) -> Any:
    body = {"action": action, "_selected_action": [str(row.id) for row in enrollments], **more}
    return console.post(LIST, body)


def statuses() -> list[str]:
    return list(Enrollment.objects.order_by("id").values_list("status", flat=True))


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def text_of(response: Any) -> str:
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


def titles(console: Client, **query: str) -> set[str]:
    response = console.get(LIST, query)
    assert response.status_code == 200
    return {row.student_name for row in response.context["cl"].result_list}


def give_pass(name: str, staff: User) -> Enrollment:
    return enrollment_grant(
        user=build_user(), course=None, access_type="monthly", student={"name": name}, notes="", reason="x", actor=staff
    )


def test_marking_asks_for_notes_first_and_then_marks_and_mails(console: Client, staff: User) -> None:
    rows = [build_enrollment(build_course(title=title)) for title in ("Contracts", "Torts")]

    page = text_of(act(console, "mark_sent", *rows))
    assert "Mark as sent: 2" in page
    assert "Contracts" in page
    assert statuses() == ["pending", "pending"]

    done = act(console, "mark_sent", *rows, apply="yes", notes="batch 7")
    assert (done.status_code, done["Location"]) == (302, LIST)
    assert messages_of(console.get(LIST)) == ["Marked as sent: 2. Were so already: 0."]
    assert statuses() == ["credentials_sent"] * 2
    assert set(Enrollment.objects.values_list("notes", "credentials_sent_by")) == {("batch 7", staff.pk)}
    assert OutboundMail.objects.filter(key__endswith=":credentials_sent").count() == 2

    act(console, "mark_sent", *rows, apply="yes", notes="")
    assert messages_of(console.get(LIST)) == ["Marked as sent: 0. Were so already: 2."]
    assert OutboundMail.objects.count() == 2


def test_what_cannot_be_marked_is_named(console: Client) -> None:
    row = build_enrollment(build_course(title="Contracts"))
    act(console, "revoke", row, apply="yes", reason="a test")

    act(console, "mark_sent", row, apply="yes")

    messages = messages_of(console.get(LIST))
    assert messages[-1].endswith(
        "in Contracts: This enrollment was revoked. Enrol the student again if that was a mistake."
    )
    assert statuses() == ["revoked"]


def test_revoking_needs_a_reason(console: Client, staff: User) -> None:
    row = build_enrollment(build_course())

    assert "Revoke: 1" in text_of(act(console, "revoke", row))
    assert "Say why: it goes on record" in text_of(act(console, "revoke", row, apply="yes", reason=" "))
    assert statuses() == ["pending"]

    assert act(console, "revoke", row, apply="yes", reason="Chargeback").status_code == 302
    assert statuses() == ["revoked"]
    assert Entitlement.objects.get().revoked_reason == "Chargeback"
    entry = AuditEntry.objects.get(action="enrollment.revoked")
    assert (entry.actor, entry.reason) == (staff, "Chargeback")


def test_the_chosen_ones_are_exported(console: Client, staff: User) -> None:
    rows = [build_enrollment(build_course(title=title)) for title in ("Contracts", "Torts", "Delicts")]

    assert "Say why: it goes on record" in text_of(act(console, "export", *rows[:2], apply="yes", reason=" "))
    assert not AuditEntry.objects.filter(action="enrollments.exported").exists()

    response: Any = act(console, "export", *rows[:2], apply="yes", reason="For the faculty")

    text = b"".join(response.streaming_content).decode()
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert [line.split(",")[8] for line in text.splitlines()[1:]] == ["Torts", "Contracts"]
    entry = AuditEntry.objects.get(action="enrollments.exported")
    assert (entry.actor, entry.after) == (staff, {"filters": {"console": ""}, "rows": 2})
    assert entry.reason == "For the faculty"


def test_all_of_a_list_are_exported_however_many_they_are(
    console: Client, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("courses.admin.enrollments.EnrollmentAdmin.list_per_page", 1)
    rows = [build_enrollment(build_course()) for _ in range(3)]

    page: Any = act(console, "export", rows[0], select_across="1")
    asked = dict(page.context["hidden"])
    response: Any = console.post(LIST, asked | {"reason": "For the faculty"})

    assert (asked["select_across"], len(asked)) == ("1", 4)
    assert len(b"".join(response.streaming_content).decode().splitlines()) == 4


def test_more_than_five_hundred_are_not_marked_in_one_go(console: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courses.admin.enrollments.MOST_MARKED_AT_ONCE", 1)
    rows = [build_enrollment(build_course()) for _ in range(2)]
    act(console, "mark_sent", *rows, apply="yes")
    assert messages_of(console.get(LIST)) == ["Choose at most 1 at once."]
    assert statuses() == ["pending", "pending"]


def test_a_student_is_enrolled_by_hand(console: Client, staff: User) -> None:
    learner, course = build_user(verified=True), build_course(title="Contracts")
    assert "Enrol a student" in text_of(console.get(ENROL))

    body = {"email": learner.email, "access_type": "individual", "course": str(course.id), "reason": "Won the quiz"}
    response = console.post(ENROL, body)

    enrollment = Enrollment.objects.get()
    assert (response.status_code, response["Location"]) == (
        302,
        reverse("admin:courses_enrollment_change", args=[enrollment.id]),
    )
    assert (enrollment.user, enrollment.course, enrollment.payment) == (learner, course, None)
    assert AuditEntry.objects.get(action="enrollment.granted").actor == staff
    assert "Contracts" in text_of(console.get(response["Location"]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"email": "nobody@example.com"}, "Nobody has an account with this email."),
        ({"access_type": "monthly"}, "A pass opens every platform course: choose none."),
        ({"course": ""}, "Choose the course."),
        ({"course": "not-a-uuid"}, "is not a valid UUID."),
        ({"reason": ""}, "Say why: it goes on record with your name."),
        ({"student_email": "nowhere"}, "Enter a valid email address."),
        ({"notes": "\0"}, "Null characters are not allowed."),
    ],
)
def test_an_enrolment_that_makes_no_sense_says_why_and_changes_nothing(
    console: Client, change: dict[str, str], said: str
) -> None:
    body = {
        "email": build_user().email,
        "access_type": "individual",
        "course": str(build_course().id),
        "reason": "a test",
    }
    assert said in text_of(console.post(ENROL, body | change))
    assert not Enrollment.objects.exists()
    assert not Entitlement.objects.exists()


def test_who_owns_it_already_is_not_enrolled_again(console: Client) -> None:
    row = build_enrollment(build_course())
    body = {
        "email": row.user.email,
        "access_type": "individual",
        "course": str(row.course_id),
        "reason": "a test",
    }
    assert "This person has it already." in text_of(console.post(ENROL, body))
    assert Enrollment.objects.count() == 1


def test_filters_and_search_find_students(console: Client, staff: User) -> None:
    law, _ = build_department("Law"), build_department("Health")  # a filter with one choice shows none
    named = [build_user(first_name=name, last_name="") for name in ("Ada", "Bola", "Cem")]
    ada, bola, cem = (build_enrollment(build_course(department=law), user=person) for person in named)
    act(console, "mark_sent", bola, apply="yes")
    act(console, "revoke", cem, apply="yes", reason="x")
    over, soon = give_pass("Dayo", staff), give_pass("Efe", staff)
    for row, days in ((over, -1), (soon, 5)):
        Enrollment.objects.filter(id=row.id).update(
            starts_at=now() - timedelta(days=40), expires_at=now() + timedelta(days=days)
        )

    assert titles(console, state="pending") == {"Ada", "Efe"}
    assert titles(console, state="credentials_sent") == {"Bola"}
    assert titles(console, state="revoked") == {"Cem"}
    assert titles(console, state="expired") == {"Dayo"}
    assert titles(console, expiring="7") == {"Efe"}
    assert titles(console, expiring="30") == {"Efe"}
    assert titles(console, access_type__exact="monthly") == {"Dayo", "Efe"}
    assert titles(console, course__department__id__exact=str(law.id)) == {"Ada", "Bola", "Cem"}
    assert titles(console, q="ada") == {"Ada"}
    assert titles(console, q=ada.student_email[:-4].upper()) == {"Ada"}
    assert titles(console, q=" ") == {"Ada", "Bola", "Cem", "Dayo", "Efe"}
    assert titles(console, state="nonsense", expiring="x") == {"Ada", "Bola", "Cem", "Dayo", "Efe"}


def test_creators_courses_can_be_kept_out_of_the_days_list(console: Client, staff: User) -> None:
    ada, bola = (build_user(first_name=name, last_name="") for name in ("Ada", "Bola"))
    build_enrollment(build_course(), user=ada)
    build_enrollment(build_course(creator=build_creator()), user=bola)
    give_pass("Cem", staff)

    assert titles(console, state="pending", owner="platform") == {"Ada", "Cem"}
    assert titles(console, owner="creator") == {"Bola"}
    assert titles(console, owner="nonsense") == {"Ada", "Bola", "Cem"}
    page = text_of(console.get(LIST))
    assert (page.count('<td class="field-whose">Platform'), page.count('<td class="field-whose">Creator')) == (2, 1)


def test_staff_who_may_only_look_find_no_button_and_change_nothing(client: Client) -> None:
    row = build_enrollment(build_course())
    reader = build_user(verified=True, is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_enrollment"))
    client.force_login(reader)

    page = text_of(client.get(LIST))
    assert "Mark as sent" not in page
    assert ENROL not in page
    assert "Export as CSV" in page
    assert client.get(ENROL).status_code == client.post(ENROL, {}).status_code == 403
    act(client, "mark_sent", row, apply="yes")
    act(client, "revoke", row, apply="yes", reason="x")
    assert statuses() == ["pending"]
    assert not OutboundMail.objects.exists()


def test_staff_without_the_right_do_not_see_the_list(client: Client) -> None:
    client.force_login(build_user(verified=True, is_staff=True))
    assert client.get(LIST).status_code == client.get(ENROL).status_code == 403


# --- Passes


def price_page(access_type: str = "monthly") -> str:
    return reverse("admin:courses_coursepass_change", args=[course_pass_of(access_type).id])


def prices_of(access_type: str) -> dict[str, str]:
    prices = Price.objects.filter(product__course_pass__access_type=access_type)
    return {price.currency: price.money.amount for price in prices}


def test_staff_without_a_right_see_no_passes(client: Client) -> None:
    client.force_login(build_user(verified=True, is_staff=True))
    assert client.get(reverse("admin:courses_coursepass_changelist")).status_code == 403


def test_both_passes_are_listed_before_anybody_bought_one(console: Client) -> None:
    page = text_of(console.get(reverse("admin:courses_coursepass_changelist")))
    assert "NGN 35000.00, USD 42.00" in page
    assert "NGN 280000.00, USD 336.00" in page


def test_staff_set_prices_per_currency_on_record(console: Client, staff: User) -> None:
    page = text_of(console.get(price_page()))
    assert 'value="35000.00"' in page

    form = {"NGN": "36000", "USD": "42.00", "GBP": "33.50", "EUR": ""}
    assert "Say why: it goes on record" in text_of(console.post(price_page(), form))
    assert prices_of("monthly") == {"NGN": "35000.00", "USD": "42.00"}

    response = console.post(price_page(), form | {"reason": "A new year"})

    assert response.status_code == 302
    assert prices_of("monthly") == {"NGN": "36000.00", "USD": "42.00", "GBP": "33.50"}
    assert prices_of("yearly") == {"NGN": "280000.00", "USD": "336.00"}
    entry = AuditEntry.objects.get(action="course_pass.priced")
    assert (entry.actor, entry.before) == (staff, {"NGN": "35000.00", "USD": "42.00"})
    assert entry.after == {"NGN": "36000.00", "USD": "42.00", "GBP": "33.50"}
    assert entry.reason == "A new year"


@pytest.mark.parametrize("amount", ["0", "-1", "1e9", "0.001", "12,50", "0.01"])
def test_a_price_that_cannot_be_charged_is_refused(console: Client, amount: str) -> None:
    assert "errors" in text_of(console.post(price_page(), {"NGN": "36000", "USD": amount, "reason": "A new year"}))
    assert prices_of("monthly") == {"NGN": "35000.00", "USD": "42.00"}


def test_staff_without_the_right_set_no_prices(client: Client) -> None:
    reader = build_user(verified=True, is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_coursepass"))
    client.force_login(reader)

    assert "vTextField" not in text_of(client.get(price_page()))
    assert client.post(price_page(), {"NGN": "1000"}).status_code == 403
    assert prices_of("monthly") == {"NGN": "35000.00", "USD": "42.00"}


def test_one_enrollment_is_marked_and_revoked_from_its_own_page_which_then_says_who_did(
    console: Client, staff: User
) -> None:
    row = build_enrollment(build_course(title="Torts"))
    own = reverse("admin:courses_enrollment_change", args=[row.id])
    mark, revoke = (reverse(f"admin:courses_enrollment_{act}", args=[row.id]) for act in ("mark_sent", "revoke"))
    page = text_of(console.get(own))
    assert mark in page and revoke in page
    assert f"{row.created_at:%-d %B %Y, %H:%M} UTC" in page
    assert "None: granted." not in page and str(row.payment) in page
    assert "Free of charge, from" in page
    assert "Mark as sent: 1" in text_of(console.get(mark))

    assert console.post(mark, {"apply": "yes"}).headers["Location"] == own
    assert statuses() == ["credentials_sent"]
    assert "Say why: it goes on record" in text_of(console.post(revoke, {"apply": "yes"}))
    assert console.post(revoke, {"apply": "yes", "reason": "left"}).headers["Location"] == own

    assert statuses() == ["revoked"]
    page = text_of(console.get(own))
    assert f'<div class="readonly">{staff}</div>' in page
    history = text_of(console.get(reverse("admin:courses_enrollment_history", args=[row.id])))
    assert history.index("enrollment.revoked") < history.index("enrollment.credentials_sent")
    assert "left" in history


def test_staff_who_may_only_look_do_nothing_from_its_own_page(client: Client) -> None:
    row = build_enrollment(build_course())
    reader = build_user(verified=True, is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_enrollment"))
    client.force_login(reader)

    for act in ("mark_sent", "revoke"):
        address = reverse(f"admin:courses_enrollment_{act}", args=[row.id])
        assert address not in text_of(client.get(reverse("admin:courses_enrollment_change", args=[row.id])))
        assert client.post(address, {"apply": "yes", "reason": "x"}).status_code == 403
    assert client.get(reverse("admin:courses_enrollment_history", args=[row.id])).status_code == 200
    assert client.get(reverse("admin:courses_course_history", args=[row.course_id])).status_code == 403
    assert statuses() == ["pending"]


def test_history_of_a_course_and_of_a_department_is_what_is_on_record(console: Client, staff: User) -> None:
    course = build_course(title="Torts", department=build_department("Law"))
    console.post(reverse("admin:courses_course_prices", args=[course.id]), {"NGN": "26000", "reason": "x"})
    department = reverse("admin:courses_department_change", args=[course.department_id])
    console.post(department, {"name": "Laws", "slug": "law", "description": "", "reason": "x"})

    history = text_of(console.get(reverse("admin:courses_course_history", args=[course.id])))
    assert "course.priced" in history and "NGN: 26000.00" in history and str(staff) in history
    history = text_of(console.get(reverse("admin:courses_department_history", args=[course.department_id])))
    assert "department.changed" in history and "name: Laws" in history
