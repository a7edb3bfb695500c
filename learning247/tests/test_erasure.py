"""Deleting an account: nothing in the database tells any more who it was, and the books hold."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from accounts.errors import AccountNotSettled, StaffNotErasable
from accounts.models import Erasure, OneTimeCode, Session, SingleUseLink, User
from accounts.services.erasures import erasure_by_staff, erasure_finish, erasure_sweep
from accounts.tests.builders import PASSWORD, build_admin, build_creator, build_user, sign_in
from courses.enums import CourseStatus
from courses.models import Course, Enrollment
from courses.services.enrollments import enrollment_mark
from courses.tests.builders import build_course, build_enrollment
from learning247.kit.clock import now
from learning247.records.errors import ReasonRequired
from learning247.records.models import AuditEntry, IdempotencyRecord, InboundEvent, OutboundMail
from learning247.records.personal_tables import personal_tables
from learning247.records.services.audit import audit_record
from learning247.records.services.mail import mail_queue, mail_resend
from payments.enums import DisputeStatus, GatewayName, PaymentStatus
from payments.models import Dispute, Payment
from payments.personal_data import TO_BUYER
from wallets.tests.builders import post_between, post_sale

EMAIL, PHONE, IP, AGENT = "zebulonina@quillfeather.example", "+234 801 555 0199", "198.51.100.77", "Quillbrowser"
IDENTIFYING = (
    "zebulonina",
    "quillfeather",
    "801 555 0199",
    "198.51.100.77",
    "quillbrowser",
    "by the lighthouse",
    "1095551234",
)
DEVICE: Any = {"REMOTE_ADDR": IP, "HTTP_USER_AGENT": AGENT}


@pytest.fixture
def client() -> APIClient:
    return APIClient()


def build_person(**fields: Any) -> User:
    values = {
        "email": EMAIL, "first_name": "Zebulonina", "last_name": "Quillfeather", "phone": PHONE, "country": "NG",
        "bio": "Lives by the lighthouse.", "avatar_url": "https://quillfeather.example/me.png",
    }  # fmt: skip
    return build_user(verified=True, **(values | fields))


@pytest.fixture
def person(db: None) -> User:
    return build_person()


def mailed_token() -> str:
    body = OutboundMail.objects.filter(key__startswith="erasure:").latest("created_at").body()
    found = re.search(r"/delete-account#token=(\S+)", body.text)
    assert found is not None
    return found[1]


def ask(client: APIClient, password: str = PASSWORD) -> Any:
    return client.post("/auth/me/delete", {"password": password}, format="json", **DEVICE)


def confirm(token: str) -> Any:
    return APIClient().post("/auth/delete-account", {"token": token}, format="json", **DEVICE)


def erase(user: User) -> None:
    erasure_by_staff(user=user, actor=build_admin(), reason="Letter 12")


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def found_in_database(words: tuple[str, ...]) -> list[tuple[str, str]]:
    """(table, word) for every table in whose rows, as text, one of the words stands; bytes are read as text."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, array_agg(CASE WHEN a.atttypid = 'bytea'::regtype"
            "   THEN format('encode(%I, ''escape'')', a.attname) ELSE format('%I::text', a.attname) END)"
            " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace GROUP BY c.relname"
        )
        for table, columns in cursor.fetchall():
            cursor.execute(f'SELECT lower(concat_ws(chr(10), {", ".join(columns)})) FROM "{table}"')
            rows = [row for (row,) in cursor.fetchall()]
            found += [(table, word) for word in words if any(word in row for row in rows)]
    return found


def leave_traces_everywhere(client: APIClient, person: User) -> None:
    """As a person does who signs in, asks, buys, teaches, is written to, and whom staff look at."""
    client.post("/auth/login", {"email": EMAIL, "password": PASSWORD}, format="json", **DEVICE)
    client.post("/auth/login", {"email": EMAIL, "password": "wrong horse battery"}, format="json", **DEVICE)
    client.post("/auth/forgot-password", {"email": EMAIL}, format="json", **DEVICE)
    sign_in(client, person)
    Session.objects.filter(user=person).update(ip=IP, user_agent=AGENT)
    client.post("/auth/me/export", {"password": PASSWORD}, format="json", **DEVICE)
    student = {"name": "Zebulonina Quillfeather", "email": EMAIL, "phone": PHONE}
    own = build_enrollment(build_course(), user=person, details={"student": student}, idempotency_key=f"{EMAIL}-1")
    given = build_enrollment(build_course(), details={"student": student})
    staff = build_admin()
    for enrollment in (own, given):
        enrollment_mark(enrollment_id=enrollment.id, sent=True, notes="Zebulonina rang: 801 555 0199", actor=staff)
    assert own.payment is not None
    for number, outcome in enumerate(("done", "parked")):
        InboundEvent.objects.create(
            source="paystack", external_id=str(number), event_type="charge.success", about=own.payment.reference,
            body=f'{{"email":"{EMAIL}","ip":"{IP}"}}'.encode(), headers={"From": EMAIL}, status=outcome,
            done_at=now() if outcome == "done" else None, reason="parked",
        )  # fmt: skip
    OneTimeCode.objects.create(
        user=person, purpose="withdrawal", subject_digest="0", code_digest="1", expires_at=now() + timedelta(minutes=1)
    )
    IdempotencyRecord.objects.create(
        user=person, operation="x", key="1", request_digest="2", lease_until=now(), answer_body=EMAIL.encode()
    )
    SocialAccount.objects.create(user=person, provider="google", uid="1095551234567890")
    for model, pk in ((User, person.pk), (Enrollment, own.pk)):
        LogEntry.objects.create(
            user=staff, content_type=ContentType.objects.get_for_model(model), object_id=str(pk), action_flag=2,
            object_repr=EMAIL, change_message="[]",
        )  # fmt: skip
    with transaction.atomic():
        audit_record(
            actor=person, action="user.google_linked", subject_kind="user", subject_id=person.pk,
            after={"subject": "1095551234567890", "ip": IP, "user_agent": AGENT},
        )  # fmt: skip
        audit_record(
            actor=staff, action="user.changed", subject_kind="user", subject_id=person.pk,
            reason="Zebulonina Quillfeather asked", before={"email": EMAIL, "role": "user", "country": "NG"},
            after={"email": EMAIL, "country": ""},
        )  # fmt: skip
        audit_record(
            actor=staff, action="enrollments.exported", subject_kind="enrollment", subject_id="*",
            after={"filters": {"search": EMAIL}, "rows": 2},
        )  # fmt: skip
        mail_queue(
            key="sale", to=EMAIL, template="session_reused",
            context={"first_name": "Zebulonina", "when": now(), "device": {"ip": IP}},
        )  # fmt: skip


# --- What is forgotten


@pytest.mark.parametrize("table", personal_tables(), ids=lambda table: table.section)
def test_every_table_forgets_is_deleted_or_says_why_it_is_kept(table):
    assert table.forget is not None or table.deleted or table.kept


def test_afterwards_no_column_of_any_table_tells_who_it_was(client, person):
    leave_traces_everywhere(client, person)
    assert {table for table, _ in found_in_database(IDENTIFYING)} >= {
        "accounts_user", "accounts_session", "accounts_recoveryrequest", "courses_enrollment", "payments_payment",
        "records_auditentry", "records_idempotencyrecord", "records_inboundevent", "records_outboundmail",
        "django_admin_log",
    }  # fmt: skip

    erase(person)
    erasure_finish(person.id)

    assert found_in_database(IDENTIFYING) == []


def test_the_account_stays_as_nobodys(client, person):
    erase(person)

    person.refresh_from_db()
    assert (person.full_name, person.email) == (
        f"Deleted user {person.id.hex[-8:]}", f"deleted+{person.id.hex}@invalid"
    )  # fmt: skip
    assert not person.is_active and not person.has_usable_password()
    assert (person.phone, person.country, person.bio, person.avatar_url) == ("", "", "", "")


def test_the_audit_keeps_what_was_done_and_forgets_by_whom_from_where(client, person):
    leave_traces_everywhere(client, person)
    before = list(AuditEntry.objects.order_by("id").values_list("id", "actor", "action", "subject_id", "created_at"))

    erase(person)

    kept = AuditEntry.objects.order_by("id").values_list("id", "actor", "action", "subject_id", "created_at")
    assert list(kept)[: len(before)] == before
    signed_in = AuditEntry.objects.filter(action="user.signed_in").latest("id").after or {}
    assert signed_in["door"] == "api"
    assert (signed_in["ip"], signed_in["user_agent"]) == ("forgotten", "forgotten")
    changed = AuditEntry.objects.get(action="user.changed")
    assert (changed.before, changed.reason) == (
        {"email": "forgotten", "role": "user", "country": "forgotten"},
        "forgotten",
    )
    assert changed.after == {"email": "forgotten", "country": ""}
    exported = AuditEntry.objects.get(action="enrollments.exported")
    assert exported.after == {"filters": {"search": "forgotten"}, "rows": 2}


def test_the_entry_of_the_erasure_tells_who_did_it_and_why_and_nothing_of_the_person(person):
    staff = build_admin()
    erasure_by_staff(user=person, actor=staff, reason="Letter 12")

    entry = AuditEntry.objects.get(action="user.erased")
    assert (entry.actor, entry.subject_id, entry.reason) == (staff, str(person.id), "Letter 12")
    assert (entry.before, entry.after) == (None, None)


@pytest.mark.parametrize("reason", ["", "  "])
def test_an_erasure_without_a_reason_erases_nobody(person, reason):
    with pytest.raises(ReasonRequired):
        erasure_by_staff(user=person, actor=build_admin(), reason=reason)
    assert Erasure.objects.count() == 0
    assert User.objects.get(pk=person.pk).email == EMAIL


def test_a_mail_that_is_forgotten_is_not_sent_again(client, person, run_jobs, mailoutbox):
    leave_traces_everywhere(client, person)
    erase(person)
    forgotten = OutboundMail.objects.filter(to__endswith="@invalid")

    resent = mail_resend(mail_ids=forgotten.values_list("pk", flat=True), actor=build_admin(), reason="All of them.")
    run_jobs()

    assert resent.again == 0
    assert mailoutbox == []
    assert set(forgotten.values_list("status", flat=True)) == {"parked"}


def test_others_keep_what_is_theirs(client, person):
    other = build_user(email="bola@example.com", first_name="Bola")
    sign_in(client, other)
    client.post("/auth/me/export", {"password": PASSWORD}, format="json", REMOTE_ADDR="192.0.2.1")
    enrollment = build_enrollment(build_course(), user=other)

    erase(person)

    other.refresh_from_db()
    assert (other.email, other.first_name) == ("bola@example.com", "Bola")
    assert Session.objects.filter(user=other).count() == 1
    assert AuditEntry.objects.values_list("after__ip", flat=True).get(action="user.exported") == "192.0.2.1"
    assert Enrollment.objects.get(id=enrollment.id).student_email == "bola@example.com"
    assert OutboundMail.objects.get(key__startswith="data-exported").to == "bola@example.com"


OLD = "zebulonina@old.quillfeather.example"


def change_email(user: User, email: str) -> None:
    """As staff do, in the console."""
    browser = Client()
    browser.force_login(build_admin())
    kept = ("first_name", "last_name", "phone", "country", "bio", "avatar_url")
    form = {name: getattr(user, name) or "" for name in kept} | {
        "email": email,
        "is_active": "on",
        "role": "user",
        "reason": "Asked",
    }
    assert browser.post(f"/admin/accounts/user/{user.pk}/change/", form).status_code == 302
    user.refresh_from_db()
    assert (user.email, user.email_verified) == (email, False)


def test_earlier_addresses_are_forgotten_too(db):
    person = build_person(email=OLD)
    student = {"name": "Zebulonina Quillfeather", "email": OLD, "phone": PHONE}
    build_enrollment(build_course(), user=person, details={"student": student})
    build_enrollment(build_course(), details={"student": student})
    with transaction.atomic():
        context = {"first_name": "Zebulonina", "when": now(), "device": {"ip": IP}}
        mail_queue(key="sale", to=OLD, template="session_reused", context=context)
    change_email(person, EMAIL)
    person.email_verified_at = now()
    person.save()
    change_email(person, f"second.{EMAIL}")

    erase(person)

    assert found_in_database(IDENTIFYING) == []


def test_whoever_has_an_earlier_address_now_keeps_what_is_theirs(client, db):
    person = build_person(email=OLD)
    change_email(person, EMAIL)
    bola = build_user(email=OLD, first_name="Bola", verified=True)
    student = {"name": "Bola", "email": OLD, "phone": "+234 802"}
    enrollment = build_enrollment(build_course(), details={"student": student})
    with transaction.atomic():
        context = {"first_name": "Bola", "when": now(), "device": {"ip": IP}}
        mail_queue(key="sale", to=OLD, template="session_reused", context=context)

    erase(person)

    enrollment.refresh_from_db()
    assert (enrollment.student_email, Payment.objects.get().details) == (OLD, {"student": student})
    assert "Bola" in OutboundMail.objects.get(key="sale").text
    sign_in(client, bola)
    assert client.get("/auth/me").json()["email"] == OLD


def test_what_was_mailed_of_payments_and_refunds_is_forgotten_wherever_it_went(person):
    payment = build_enrollment(build_course(), user=person).payment
    assert payment is not None
    mails = [f"payment:{payment.pk}:receipt", f"payment:{payment.pk}:sale_notice", "payment:0:receipt"]
    for key in mails:
        OutboundMail.objects.create(key=key, to="elsewhere@example.com", subject="Thank you", text="Zebulonina")

    erase(person)

    told = OutboundMail.objects.filter(key__in=mails).values_list("key", "text")
    assert dict(told) == dict(zip(mails, ["", "Zebulonina", "Zebulonina"], strict=True))


def test_every_mail_that_names_a_buyer_is_found_by_its_key():
    mails = (Path(__file__).parents[2] / "templates/mail").glob("*.txt")
    naming = {path.name.partition(".")[0] for path in mails if "{{ buyer." in path.read_text()}

    assert naming == {"receipt", *TO_BUYER}


def test_who_never_proved_an_address_takes_nothing_of_its_owners_along(db):
    """Else anybody could sign up with a student's address, and by leaving wipe what others bought for them."""
    student = {"name": "Zebulonina Quillfeather", "email": EMAIL, "phone": PHONE}
    enrollment = build_enrollment(build_course(), details={"student": student})
    with transaction.atomic():
        context = {"first_name": "Zebulonina", "when": now(), "device": {"ip": IP}}
        mail_queue(key="sale", to=EMAIL, template="session_reused", context=context)
    mallory = build_user(email=EMAIL)

    erase(mallory)

    enrollment.refresh_from_db()
    assert (enrollment.student_email, enrollment.student_phone) == (EMAIL, PHONE)
    assert Payment.objects.get().details == {"student": student}
    assert set(OutboundMail.objects.values_list("to", "status")) == {(EMAIL, "pending")}


def test_mails_that_had_not_gone_out_do_not(client, person, run_jobs, mailoutbox):
    leave_traces_everywhere(client, person)

    erase(person)
    run_jobs()

    assert mailoutbox == []
    assert set(OutboundMail.objects.filter(to__endswith="@invalid").values_list("status", flat=True)) == {"parked"}


def test_an_event_that_still_waits_is_handled_first_and_forgotten_then(client, person):
    payment = build_enrollment(build_course(), user=person).payment
    assert payment is not None
    event = InboundEvent.objects.create(
        source="paystack", external_id="1", event_type="charge.success", about=payment.reference, headers={},
        body=EMAIL.encode(),
    )  # fmt: skip
    erase(person)
    Erasure.objects.update(erased_at=now() - timedelta(days=8))

    assert erasure_sweep() == 1
    event.refresh_from_db()
    assert bytes(event.body) == EMAIL.encode()
    assert Erasure.objects.get().finished_at is None

    InboundEvent.objects.update(status="done", done_at=now())
    assert erasure_sweep() == 1
    event.refresh_from_db()
    assert bytes(event.body) == b"{}"
    assert Erasure.objects.get().finished_at is not None
    assert erasure_sweep() == 0


# --- The audit's door


def audit_forget(user: User, *, kinds: list[str], ids: list[str], words: list[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT records_audit_forget(%s, %s, %s, %s, %s)", [user.pk, kinds, ids, words, words])


def test_the_trail_forgets_nobody_whose_erasure_is_not_on_record(client, person):
    client.post("/auth/login", {"email": EMAIL, "password": PASSWORD}, format="json", **DEVICE)

    with pytest.raises(IntegrityError, match="not on record"):
        audit_forget(person, kinds=["user"], ids=[str(person.id)], words=[])

    assert AuditEntry.objects.values_list("after__ip", flat=True).get() == IP


@pytest.mark.parametrize(
    "change",
    [
        'after = \'{"ip": "192.0.2.1"}\'',
        'after = \'{"ip": "forgotten", "more": 1}\'',
        "after = '{}'",
        "after = NULL",
        "before = '{}'",
        "reason = 'another'",
        "action = 'forgotten'",
        "subject_id = 'forgotten'",
        "actor_id = NULL",
        "created_at = now()",
    ],
)
def test_no_entry_can_be_made_to_say_something_else(person, change):
    with transaction.atomic():
        audit_record(actor=person, action="x", subject_kind="user", subject_id="1", reason="why", after={"ip": IP})

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE records_auditentry SET {change}")

    assert AuditEntry.objects.get().after == {"ip": IP}


def test_numbers_and_truths_cannot_be_forgotten(person):
    with transaction.atomic():
        audit_record(actor=None, action="x", subject_kind="user", subject_id="1", after={"fee": 2000, "staff": True})

    for forgotten in ('{"fee": "forgotten", "staff": true}', '{"fee": 2000, "staff": "forgotten"}'):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE records_auditentry SET after = %s", [forgotten])


# --- Asking and confirming


def test_a_person_asks_and_opens_the_link_and_is_gone(client, person):
    build_enrollment(build_course(), user=person)
    sign_in(client, person)

    asked = ask(client)
    assert asked.status_code == 202
    assert {"profile", "enrollments"} <= {entry["what"] for entry in asked.json()["kept"]}
    assert client.get("/auth/me").status_code == 200

    assert confirm(mailed_token()).status_code == 204
    assert client.get("/auth/me").status_code == 401
    assert not Session.objects.exists() and not SingleUseLink.objects.exists()


def test_whoever_asks_is_told_what_stays_of_theirs_and_of_nothing_else(client, person):
    learner = build_user(email="learner@example.com")
    sign_in(client, learner)

    asked = ask(client)

    named = {entry["what"] for entry in asked.json()["kept"]}
    assert {"profile", "erasures"} <= named
    assert not {"payments", "wallet_movements", "console"} & named
    body = OutboundMail.objects.get(key__startswith="erasure:").body()
    shown = {line.removeprefix("* ") for line in body.text.splitlines() if line.startswith("* ")}
    assert shown == {entry["why"] for entry in asked.json()["kept"]}
    assert "whoever asked knows yours" in body.text


def test_who_has_no_password_is_not_told_that_somebody_knows_it(client, person):
    person.set_unusable_password()
    person.save()
    sign_in(client, person)

    assert ask(client, "").status_code == 202

    body = OutboundMail.objects.get(key__startswith="erasure:").body()
    for part in (body.text, body.html):
        assert "whoever asked knows yours" not in part
        assert "make that Google account safe" in part and "/forgot-password" in part


def test_the_link_works_once(client, person):
    sign_in(client, person)
    ask(client)
    token = mailed_token()
    confirm(token)

    assert code_of(confirm(token)) == (400, "erasure_token_invalid")
    assert AuditEntry.objects.filter(action="user.erased").count() == 1


def test_the_link_is_kept_sealed_and_expires(client, person):
    sign_in(client, person)
    ask(client)
    token = mailed_token()
    mail = OutboundMail.objects.get(key__startswith="erasure:")
    assert mail.text == "" and token not in mail.sealed_body

    SingleUseLink.objects.update(expires_at=now())

    assert code_of(confirm(token)) == (400, "erasure_token_invalid")
    person.refresh_from_db()
    assert person.email == EMAIL


def test_a_link_for_something_else_deletes_nothing(client, person):
    sign_in(client, person)
    ask(client)
    SingleUseLink.objects.update(purpose="password_reset")

    assert code_of(confirm(mailed_token())) == (400, "erasure_token_invalid")
    assert User.objects.filter(email=EMAIL).exists()


def test_a_wrong_password_mails_nothing(client, person):
    sign_in(client, person)

    assert code_of(ask(client, "wrong horse battery")) == (400, "password_incorrect")
    assert not OutboundMail.objects.exists() and not SingleUseLink.objects.exists()


def test_tokens_and_password_are_worth_nothing_at_once(client, person):
    signed_in = sign_in(client, person)
    erase(person)

    assert code_of(client.get("/auth/me")) == (401, "token_not_valid")
    refreshed = client.post("/auth/refresh", {"refresh": signed_in.refresh}, format="json")
    assert code_of(refreshed) == (401, "token_not_valid")
    for email in (EMAIL, User.objects.get(id=person.id).email):
        login = APIClient().post("/auth/login", {"email": email, "password": PASSWORD}, format="json")
        assert login.status_code in (400, 401)


def test_the_email_is_free_and_whoever_takes_it_gets_nothing_of_the_old_account(client, person):
    build_enrollment(build_course(), user=person)
    erase(person)

    newcomer = {"email": EMAIL, "password": PASSWORD, "first_name": "Zebulonina", "last_name": "Quillfeather"}
    answer = client.post("/auth/register", newcomer, format="json")

    assert answer.status_code == 201
    assert answer.json()["user"]["id"] != str(person.id)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
    assert client.get("/api/courses/my-enrollments").json()["results"] == []
    assert client.get("/api/payments").json()["results"] == []


# --- What is in the way


def test_money_in_the_wallet_is_in_the_way(client, person):
    post_sale(person.id, gross_minor=2_500_000, fee_minor=500_000)
    post_between(person.id, amount_minor=500_000)
    sign_in(client, person)

    refused = ask(client)

    assert code_of(refused) == (409, "account_not_settled")
    assert refused.json()["extra"]["obstacles"] == [
        {
            "code": "wallet_not_empty",
            "detail": f"NGN {amount} is {kind} in your wallet. "
            "Withdraw what is available, and wait for what is not yet.",
        }
        for amount, kind in (("15,000.00", "available"), ("5,000.00", "held for withdrawals"))
    ]
    assert not OutboundMail.objects.exists()


def pending(buyer: User, course: Course, status: PaymentStatus) -> Payment:
    payment = Payment.objects.create(
        reference=f"L247-{status}", buyer=buyer, product=course.product, status=status, currency="NGN",
        gateway=GatewayName.PAYSTACK, amount_minor=100, platform_fee_bps=0, operation="test", idempotency_key="1",
        expires_at=now(), review_reason="amount_mismatch" if status == "in_review" else "",
    )  # fmt: skip
    if status == PaymentStatus.DISPUTED:
        Dispute.objects.create(
            payment=payment, gateway_dispute_id="1", status=DisputeStatus.UNDER_REVIEW, currency="NGN",
            amount_minor=100, opened_at=now(),
        )  # fmt: skip
    return payment


@pytest.mark.parametrize(
    ("status", "code"),
    [("pending", "payment_open"), ("in_review", "payment_unsettled"), ("disputed", "payment_unsettled")],
)
def test_a_payment_that_is_not_settled_is_in_the_way(person, status, code):
    pending(person, build_course(), PaymentStatus(status))

    with pytest.raises(AccountNotSettled) as refusal:
        erase(person)

    assert [obstacle["code"] for obstacle in (refusal.value.extra or {})["obstacles"]] == [code]
    assert User.objects.filter(email=EMAIL).exists()


@pytest.mark.parametrize("status", ["pending", "in_review", "disputed"])
def test_a_sale_that_is_not_settled_is_in_the_way(db, status):
    creator = build_creator(email=EMAIL)
    pending(build_user(), build_course(creator=creator), PaymentStatus(status))

    with pytest.raises(AccountNotSettled) as refusal:
        erase(creator)

    assert [obstacle["code"] for obstacle in (refusal.value.extra or {})["obstacles"]] == ["sale_unsettled"]


def test_what_came_into_the_way_after_asking_leaves_the_link_good(client, person):
    sign_in(client, person)
    ask(client)
    token = mailed_token()
    payment = pending(person, build_course(), PaymentStatus.PENDING)

    assert code_of(confirm(token)) == (409, "account_not_settled")
    assert client.get("/auth/me").status_code == 200

    Payment.objects.filter(pk=payment.pk).update(status=PaymentStatus.EXPIRED)
    assert confirm(token).status_code == 204


@pytest.mark.parametrize("rights", [{"is_staff": True}, {"is_superuser": True}, {"role": "admin"}])
def test_staff_are_refused(client, rights, db):
    staff = build_person(**rights)
    sign_in(client, staff)

    assert code_of(ask(client)) == (409, "staff_account")
    with pytest.raises(StaffNotErasable):
        erase(staff)
    assert User.objects.filter(email=EMAIL).exists()


# --- What somebody leaves to others


def test_sold_courses_serve_their_buyers_and_others_are_erased(client, db):
    creator = build_person(is_creator=True)
    sold, unsold = build_course(title="Sold", creator=creator), build_course(title="Unsold", creator=creator)
    build_course(title="Draft", creator=creator, status=CourseStatus.DRAFT)
    learner = build_user()
    build_enrollment(sold, user=learner)
    erase(creator)
    sign_in(client, learner)

    assert list(Course.objects.values_list("title", "status")) == [("Sold", "withdrawn")]
    mine = client.get("/api/courses/my-enrollments").json()["results"]
    assert [row["course"]["link"] for row in mine] == ["https://classroom.example.com/room"]
    assert client.get(f"/api/courses/{sold.id}").json()["creator"]["name"] == f"Deleted user {creator.id.hex[-8:]}"
    assert APIClient().get(f"/api/courses/{unsold.id}").status_code == 404


def test_twice_is_as_good_as_once(person):
    erase(person)
    erase(person)

    assert Erasure.objects.count() == 1
    assert AuditEntry.objects.filter(action="user.erased").count() == 1


# --- The console


def test_a_superuser_deletes_an_account_with_a_reason(db):
    person, staff = build_person(), build_admin()
    browser = Client()
    browser.force_login(staff)
    action = {"action": "erase", "_selected_action": [str(person.pk)]}

    sign_in(APIClient(), person)
    page = browser.post("/admin/accounts/user/", action).content.decode()
    assert "<h2>Is deleted</h2><ul><li>sessions (1)</li>" in page and "<h2>Stays, and why</h2>" in page
    assert "profile (1): An account without name, email or password, by which nobody signs in" in page
    for reason in ({}, {"reason": " "}):
        refused = browser.post("/admin/accounts/user/", action | {"apply": "yes"} | reason).content.decode()
        assert "Say why: it goes on record with your name." in refused
    assert User.objects.filter(email=EMAIL).exists()

    browser.post("/admin/accounts/user/", action | {"apply": "yes", "reason": "Letter 12"})
    assert not User.objects.filter(email=EMAIL).exists()
    entry = AuditEntry.objects.get(action="user.erased")
    assert (entry.actor, entry.reason) == (staff, "Letter 12")
    assert browser.post(f"/admin/accounts/user/{person.pk}/change/", {"email": EMAIL}).status_code == 403


def test_support_cannot_delete_anybody(db):
    person = build_person()
    support = build_user(is_staff=True)
    support.user_permissions.add(*ContentType.objects.get_for_model(User).permission_set.all())
    browser = Client()
    browser.force_login(support)

    browser.post(
        "/admin/accounts/user/", {"action": "erase", "_selected_action": [str(person.pk)], "reason": "Letter 12"}
    )

    assert User.objects.filter(email=EMAIL).exists()
    assert not AuditEntry.objects.filter(action="user.erased").exists()
