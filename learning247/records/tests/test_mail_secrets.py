"""Links and codes in mails never stand in the table in clear, and are gone once they are sent or worthless."""

from datetime import timedelta
from smtplib import SMTPDataError, SMTPServerDisconnected
from threading import Barrier

import pytest
from django.core import mail as outbox_of_django
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from learning247.kit.clock import now
from learning247.records.models import AuditEntry, OutboundMail
from learning247.records.services.mail import mail_queue, mail_resend, mail_send, mail_sweep
from learning247.records.tests.builders import a_user
from learning247.records.tests.races import at_once
from learning247.records.tests.test_mail import failing_with

LINK = "https://www.example.com/reset-password#token=kept-from-the-table"


def queue(*, key="reset:1", minutes=15, secret=True, clock=now, to="ada@example.com"):
    mail_queue(
        key=key,
        to=to,
        template="reset_password",
        context={"first_name": "Ada", "url": LINK},
        secret_until=clock() + timedelta(minutes=minutes) if secret else None,
    )
    return OutboundMail.objects.get(key=key)


def stored():
    """Everything that the table holds, as a backup would have it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(m::text, ' '), '') FROM records_outboundmail AS m")
        return cursor.fetchone()[0]


def park(mail, reason="SMTPServerDisconnected: gone"):
    OutboundMail.objects.filter(pk=mail.pk).update(status="parked", attempts=10, reason=reason)


@pytest.fixture
def queued(db, jobs, clock):
    return queue(clock=clock)


def test_the_body_is_sealed_while_it_waits_and_gone_once_it_is_sent(queued):
    assert "kept-from-the-table" not in stored()
    assert (queued.text, queued.html) == ("", "")

    mail_send(queued.id)

    (sent,) = outbox_of_django.outbox
    assert isinstance(sent, outbox_of_django.EmailMultiAlternatives)
    assert LINK in sent.body
    assert LINK in str(sent.alternatives[0][0])
    queued.refresh_from_db()
    assert (queued.status, queued.sealed_body, queued.body()) == ("sent", "", ("", ""))


def test_a_mail_without_a_secret_keeps_its_body(db, jobs):
    mail = queue(secret=False)
    mail_send(mail.id)

    mail.refresh_from_db()
    assert (mail.status, LINK in mail.text, mail.sealed_body) == ("sent", True, "")


@pytest.mark.parametrize(
    ("change", "guard"),
    [
        ({"text": LINK}, "records_mail_secret_is_sealed"),
        ({"html": LINK}, "records_mail_secret_is_sealed"),
        ({"status": "sent"}, "records_mail_sealed_until_sent"),
        ({"secret_until": None}, "records_mail_sealed_until_sent"),
    ],
)
def test_the_database_keeps_no_secret_in_clear_and_none_that_was_sent(queued, change, guard):
    with pytest.raises(IntegrityError, match=guard), transaction.atomic():
        OutboundMail.objects.update(**change)


def test_what_has_expired_before_it_could_be_sent_is_parked_and_gone(queued, clock, monkeypatch):
    with monkeypatch.context() as patched:
        failing_with(patched, SMTPServerDisconnected("gone"))
        mail_send(queued.id)
    clock.forward(minutes=15)

    mail_send(queued.id)

    queued.refresh_from_db()
    assert (queued.status, queued.sealed_body, outbox_of_django.outbox) == ("parked", "", [])
    assert queued.reason == "The link or code in it has expired. SMTPServerDisconnected: gone"


def test_a_second_before_it_expires_it_is_still_sent(queued, clock):
    clock.forward(minutes=14, seconds=59)

    mail_send(queued.id)

    assert len(outbox_of_django.outbox) == 1


def test_a_server_that_quotes_the_body_it_refuses_is_not_quoted(queued, monkeypatch):
    failing_with(monkeypatch, SMTPDataError(554, f"5.7.1 blocked address {LINK}".encode()))

    mail_send(queued.id)

    queued.refresh_from_db()
    assert queued.reason == "SMTPDataError: 554. The server's words are not kept: the mail carries a secret."
    assert "kept-from-the-table" not in stored()


def test_a_body_whose_key_is_gone_waits_for_the_key(queued, settings):
    keys, settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS, ["another key"]
    mail_send(queued.id)
    queued.refresh_from_db()
    assert (queued.status, queued.attempts, outbox_of_django.outbox) == ("pending", 1, [])
    assert queued.reason.startswith("DecryptionFailed: This mail-body cannot be read")

    settings.FIELD_ENCRYPTION_KEYS = keys
    mail_send(queued.id)
    assert len(outbox_of_django.outbox) == 1


def test_the_sweep_drops_parked_bodies_that_have_expired_and_no_others(db, jobs, clock):
    parked, good, waiting = (queue(key=key, clock=clock) for key in ("parked", "good", "waiting"))
    park(parked)
    OutboundMail.objects.filter(pk=good.pk).update(secret_until=clock.moment + timedelta(days=3), status="parked")
    clock.forward(minutes=15)

    mail_sweep()

    sealed = {mail.key: bool(mail.sealed_body) for mail in OutboundMail.objects.all()}
    assert sealed == {"parked": False, "good": True, "waiting": True}
    mail_send(waiting.id)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.sealed_body) == ("parked", "")


class TestResend:
    def test_a_parked_mail_goes_out_under_its_own_message_id_and_who_did_it_is_on_record(self, queued, clock, jobs):
        park(queued)
        jobs.clear()
        boss = a_user("boss@example.com")

        resent = mail_resend(mail_ids=[queued.id], actor=boss, reason=" The server is back. ")

        assert (resent.again, resent.expired, resent.not_parked) == (1, 0, 0)
        assert jobs == [("records.send_mail", (str(queued.id), "0"), "mail")]
        entry = AuditEntry.objects.get()
        assert (entry.actor_id, entry.action, entry.subject_id, entry.reason) == (
            boss.pk,
            "mail.resent",
            str(queued.id),
            "The server is back.",
        )
        assert entry.before == {"status": "parked", "attempts": 10, "reason": "SMTPServerDisconnected: gone"}
        mail_send(queued.id, attempt=0)
        (sent,) = outbox_of_django.outbox
        assert sent.message()["Message-ID"].startswith(f"<{queued.id}@")

    def test_one_that_has_expired_stays_parked(self, queued, clock, jobs):
        park(queued)
        clock.forward(minutes=15)
        jobs.clear()

        resent = mail_resend(mail_ids=[queued.id], actor=a_user("boss@example.com"), reason="Asked for it.")

        assert (resent.again, resent.expired, resent.not_parked) == (0, 1, 0)
        assert (OutboundMail.objects.get().status, jobs, AuditEntry.objects.count()) == ("parked", [], 0)

    @pytest.mark.parametrize("status", ["pending", "sent"])
    def test_one_that_is_not_parked_is_left_alone(self, db, jobs, status):
        mail = queue(secret=False)
        OutboundMail.objects.update(status=status)
        jobs.clear()

        resent = mail_resend(mail_ids=[mail.id], actor=a_user("boss@example.com"), reason="Asked for it.")

        assert (resent.again, resent.expired, resent.not_parked) == (0, 0, 1)
        assert (OutboundMail.objects.get().status, jobs, AuditEntry.objects.count()) == (status, [], 0)


@pytest.mark.race
class TestTwoMembersOfStaff:
    """Resend the same mail at the same moment."""

    def resend_at_once(self):
        with transaction.atomic():
            mail, boss = queue(), a_user("boss@example.com")
        park(mail)
        both = at_once(2, lambda _: mail_resend(mail_ids=[mail.id], actor=boss, reason="The server is back."))
        return sorted(resent.again for resent in both), AuditEntry.objects.filter(action="mail.resent").count()

    def test_one_of_them_does(self, committed_db, jobs):
        assert self.resend_at_once() == ([0, 1], 1)

    def test_without_the_lock_both_would(self, committed_db, jobs, monkeypatch):
        both_have_it = Barrier(2)

        def read(ids):
            mails = list(OutboundMail.objects.filter(pk__in=ids))
            both_have_it.wait(10)
            return mails

        monkeypatch.setattr("learning247.records.services.mail.mail_lock_all", read)

        assert self.resend_at_once() == ([1, 1], 2)


@pytest.fixture
def before_the_migration(committed_db):
    """The table as it was before bodies were sealed."""
    MigrationExecutor(connection).migrate([("records", "0002_audit_append_only")])
    yield (
        MigrationExecutor(connection)
        .loader.project_state([("records", "0002_audit_append_only")])
        .apps.get_model("records", "OutboundMail")
    )


def test_mails_that_are_there_already_are_sealed_or_lose_their_links(before_the_migration):
    ages = {"fresh": timedelta(minutes=14), "old": timedelta(minutes=16)}
    for name, prefix, age, status in (
        ("sent", "verify-email:1:", "fresh", "sent"),
        ("waiting", "reset-password:1:", "fresh", "pending"),
        ("over", "reset-password:1:", "old", "parked"),
        ("verify", "verify-email:1:", "old", "parked"),
        ("receipt", "payment:", "old", "sent"),
    ):
        before_the_migration.objects.create(
            key=f"{prefix}{name}", to="ada@example.com", subject="x", text=f"{LINK}\n", html=f"<p>{LINK}</p>",
            status=status, created_at=now() - ages[age],
        )  # fmt: skip

    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("records"))

    mails = {mail.key.rpartition(":")[2]: mail for mail in OutboundMail.objects.all()}
    assert {name: mail.body().text for name, mail in mails.items()} == {
        "sent": "",
        "waiting": f"{LINK}\n",
        "over": "",
        "verify": f"{LINK}\n",
        "receipt": f"{LINK}\n",
    }
    assert mails["waiting"].body().html == f"<p>{LINK}</p>"
    assert stored().count("kept-from-the-table") == 2, "the receipt's text and HTML"
    good_for = {name: mail.secret_until and mail.secret_until - mail.created_at for name, mail in mails.items()}
    assert good_for == {
        "sent": timedelta(days=3),
        "waiting": timedelta(minutes=15),
        "over": timedelta(minutes=15),
        "verify": timedelta(days=3),
        "receipt": None,
    }
