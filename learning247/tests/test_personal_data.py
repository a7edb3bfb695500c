"""Every table says what it holds about people, and a person gets all of it."""

import json
import stat
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction
from rest_framework.test import APIClient

from accounts.models import Session, User
from accounts.services.verification import verification_mail_queue
from accounts.tests.builders import PASSWORD, build_admin, build_creator, build_user, sign_in
from courses.services.enrollments import enrollment_mark
from courses.tests.builders import build_course, build_enrollment
from learning247.kit.clock import now
from learning247.records.models import AuditEntry, InboundEvent, OutboundMail
from learning247.records.personal_tables import impersonal_tables, personal_tables, register_audit_subject
from learning247.records.registry import AlreadyRegistered
from payments.models import Payment
from wallets.tests.builders import post_sale

pytestmark = pytest.mark.django_db

DEVICE: Any = {"REMOTE_ADDR": "203.0.113.7", "HTTP_USER_AGENT": "Firefox"}


@pytest.fixture
def client() -> APIClient:
    return APIClient()


@pytest.fixture
def ada() -> User:
    return build_creator(
        email="ada@example.com", first_name="Ada", last_name="Obi", phone="+234 801 234 5678", bio="Teaches law."
    )


def export(client: APIClient, **body: Any) -> Any:
    return client.post("/auth/me/export", {"password": PASSWORD} | body, format="json", **DEVICE)


def data_of(answer: Any) -> dict[str, list[dict[str, Any]]]:
    assert answer.status_code == 200
    data: dict[str, list[dict[str, Any]]] = json.loads(b"".join(answer.streaming_content))["data"]
    return data


def test_every_table_is_declared_or_named_as_holding_nothing_about_anybody():
    tables = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    declared = {table.model._meta.label for table in personal_tables()}

    assert tables - declared - impersonal_tables().keys() == set(), "say what these hold about people, or that nothing"
    assert declared & impersonal_tables().keys() == set()
    assert impersonal_tables().keys() - tables == set()


def test_two_apps_cannot_say_whose_the_same_kind_is():
    """Else the second one's rows would be left out of every export, and out of every erasure."""

    def register_tables() -> None:
        register_audit_subject("user", lambda user: [])

    with pytest.raises(AlreadyRegistered, match=r"says accounts\.personal_data already"):
        register_tables()


def test_no_table_that_points_to_people_is_named_as_holding_nothing_about_anybody():
    pointing = {
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        if any(field.related_model is User for field in model._meta.concrete_fields)
    }

    assert pointing & impersonal_tables().keys() == set()


@pytest.mark.parametrize("table", personal_tables(), ids=lambda table: table.section)
def test_a_declaration_names_columns_that_there_are_and_says_why_some_are_withheld(table):
    assert set(table.withheld).isdisjoint(table.columns())
    assert all(table.withheld.values())


def test_a_person_gets_what_every_app_holds_about_them(client, ada):
    sign_in(client, ada)
    law = build_course(title="Torts", creator=ada)
    enrollment = build_enrollment(build_course(title="Contracts"), user=ada, details={"student": {"name": "Ada"}})
    post_sale(ada.id, gross_minor=2_500_000, fee_minor=500_000)

    data = data_of(export(client))

    assert [row["email"] for row in data["profile"]] == ["ada@example.com"]
    assert [row["phone"] for row in data["profile"]] == ["+234 801 234 5678"]
    assert [(row["title"], row["id"]) for row in data["courses"]] == [("Torts", str(law.id))]
    assert [(row["currency"], row["amount"]) for row in data["prices"]] == [("NGN", "25000.00"), ("USD", "30.00")]
    assert [(row["id"], row["course_title"]) for row in data["enrollments"]] == [(str(enrollment.id), "Contracts")]
    assert [(row["amount"], row["details"]) for row in data["payments"]] == [("0.00", {"student": {"name": "Ada"}})]
    assert [(row["amount"], row["balance_after"], row["entry_kind"]) for row in data["wallet_movements"]] == [
        ("20000.00", "20000.00", "sale")
    ]
    assert [(row["kind"], row["balance"]) for row in data["wallet_accounts"]] == [("available", "20000.00")]
    assert [row["action"] for row in data["audit"]] == ["user.exported", "course.published"]
    assert data["audit"][0]["after"] == {"ip": "203.0.113.7", "user_agent": "Firefox"}
    assert len(data["sessions"]) == 1 and data["sessions"][0]["created_at"].endswith("Z")


def test_nobody_gets_anything_of_anybody_else(client, ada):
    build_course(title="Secret plans", creator=ada)
    build_enrollment(build_course(), user=ada)
    post_sale(ada.id, gross_minor=100, fee_minor=20)
    OutboundMail.objects.create(key="a", to=ada.email, subject="Hello Ada", text="Ada")
    sign_in(client, build_user())

    answer = export(client)
    text = b"".join(answer.streaming_content).decode()

    assert "Secret plans" not in text and "ada@example.com" not in text and str(ada.id) not in text


def test_what_lets_somebody_in_is_withheld_and_the_document_says_so(client, ada):
    signed_in = sign_in(client, ada)
    OutboundMail.objects.create(key="a", to=ada.email, subject="Your receipt", text="Thank you")
    OutboundMail.objects.create(
        key="b", to=ada.email, subject="Set a new password", sealed_body="secret-1", secret_until=now()
    )

    text = b"".join(export(client).streaming_content).decode()
    document = json.loads(text)

    assert ada.password not in text and "secret-1" not in text
    assert [(row["subject"], row["text"]) for row in document["data"]["mails"][:2]] == [
        ("Your receipt", "Thank you"),
        ("Set a new password", ""),
    ]
    assert Session.objects.get(id=signed_in.session_id).refresh_id not in text
    assert document["withheld"]["profile"] == {"password": "A hash that is of use to nobody but an attacker."}
    assert {table.section for table in personal_tables()} == document["data"].keys()


def test_a_student_gets_the_enrollment_that_somebody_else_bought_for_them(client, ada):
    enrollment = build_enrollment(build_course(), details={"student": {"email": ada.email, "name": "Ada"}})
    sign_in(client, ada)

    assert [row["id"] for row in data_of(export(client))["enrollments"]] == [str(enrollment.id)]


def test_who_has_not_proved_an_address_gets_nothing_that_is_found_by_it(client):
    """Anybody can sign up with the address of a student, or with one that was somebody's before."""
    OutboundMail.objects.create(key="payment:1:receipt", to="grace@example.com", subject="Your receipt", text="Thanks")
    student = {"name": "Grace Obi", "email": "grace@example.com", "phone": "+2348012345678"}
    build_enrollment(build_course(link="https://school.example/room"), details={"student": student})
    mallory = build_user(email="grace@example.com")
    with transaction.atomic():
        verification_mail_queue(mallory)
    sign_in(client, mallory)

    data = data_of(export(client))

    assert data["enrollments"] == []
    assert [row["key"].split(":")[0] for row in data["mails"]] == ["verify-email", "data-exported"]
    assert [row["action"] for row in data["audit"]] == ["user.exported"]
    assert "school.example" not in json.dumps(data) and "8012345678" not in json.dumps(data)


def test_mails_that_went_to_an_address_before_it_was_theirs_are_not(client, ada):
    before = {"to": ada.email, "created_at": now() - timedelta(days=1)}
    OutboundMail.objects.create(key="sale:1", subject="To whoever had it", **before)
    OutboundMail.objects.create(key=f"password-changed:{ada.id}:1", subject="To Ada", **before)
    OutboundMail.objects.create(key=f"password-changed:{ada.id}0:1", subject="Of somebody else", **before)
    OutboundMail.objects.create(key="sale:2", subject="To Ada again", to=ada.email)
    sign_in(client, ada)

    mails = data_of(export(client))["mails"]

    assert {row["subject"] for row in mails[:-1]} == {"To Ada", "To Ada again"}


def test_what_staff_noted_is_withheld_with_the_reason(client, ada):
    enrollment = build_enrollment(build_course(), user=ada)
    enrollment_mark(enrollment_id=enrollment.id, sent=True, notes="Rang twice, angry", actor=build_admin())
    sign_in(client, ada)

    text = b"".join(export(client).streaming_content).decode()
    document = json.loads(text)

    assert "Rang twice" not in text
    assert document["withheld"]["enrollments"]["notes"].startswith("Staff's own")
    assert {"reason", "before.notes", "after.notes"} == document["withheld"]["audit"].keys()
    marked = [row for row in document["data"]["audit"] if row["subject_kind"] == "enrollment"]
    assert [row["after"]["status"] for row in marked][-1:] == ["credentials_sent"]


def test_what_a_gateway_told_of_their_payment_is_theirs(client, ada):
    payment = build_enrollment(build_course(), user=ada).payment
    assert payment is not None
    event = {"source": "paystack", "event_type": "charge.success", "headers": {}}
    InboundEvent.objects.create(external_id="1", body=b'{"customer":"Ada"}', about=payment.reference, **event)
    InboundEvent.objects.create(external_id="2", body=b'{"customer":"Eve"}', about="L247-other", **event)
    InboundEvent.objects.create(external_id="3", body=b'{"customer":"Bob"}', **event)
    sign_in(client, ada)

    assert [row["body"] for row in data_of(export(client))["gateway_events"]] == ['{"customer":"Ada"}']


def test_more_rows_than_a_batch_all_come_once(client, ada):
    course = build_course()
    Payment.objects.bulk_create(
        Payment(
            reference=f"L247-{number}", buyer=ada, product=course.product, currency="JPY", amount_minor=number,
            platform_fee_bps=0, operation="test", idempotency_key=str(number), expires_at=now(),
        )
        for number in range(2_001)
    )  # fmt: skip
    sign_in(client, ada)

    assert [row["amount"] for row in data_of(export(client))["payments"]] == [str(number) for number in range(2_001)]


def test_a_wrong_password_gets_nothing(client, ada):
    sign_in(client, ada)

    refused = export(client, password="wrong horse battery")

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "password_incorrect")
    assert not AuditEntry.objects.filter(action="user.exported").exists()
    assert not OutboundMail.objects.exists()


def test_without_a_password_only_a_fresh_sign_in_gets_it(client, ada):
    ada.set_unusable_password()
    ada.save()
    signed_in = sign_in(client, ada)

    assert data_of(export(client, password=""))["profile"][0]["email"] == "ada@example.com"

    Session.objects.filter(id=signed_in.session_id).update(created_at=now() - timedelta(minutes=16))
    refused = export(client, password="")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, "fresh_sign_in_required")
    assert AuditEntry.objects.filter(action="user.exported").count() == 1


def test_nobody_who_is_not_signed_in_gets_anything(client):
    assert export(client).status_code == 401


def test_the_owner_is_told_and_no_cache_keeps_the_document(client, ada):
    sign_in(client, ada)

    answer = export(client)

    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Disposition"] == 'attachment; filename="personal-data.json"'
    mail = OutboundMail.objects.get()
    assert (mail.to, mail.subject) == ("ada@example.com", "Your data at Learning247 were downloaded")
    assert "from 203.0.113.7" in mail.text


def test_an_operator_writes_a_file_that_they_alone_can_read(ada, tmp_path):
    file = tmp_path / "ada.json"

    call_command("export_person", "Ada@Example.com", reason="Letter 12", output=file, verbosity=0)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["data"]["profile"][0]["email"] == "ada@example.com"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.subject_id, entry.reason) == (
        ("user.exported", None, str(ada.id), "Letter 12")
    )


def test_an_operator_overwrites_no_file_and_finds_nobody_who_is_not_there(ada, tmp_path):
    file = tmp_path / "ada.json"
    file.write_text("mine")

    with pytest.raises(CommandError, match="File exists"):
        call_command("export_person", "ada@example.com", reason="Letter 12", output=file)
    with pytest.raises(CommandError, match="nobody"):
        call_command("export_person", "eve@example.com", reason="Letter 12", output=tmp_path / "eve.json")

    assert file.read_text() == "mine"
    assert not AuditEntry.objects.exists()
