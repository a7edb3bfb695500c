"""The staff's doors to enrollments: who may, what they show, what they change, and what they leave alone."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.builders import build_admin, build_creator, build_user, sign_in
from courses.enums import CourseStatus
from courses.models import Enrollment
from courses.proofs import every_enrollment_has_its_entitlement, every_mark_is_on_record
from courses.selectors.passes import course_pass_of
from courses.tests.builders import build_course, build_department, build_enrollment
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.records.checks import Scope
from learning247.records.models import AuditEntry, OutboundMail
from payments.models import Entitlement, Payment
from payments.proofs import rights_are_audited, terms_do_not_overlap
from payments.services.entitlements import entitlement_grant_by_staff

pytestmark = pytest.mark.django_db

URL = "/api/admin/course-enrollments"
WHY = {"reason": "For the faculty"}
EXPORT = f"{URL}/export?reason=For+the+faculty"


def api(user: User | None = None) -> APIClient:
    client = APIClient()
    if user:
        sign_in(client, user)
    return client


@pytest.fixture
def staff() -> User:
    return build_admin(first_name="Halima", last_name="Sani")


@pytest.fixture
def client(staff: User) -> APIClient:
    return api(staff)


def pass_of(user: User, access_type: str = "monthly", *, actor: User) -> Enrollment:
    """A pass that staff gave."""
    with transaction.atomic():
        entitlement = entitlement_grant_by_staff(
            user=user, product=course_pass_of(access_type).product, actor=actor, reason="a prize"
        )
    return Enrollment.objects.get(entitlement=entitlement)


def move_time(enrollment: Enrollment, by: timedelta) -> None:
    """As if it had begun and would end so much later (earlier, where negative)."""
    entitlement = Entitlement.objects.get(id=enrollment.entitlement_id)
    assert entitlement.ends_at is not None
    starts_at, ends_at = entitlement.starts_at + by, entitlement.ends_at + by
    Entitlement.objects.filter(id=entitlement.id).update(starts_at=starts_at, ends_at=ends_at)
    Enrollment.objects.filter(id=enrollment.id).update(starts_at=starts_at, expires_at=ends_at)


def mark(client: APIClient, enrollment: Enrollment, sent: bool = True, **body: Any) -> Any:
    return client.patch(f"{URL}/{enrollment.id}/mark-sent", {"sent": sent, **body}, format="json")


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["errors"][0]["code"]


def proofs() -> list[str]:
    checks = (every_enrollment_has_its_entitlement, every_mark_is_on_record, rights_are_audited, terms_do_not_overlap)
    return [breach.detail for check in checks for breach in check(Scope())]


def acts() -> list[tuple[str, Any, str]]:
    """(action, actor's id, reason) of what was done to enrollments and their entitlements, oldest first."""
    entries = AuditEntry.objects.filter(subject_kind__in=("enrollment", "entitlement")).order_by("id")
    return list(entries.values_list("action", "actor", "reason"))


def snapshot() -> Any:
    """All that a refused request might have changed."""
    return (
        list(Enrollment.objects.order_by("id").values()),
        list(Entitlement.objects.order_by("id").values()),
        acts(),
        OutboundMail.objects.count(),
    )


# --- Who may


@pytest.fixture
def every_door() -> list[tuple[str, str, dict[str, Any]]]:
    enrollment = build_enrollment(build_course())
    course, learner = build_course(), build_user(verified=True)
    return [
        ("get", URL, {}),
        ("get", f"{URL}/stats", {}),
        ("get", EXPORT, {}),
        ("get", f"{URL}/{enrollment.id}", {}),
        ("patch", f"{URL}/{enrollment.id}/mark-sent", {"sent": True}),
        ("post", f"{URL}/mark-sent", {"ids": [str(enrollment.id)]}),
        ("post", f"{URL}/{enrollment.id}/revoke", {"reason": "a trial"}),
        ("post", URL, {"email": learner.email, "course": str(course.id), "reason": "a trial"}),
    ]


def statuses(client: APIClient, doors: Any) -> list[int]:
    return [getattr(client, method)(url, body, format="json").status_code for method, url, body in doors]


def test_who_is_not_signed_in_comes_through_no_door_and_changes_nothing(every_door: Any) -> None:
    before = snapshot()
    assert statuses(api(), every_door) == [401] * 8
    assert snapshot() == before


def test_learners_creators_and_staff_without_the_right_come_through_no_door_and_change_nothing(every_door: Any) -> None:
    before = snapshot()
    learner_with_the_right = build_user(verified=True)
    learner_with_the_right.user_permissions.add(*Permission.objects.filter(codename__endswith="_enrollment"))
    for person in (build_user(), build_creator(), build_user(is_staff=True), learner_with_the_right):
        assert statuses(api(person), every_door) == [403] * 8
    assert snapshot() == before


def test_staff_who_may_look_may_not_write(every_door: Any) -> None:
    reader = build_user(verified=True, is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_enrollment"))

    assert statuses(api(reader), every_door[:4]) == [200] * 4
    before = snapshot()
    assert statuses(api(reader), every_door[4:]) == [403] * 4
    assert snapshot() == before


def test_staff_who_may_write_need_no_more_than_that_right(every_door: Any) -> None:
    writer = build_user(verified=True, is_staff=True)
    writer.user_permissions.add(
        Permission.objects.get(codename="view_enrollment"), Permission.objects.get(codename="change_enrollment")
    )

    assert statuses(api(writer), every_door) == [200, 200, 200, 200, 200, 200, 200, 201]


# --- The list


def test_the_list_shows_student_account_course_and_payment(client: APIClient) -> None:
    course = build_course(title="First Aid", department=build_department("Health"))
    learner = build_user(first_name="Tunde", last_name="Bello", phone="+2348012345678", verified=True)
    enrollment = build_enrollment(course, user=learner, reference="L247-0abc")

    body = client.get(URL).json()

    assert body["count"] == 1
    (row,) = body["results"]
    assert row | {"created_at": "", "updated_at": "", "starts_at": ""} == {
        "id": str(enrollment.id),
        "status": "pending",
        "access_type": "individual",
        "owner": "platform",
        "student": {"name": "Tunde Bello", "email": learner.email, "phone": "+2348012345678"},
        "account": {"id": str(learner.id), "name": "Tunde Bello", "email": learner.email},
        "course": {
            "id": str(course.id),
            "title": "First Aid",
            "slug": course.slug,
            "link": "https://classroom.example.com/room",
            "department": {"id": str(course.department_id), "name": "Health", "slug": course.department.slug},
        },
        "payment": {"reference": "L247-0abc", "status": "paid", "amount": "0.00", "currency": "NGN"},
        "starts_at": "",
        "expires_at": None,
        "credentials_sent_at": None,
        "credentials_sent_by": None,
        "credentials_mailed_at": None,
        "notes": "",
        "created_at": "",
        "updated_at": "",
    }


@pytest.fixture
def many(staff: User, client: APIClient) -> dict[str, Enrollment]:
    """One of each: pending and sent in Law, revoked in Health, a pass that runs and one that is over."""
    law, health = build_department("Law"), build_department("Health")
    rows = {
        "pending": build_enrollment(
            build_course(title="Contracts", department=law),
            user=build_user(first_name="Ngozi", last_name="Eze", email="ngozi@example.com"),
            reference="L247-00aa",
        ),
        "sent": build_enrollment(build_course(title="100% Torts_1", department=law), reference="L247-00ab"),
        "revoked": build_enrollment(build_course(title="First Aid", department=health), reference="L247-01ac"),
        "running": pass_of(build_user(first_name="Bola"), actor=staff),
        "over": pass_of(build_user(first_name="Cem"), "yearly", actor=staff),
    }
    assert mark(client, rows["sent"]).status_code == 200
    assert client.post(f"{URL}/{rows['revoked'].id}/revoke", {"reason": "a test"}, format="json").status_code == 200
    move_time(rows["over"], -timedelta(days=400))
    return rows


def found(client: APIClient, many: dict[str, Enrollment], **query: Any) -> set[str]:
    response = client.get(URL, query)
    assert response.status_code == 200, response.json()
    names = {str(enrollment.id): name for name, enrollment in many.items()}
    rows = response.json()["results"]
    assert len(rows) == response.json()["count"]
    return {names[row["id"]] for row in rows}


def test_filters_narrow_the_list(client: APIClient, many: dict[str, Enrollment]) -> None:
    course = many["pending"].course
    assert course is not None
    everything = {"pending", "sent", "revoked", "running", "over"}
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({}, everything),
        ({"status": "pending"}, {"pending", "running"}),
        ({"status": "credentials_sent"}, {"sent"}),
        ({"status": "revoked"}, {"revoked"}),
        ({"status": "expired"}, {"over"}),
        ({"department": "law"}, {"pending", "sent"}),
        ({"department": str(course.department_id), "status": "pending"}, {"pending"}),
        ({"course": course.slug}, {"pending"}),
        ({"course": str(course.id)}, {"pending"}),
        ({"access_type": "monthly"}, {"running"}),
        ({"expiring_in_days": 40}, {"running"}),
        ({"expiring_in_days": 7}, set()),
        (
            dict.fromkeys(("status", "department", "course", "access_type", "owner", "expiring_in_days", "search"), ""),
            everything,
        ),
        ({"status": "  ", "search": " "}, everything),
    ]
    for query, expected in cases:
        assert found(client, many, **query) == expected, query


def test_creators_courses_are_told_apart_and_keep_nobody_waiting(
    client: APIClient, many: dict[str, Enrollment]
) -> None:
    creators = build_enrollment(build_course(creator=build_creator()))
    platforms = set(many)
    many["creators"] = creators

    assert found(client, many, owner="creator") == {"creators"}
    assert found(client, many, owner="platform") == platforms
    assert found(client, many, owner="platform", status="pending") == {"pending", "running"}
    assert client.get(f"{URL}/{creators.id}").json()["owner"] == "creator"
    assert client.get(URL, {"owner": "nobody"}).status_code == 400
    waiting = client.get(f"{URL}/stats").json()["waiting_longest"]
    assert [row["id"] for row in waiting] == [str(many[name].id) for name in ("pending", "running")]


def test_each_status_filter_finds_exactly_what_is_shown_so(client: APIClient, many: dict[str, Enrollment]) -> None:
    """Also what is both: revoked stays revoked when its time is over."""
    client.post(f"{URL}/{many['over'].id}/revoke", {"reason": "both"}, format="json")
    mark(client, many["running"])
    shown = {row["id"]: row["status"] for row in client.get(URL).json()["results"]}
    assert shown[str(many["over"].id)] == "revoked"
    by_status = client.get(f"{URL}/stats").json()["by_status"]

    for status in ("pending", "credentials_sent", "expired", "revoked"):
        ids = {row["id"] for row in client.get(URL, {"status": status}).json()["results"]}
        assert ids == {id for id, one in shown.items() if one == status}, status
        assert by_status[status] == len(ids)


def test_search_looks_at_student_course_and_payment(client: APIClient, many: dict[str, Enrollment]) -> None:
    cases = {
        "ngozi eze": {"pending"},
        "NGOZI@": {"pending"},
        "first ai": {"revoked"},
        "L247-00": {"pending", "sent"},
        "l247-00AB": {"sent"},
        "01ac": {"revoked"},
        "100% torts_1": {"sent"},
        "%": {"sent"},
        "_": {"sent"},
        "nobody of this name": set(),
        "' OR 1=1 --": set(),
        "Contracts\\": set(),
    }
    for text, expected in cases.items():
        assert found(client, many, search=text) == expected, text
    assert found(client, many, search="e", department="law", status="pending") == {"pending"}


@pytest.mark.parametrize(
    ("query", "attr", "code"),
    [
        ("status=done", "status", "invalid_choice"),
        ("status=pending&status=revoked", "status", "repeated"),
        ("department=nowhere", "department", "department_not_found"),
        ("course=nothing", "course", "course_not_found"),
        ("course=01900000-0000-7000-8000-000000000000", "course", "course_not_found"),
        ("access_type=weekly", "access_type", "invalid_choice"),
        ("expiring_in_days=0", "expiring_in_days", "min_value"),
        ("expiring_in_days=367", "expiring_in_days", "max_value"),
        ("expiring_in_days=soon", "expiring_in_days", "invalid"),
        ("expiring_in_days=" + "9" * 2000, "expiring_in_days", "max_string_length"),
        ("search=%00", "search", "null_characters_not_allowed"),
        ("department=%00", "department", "null_characters_not_allowed"),
        ("search=" + "x" * 201, "search", "max_length"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named(client: APIClient, query: str, attr: str, code: str) -> None:
    for door in (f"{URL}?", f"{EXPORT}&"):
        response = client.get(f"{door}{query}")
        assert response.status_code == 400, door
        assert [(error["attr"], error["code"]) for error in response.json()["errors"]] == [(attr, code)]


@pytest.mark.parametrize(("page", "status"), [("0", 400), ("-1", 400), ("x", 400), ("2", 404), ("9" * 30, 404)])
def test_pages_that_are_not_there_are_refused(client: APIClient, page: str, status: int) -> None:
    assert client.get(URL, {"page": page}).status_code == status


def test_the_list_and_its_parts_cost_the_same_for_three_rows_and_for_many(staff: User, client: APIClient) -> None:
    def queries(url: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            response: Any = client.get(url)
            b"".join(response.streaming_content) if response.streaming else response.content
        assert response.status_code == 200
        return len(captured)

    def add(count: int) -> None:
        for _ in range(count):
            enrollment = build_enrollment(build_course())
            mark(client, enrollment)
            pass_of(build_user(), actor=staff)

    add(3)
    doors = [f"{URL}?page_size=100&search=o", f"{URL}/stats", EXPORT, f"{URL}?page_size=100"]
    few = [queries(door) for door in doors]
    add(30)
    assert [queries(door) for door in doors] == few
    assert max(few) <= 6


def test_numbers_of_the_moment(client: APIClient, many: dict[str, Enrollment]) -> None:
    earlier = now() - timedelta(days=30)
    Enrollment.objects.filter(id=many["sent"].id).update(created_at=earlier)
    move_time(many["running"], timedelta(days=5))

    stats = client.get(f"{URL}/stats").json()

    waiting = stats.pop("waiting_longest")
    assert [row["id"] for row in waiting] == [str(many["pending"].id), str(many["running"].id)]
    assert [(row["department"]["name"], row["count"]) for row in stats.pop("by_department")] == [
        ("Law", 2),
        ("Health", 1),
    ]
    assert stats == {
        "total": 5,
        "by_status": {"pending": 2, "credentials_sent": 1, "expired": 1, "revoked": 1},
        "by_access_type": {"individual": 3, "monthly": 1, "yearly": 1},
        "expiring_in_7_days": 0,
        "expiring_in_30_days": 0,
        "made_today": 4,
        "made_this_week": 4,
    }
    move_time(many["running"], -timedelta(days=30))
    stats = client.get(f"{URL}/stats").json()
    assert (stats["expiring_in_7_days"], stats["expiring_in_30_days"]) == (1, 1)


def read_csv(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeffid,status,")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_export_has_the_rows_of_the_list(client: APIClient, many: dict[str, Enrollment]) -> None:
    rows = read_csv(client.get(EXPORT, headers={"Accept": "text/csv"}))
    assert [row["id"] for row in rows] == [str(row.id) for row in Enrollment.objects.order_by("-id")]
    assert [row["status"] for row in rows] == ["expired", "pending", "revoked", "credentials_sent", "pending"]

    (row,) = read_csv(client.get(f"{URL}/export", {"department": "law", "status": "pending", "search": "ngozi"} | WHY))
    assert (row["student"], row["course"], row["department"], row["payment reference"], row["amount"]) == (
        "Ngozi Eze",
        "Contracts",
        "Law",
        "L247-00aa",
        "0.00",
    )


def test_an_export_is_on_record_with_what_was_asked_for(
    client: APIClient, staff: User, many: dict[str, Enrollment]
) -> None:
    for query in ({}, {"department": "law", "status": "pending", "search": "ngozi", "course": ""}):
        client.get(f"{URL}/export", query | WHY)  # also when nobody reads the answer

    of_one, of_all = AuditEntry.objects.filter(action="enrollments.exported").order_by("-id")
    assert (of_all.actor, of_all.after) == (staff, {"filters": {}, "rows": 5})
    assert {of_all.reason, of_one.reason} == {"For the faculty"}
    assert of_one.after == {"filters": {"department": "law", "status": "pending", "search": "ngozi"}, "rows": 1}


def test_a_client_that_gives_no_reason_gets_its_export_which_goes_on_record(client: APIClient, staff: User) -> None:
    assert client.get(f"{URL}/export").status_code == 200

    entry = AuditEntry.objects.get(action="enrollments.exported")
    assert (entry.actor, entry.reason) == (staff, "")


def test_an_export_that_is_refused_is_no_export(client: APIClient) -> None:
    assert client.get(f"{URL}/export", {"status": "sold"} | WHY).status_code == 400
    for reason in ({"reason": "a\nb"}, {"reason": "a" * 501}):
        refused = client.get(f"{URL}/export", reason)
        assert (refused.status_code, refused.json()["errors"][0]["attr"]) == (400, "reason")
    reader = APIClient()
    sign_in(reader, build_user(verified=True))
    assert reader.get(EXPORT).status_code == 403
    assert not AuditEntry.objects.filter(action="enrollments.exported").exists()


def test_the_export_reads_in_batches_and_misses_nothing(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("courses.selectors.enrollments.BATCH_ROWS", 2)
    course = build_course()
    for _ in range(5):
        build_enrollment(course)
    assert len({row["id"] for row in read_csv(client.get(EXPORT))}) == 5


def test_a_cell_that_would_be_a_formula_is_made_inert(client: APIClient) -> None:
    student = build_user(first_name="＝HYPERLINK(1)", last_name="", phone="+234801", verified=True)
    mark(client, build_enrollment(build_course(title="@SUM(1)"), user=student), notes="-1\nsecond line")

    (row,) = read_csv(client.get(EXPORT))
    assert [row[name] for name in ("student", "phone", "course", "notes")] == [
        "'＝HYPERLINK(1)",
        "'+234801",
        "'@SUM(1)",
        "'-1\nsecond line",
    ]


# --- Marking


def test_marked_as_sent_the_student_gets_one_mail_and_the_act_is_on_record(client: APIClient, staff: User) -> None:
    enrollment = build_enrollment(build_course(title="Contracts"))

    response = mark(client, enrollment, notes="user: ngozi")

    shown = response.json()
    assert response.status_code == 200
    assert (shown["status"], shown["notes"], shown["credentials_sent_by"]["email"]) == (
        "credentials_sent",
        "user: ngozi",
        staff.email,
    )
    enrollment.refresh_from_db()
    assert enrollment.credentials_sent_at == enrollment.credentials_mailed_at
    mail = OutboundMail.objects.get()
    assert (mail.to, mail.subject) == (enrollment.student_email, "Your sign-in for Contracts")
    for text in (mail.text, mail.html):
        assert "https://classroom.example.com/room" in text
        assert "support@learning247.example" in text
        assert "user: ngozi" not in text
    entry = AuditEntry.objects.get(subject_kind="enrollment")
    assert (entry.actor, entry.action, entry.reason, entry.subject_id) == (
        staff,
        "enrollment.credentials_sent",
        "user: ngozi",
        str(enrollment.id),
    )
    assert (entry.before or {})["status"] == "pending"
    assert (entry.after or {})["status"] == "credentials_sent"
    assert [event["action"] for event in shown["history"]] == ["enrollment.credentials_sent"]
    assert proofs() == []


def test_a_second_mark_changes_nothing_and_sends_no_second_mail(client: APIClient) -> None:
    enrollment = build_enrollment(build_course())
    mark(client, enrollment, notes="once")
    before = snapshot()

    assert mark(client, enrollment).status_code == 200
    assert mark(client, enrollment, notes="once").status_code == 200
    assert snapshot() == before


def test_unmarked_and_marked_again_sends_no_second_mail(client: APIClient) -> None:
    enrollment = build_enrollment(build_course())
    mark(client, enrollment, notes="first")

    shown = mark(client, enrollment, sent=False).json()
    assert (shown["status"], shown["credentials_sent_at"], shown["credentials_sent_by"]) == ("pending", None, None)
    assert (shown["notes"], shown["credentials_mailed_at"] is None) == ("first", False)
    assert mark(client, enrollment).json()["status"] == "credentials_sent"

    assert OutboundMail.objects.count() == 1
    assert [action for action, *_ in acts()] == [
        "enrollment.credentials_sent",
        "enrollment.pending",
        "enrollment.credentials_sent",
    ]
    assert proofs() == []


def test_new_notes_alone_are_kept_and_on_record(client: APIClient) -> None:
    enrollment = build_enrollment(build_course())

    assert mark(client, enrollment, sent=False, notes="calls back on Monday").json()["notes"] == "calls back on Monday"

    assert [action for action, *_ in acts()] == ["enrollment.noted"]
    assert not OutboundMail.objects.exists()


def test_what_is_revoked_or_expired_cannot_be_marked(client: APIClient, many: dict[str, Enrollment]) -> None:
    before = snapshot()
    for sent in (True, False):
        assert refusal(mark(client, many["revoked"], sent, notes="x")) == (409, "enrollment_revoked")
        assert refusal(mark(client, many["over"], sent, notes="x")) == (409, "enrollment_expired")
    assert snapshot() == before


@pytest.mark.parametrize(
    "body",
    [{}, {"sent": "perhaps"}, {"sent": None}, {"sent": True, "notes": "x" * 2001}, {"sent": True, "notes": "\0"}],
)
def test_a_mark_that_makes_no_sense_changes_nothing(client: APIClient, body: dict[str, Any]) -> None:
    enrollment = build_enrollment(build_course())
    before = snapshot()
    assert client.patch(f"{URL}/{enrollment.id}/mark-sent", body, format="json").status_code == 400
    assert snapshot() == before


def test_an_enrollment_that_is_not_there(client: APIClient) -> None:
    nowhere = new_id()
    assert refusal(client.get(f"{URL}/{nowhere}")) == (404, "enrollment_not_found")
    assert refusal(client.patch(f"{URL}/{nowhere}/mark-sent", {"sent": True}, format="json"))[0] == 404
    assert refusal(client.post(f"{URL}/{nowhere}/revoke", {"reason": "x"}, format="json"))[0] == 404
    assert refusal(client.get(f"{URL}/not-a-uuid")) == (404, "not_found")


def test_many_are_marked_in_one_go_and_each_gets_an_answer(client: APIClient, many: dict[str, Enrollment]) -> None:
    nowhere = new_id()
    ids = [many[name].id for name in ("over", "pending", "sent", "revoked", "running")]

    response = client.post(
        f"{URL}/mark-sent", {"ids": [*map(str, ids), str(nowhere)], "notes": "batch 7"}, format="json"
    )

    assert response.status_code == 200
    assert response.json()["sent"] == 2
    assert [(row["id"], row["outcome"]) for row in response.json()["results"]] == [
        (str(many["over"].id), "enrollment_expired"),
        (str(many["pending"].id), "sent"),
        (str(many["sent"].id), "already_sent"),
        (str(many["revoked"].id), "enrollment_revoked"),
        (str(many["running"].id), "sent"),
        (str(nowhere), "enrollment_not_found"),
    ]
    mailed = OutboundMail.objects.filter(key__endswith=":credentials_sent")
    assert set(mailed.values_list("to", flat=True)) == {
        many[name].student_email for name in ("pending", "sent", "running")
    }
    assert mailed.count() == 3
    assert proofs() == []


def test_a_batch_leaves_the_notes_of_what_was_sent_before(client: APIClient) -> None:
    fresh, sent = build_enrollment(build_course()), build_enrollment(build_course())
    mark(client, sent, notes="asked for a second sign-in")
    before = acts()

    sent_ids = {"ids": [str(fresh.id), str(sent.id)], "notes": "batch 7"}
    answer = client.post(f"{URL}/mark-sent", sent_ids, format="json")

    assert [row["outcome"] for row in answer.json()["results"]] == ["sent", "already_sent"]
    fresh.refresh_from_db()
    sent.refresh_from_db()
    assert (fresh.notes, sent.notes) == ("batch 7", "asked for a second sign-in")
    assert len(acts()) == len(before) + 1


@pytest.mark.parametrize(
    "ids",
    [[], ["x"], "x", None, ["01900000-0000-7000-8000-000000000000"] * 2, [str(UUID(int=n)) for n in range(501)]],
    ids=lambda ids: str(ids)[:20],
)
def test_a_batch_that_makes_no_sense_is_refused(client: APIClient, ids: Any) -> None:
    assert client.post(f"{URL}/mark-sent", {"ids": ids}, format="json").status_code == 400
    assert acts() == []


# --- Taking back and giving


def test_revoked_the_link_is_gone_the_student_is_told_and_the_act_is_on_record(client: APIClient, staff: User) -> None:
    learner = build_user(verified=True)
    enrollment = build_enrollment(build_course(title="Contracts"), user=learner)
    assert api(learner).get(f"/api/courses/{enrollment.course_id}").json()["link"]

    response = client.post(f"{URL}/{enrollment.id}/revoke", {"reason": "  Chargeback  "}, format="json")

    shown = response.json()
    assert (response.status_code, shown["status"], shown["revocation"]["reason"]) == (200, "revoked", "Chargeback")
    assert api(learner).get(f"/api/courses/{enrollment.course_id}").json()["link"] is None
    access = (
        api(learner).get("/api/payments/access", {"item_type": "course", "item_id": str(enrollment.course_id)}).json()
    )
    assert (access["granted"], access["reason"]) == (False, "revoked")
    (mine,) = api(learner).get("/api/courses/my-enrollments").json()["results"]
    assert (mine["status"], mine["course"]["link"]) == ("revoked", None)
    mail = OutboundMail.objects.get()
    assert (mail.to, mail.subject) == (enrollment.student_email, "Your access has ended: Contracts")
    assert "Chargeback" not in mail.text + mail.html
    assert acts() == [
        ("entitlement.revoked", staff.pk, "Chargeback"),
        ("enrollment.revoked", staff.pk, "Chargeback"),
    ]
    assert proofs() == []


EVIL = "customer. Your account is locked, unlock it at https://evil.example/unlock"


@pytest.mark.parametrize("act", ["mark", "revoke", "grant"])
@pytest.mark.parametrize(
    ("verified", "address", "greeted"),
    [(True, None, True), (True, "v@example.com", False), (False, None, False), (False, "v@example.com", False)],
)
def test_a_mail_greets_by_name_only_at_the_verified_address_of_the_account(
    client: APIClient, act: str, verified: bool, address: str | None, greeted: bool
) -> None:
    learner, course = build_user(verified=verified), build_course(title="Contracts")
    student = {"name": EVIL, "email": address or learner.email.upper()}
    if act == "grant":
        body = {"email": learner.email, "course": course.slug, "reason": "Won the quiz", "student": student}
        assert client.post(URL, body, format="json").status_code == 201
    else:
        enrollment = build_enrollment(course, user=learner, details={"student": student})
        if act == "mark":
            assert mark(client, enrollment).status_code == 200
        else:
            assert client.post(f"{URL}/{enrollment.id}/revoke", {"reason": "x"}, format="json").status_code == 200

    mail = OutboundMail.objects.get()

    assert mail.to.lower() == student["email"].lower()
    assert mail.text.startswith(f"Hello {EVIL},\n" if greeted else "Hello,\n")
    assert ("evil.example" in mail.html) == greeted
    assert greeted or ">Hello</h1>" in mail.html


def test_revoked_twice_is_revoked_once(client: APIClient) -> None:
    enrollment = build_enrollment(build_course())
    client.post(f"{URL}/{enrollment.id}/revoke", {"reason": "first"}, format="json")
    before = snapshot()

    response = client.post(f"{URL}/{enrollment.id}/revoke", {"reason": "second"}, format="json")

    assert (response.status_code, response.json()["revocation"]["reason"]) == (200, "first")
    assert snapshot() == before


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}, {"reason": "x" * 201}, {"reason": "a\nb"}])
def test_a_revocation_needs_a_reason_of_one_line(client: APIClient, body: dict[str, Any]) -> None:
    enrollment = build_enrollment(build_course())
    before = snapshot()
    assert client.post(f"{URL}/{enrollment.id}/revoke", body, format="json").status_code == 400
    assert snapshot() == before


def test_a_student_enrolled_by_hand_gets_the_course_and_a_mail(client: APIClient, staff: User) -> None:
    learner, course = build_user(verified=True), build_course(title="Contracts")

    response = client.post(
        URL,
        {
            "email": learner.email.upper(),
            "course": course.slug,
            "reason": "Won the quiz",
            "notes": "phone first",
            "student": {"name": "Ngozi Eze", "email": "ngozi@example.com"},
        },
        format="json",
    )

    shown = response.json()
    assert response.status_code == 201
    assert (shown["status"], shown["source"], shown["payment"], shown["notes"]) == (
        "pending",
        "staff",
        None,
        "phone first",
    )
    assert (shown["student"]["name"], shown["student"]["email"], shown["account"]["email"]) == (
        "Ngozi Eze",
        "ngozi@example.com",
        learner.email,
    )
    assert api(learner).get(f"/api/courses/{course.id}").json()["link"] == "https://classroom.example.com/room"
    mail = OutboundMail.objects.get()
    assert (mail.to, mail.subject) == ("ngozi@example.com", "You are enrolled: Contracts")
    assert learner.email in mail.text
    assert acts() == [
        ("entitlement.granted", staff.pk, "Won the quiz"),
        ("enrollment.granted", staff.pk, "Won the quiz"),
    ]
    assert not Payment.objects.exists()
    assert proofs() == []


def test_a_pass_given_by_hand_opens_every_platform_course(client: APIClient) -> None:
    learner, course = build_user(verified=True), build_course()

    response = client.post(
        URL, {"email": learner.email, "access_type": "yearly", "reason": "Scholarship"}, format="json"
    )

    shown = response.json()
    assert (response.status_code, shown["course"], shown["access_type"]) == (201, None, "yearly")
    starts, ends = (datetime.fromisoformat(shown[name]) for name in ("starts_at", "expires_at"))
    assert (ends.year - starts.year, ends.month, ends.hour) == (1, starts.month, starts.hour)
    assert api(learner).get(f"/api/courses/{course.id}").json()["link"] == "https://classroom.example.com/room"
    assert proofs() == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"email": "nobody@example.com"}, (400, "account_not_found")),
        ({"email": "nobody"}, (400, "invalid")),
        ({"course": "nothing"}, (400, "course_not_found")),
        ({"course": None}, (400, "null")),
        ({"access_type": "monthly"}, (400, "invalid")),
        ({"access_type": "weekly"}, (400, "invalid_choice")),
        ({"reason": ""}, (400, "blank")),
        ({"student": {"email": "nowhere"}}, (400, "invalid")),
        ({"student": {"name": "a\u2028b"}}, (400, "not_one_line")),
    ],
)
def test_a_grant_that_makes_no_sense_changes_nothing(
    client: APIClient, change: dict[str, Any], expected: tuple[int, str]
) -> None:
    body = {"email": build_user().email, "course": str(build_course().id), "reason": "a trial"} | change
    before = snapshot()
    assert refusal(client.post(URL, body, format="json")) == expected
    assert snapshot() == before


def test_nobody_is_enrolled_twice_or_in_a_draft_or_in_their_own_course(client: APIClient) -> None:
    learner, creator = build_user(verified=True), build_creator()
    owned, draft = build_course(), build_course(creator=creator, status=CourseStatus.DRAFT)
    build_enrollment(owned, user=learner)
    client.post(URL, {"email": learner.email, "access_type": "monthly", "reason": "x"}, format="json")
    before = snapshot()

    for email, wanted, expected in (
        (learner.email, {"course": str(owned.id)}, (409, "already_owned")),
        (learner.email, {"access_type": "monthly"}, (409, "already_owned")),
        (learner.email, {"course": str(draft.id)}, (400, "course_not_found")),
        (creator.email, {"course": str(build_course(creator=creator).id)}, (409, "already_owned")),
    ):
        response = client.post(URL, {"email": email, "reason": "x", **wanted}, format="json")
        assert refusal(response) == expected
    assert snapshot() == before


def test_after_a_revocation_the_student_can_be_enrolled_again(client: APIClient) -> None:
    enrollment = build_enrollment(build_course())
    client.post(f"{URL}/{enrollment.id}/revoke", {"reason": "a mistake"}, format="json")

    body = {"email": enrollment.user.email, "course": str(enrollment.course_id), "reason": "put right"}
    assert client.post(URL, body, format="json").status_code == 201
    assert proofs() == []
