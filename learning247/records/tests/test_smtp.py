"""Mails over a real SMTP server: whole and encrypted, and neither lost nor doubled when it misbehaves."""

import threading
from datetime import timedelta

import pytest
import trustme
from django.db import transaction

from learning247.kit import smtp
from learning247.records.models import OutboundMail
from learning247.records.services import mail as mail_service
from learning247.records.services.mail import mail_queue, mail_resend, mail_send
from learning247.records.tests.builders import a_user
from learning247.records.tests.mail_server import PASSWORD, USER, mail_server, trusted
from learning247.records.tests.races import at_once


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def smtp_settings(settings, authority, tmp_path):
    settings.EMAIL_BACKEND = "learning247.kit.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = USER, PASSWORD
    settings.EMAIL_USE_TLS = True
    settings.EMAIL_SSL_CAFILE = trusted(authority, tmp_path)
    settings.EMAIL_TIMEOUT = 5
    settings.DEFAULT_FROM_EMAIL = "Learning247 Ọjà <no-reply@learning247.example>"
    return settings


@pytest.fixture
def server(smtp_settings, authority):
    with mail_server(authority) as server:
        smtp_settings.EMAIL_PORT = server.port
        yield server


def queue(key="receipt:1", first_name="Ngozi", to="ada@example.com"):
    mail_queue(
        key=key,
        to=to,
        template="reset_password",
        context={"first_name": first_name, "url": "https://www.example.com/#token=abc"},
    )
    return OutboundMail.objects.get(key=key)


@pytest.fixture
def queued(db, jobs, clock):
    return queue()


def state(mail):
    mail.refresh_from_db()
    return mail.status, mail.attempts, mail.reason


def test_a_mail_arrives_whole(queued, server):
    names = 'Ṣọlá "Ng" O\'Neill ثريا 🎓 & <b>'
    mail = queue("receipt:2", first_name=names)

    mail_send(mail.id)

    assert state(mail) == ("sent", 1, "")
    (envelope,), (arrived,) = server.accepted, server.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@learning247.example", ["ada@example.com"])
    assert arrived["From"] == "Learning247 Ọjà <no-reply@learning247.example>"
    assert (arrived["To"], arrived["Subject"]) == ("ada@example.com", "Set a new password for Learning247")
    assert arrived["Message-ID"] == f"<{mail.id}@learning247.example>"
    assert arrived["Date"] is not None
    text, html = arrived.get_body(("plain",)), arrived.get_body(("html",))
    assert text is not None and html is not None
    assert text.get_content().startswith(f"Hello {names},\r\n")
    assert "Hello <bdi>Ṣọlá &quot;Ng&quot; O&#x27;Neill ثريا 🎓 &amp; &lt;b&gt;</bdi></h1>" in html.get_content()


def test_automatic_answers_are_not_asked_for(queued, server):
    mail_send(queued.id)

    (arrived,) = server.mails
    assert arrived["Auto-Submitted"] == "auto-generated"


@pytest.fixture
def refused_by(clock):
    """One attempt fails with that reason, and the mail is due again in half a minute."""

    def refused(mail, reason):
        mail_send(mail.id)
        status, attempts, said = state(mail)
        assert (status, attempts) == ("pending", 1)
        assert said.startswith(reason)
        assert mail.due_at - clock.moment == timedelta(seconds=30)

    return refused


@pytest.mark.parametrize(
    ("verb", "answer", "reason"),
    [
        ("DATA", "451 Try later", "SMTPDataError: (451, b'Try later')"),
        ("DATA", "554 Refused", "SMTPDataError: (554, b'Refused')"),
        ("RCPT", "450 Busy", "SMTPRecipientsRefused: {'ada@example.com': (450, b'Busy')}"),
        ("RCPT", "550 Unknown", "SMTPRecipientsRefused: {'ada@example.com': (550, b'Unknown')}"),
        ("DATA", "close", "SMTPServerDisconnected: Connection unexpectedly closed"),
        ("RCPT", "close", "SMTPServerDisconnected: Connection unexpectedly closed"),
    ],
)
def test_whatever_the_server_refuses_is_tried_again_then_parked_and_not_lost(
    queued, server, verb, answer, reason, refused_by
):
    server.answers[verb] = answer
    refused_by(queued, reason)

    for _ in range(11):
        mail_send(queued.id)
    status, attempts, said = state(queued)
    assert (status, attempts, said.startswith(reason), server.accepted) == ("parked", 10, True, [])

    server.answers.clear()
    mail_resend(mail_ids=[queued.id], actor=a_user("boss@example.com"), reason="The server is back.")
    mail_send(queued.id)
    assert (state(queued), len(server.accepted)) == (("sent", 1, ""), 1)


def test_a_server_that_says_nothing_is_left_after_the_timeout(queued, server, settings, refused_by):
    settings.EMAIL_TIMEOUT = 0.2
    server.answers["DATA"] = "silence"

    refused_by(queued, "SMTPServerDisconnected: Connection unexpectedly closed: The read operation timed out")


def test_a_server_that_is_slow_each_time_is_left_before_the_lease_ends(queued, server, monkeypatch, refused_by):
    monkeypatch.setattr(smtp, "LONGEST_CONVERSATION", 0.0)

    refused_by(queued, "SMTPServerDisconnected: The server took longer than 0 seconds.")
    assert server.accepted == []


def test_the_longest_conversation_ends_well_before_another_worker_may_take_the_mail():
    assert timedelta(seconds=2 * smtp.LONGEST_CONVERSATION) <= mail_service.LEASE


@pytest.mark.parametrize("answer", ["close", "silence", "500 What?"])
def test_a_bad_farewell_after_the_mail_was_taken_does_not_send_it_again(queued, server, settings, answer):
    settings.EMAIL_TIMEOUT = 0.2
    server.answers["QUIT"] = answer

    mail_send(queued.id)

    assert (state(queued), len(server.accepted)) == (("sent", 1, ""), 1)


def test_a_wrong_password_is_named_and_not_repeated(queued, server, settings, refused_by):
    settings.EMAIL_HOST_PASSWORD = "mistyped-password"

    refused_by(queued, "SMTPAuthenticationError: (535, ")
    assert "mistyped-password" not in state(queued)[2]
    assert server.seen == 0


def test_no_server_at_all_is_tried_again(queued, smtp_settings, server, refused_by):
    smtp_settings.EMAIL_PORT = 1

    refused_by(queued, "ConnectionRefusedError: ")


def test_a_server_without_starttls_is_told_nothing(queued, smtp_settings, authority, refused_by):
    with mail_server(authority, starttls=False) as plain:
        smtp_settings.EMAIL_PORT = plain.port
        refused_by(queued, "SMTPNotSupportedError: STARTTLS extension not supported by server.")

        assert plain.seen == 0
        # It does take mails from whoever asks for no encryption: what refused was ours.
        smtp_settings.EMAIL_USE_TLS, smtp_settings.EMAIL_HOST_USER = False, ""
        mail_send(queued.id)
        assert len(plain.accepted) == 1


def test_a_server_that_speaks_tls_from_the_first_byte_takes_mails_too(queued, smtp_settings, authority, tmp_path):
    smtp_settings.EMAIL_USE_TLS, smtp_settings.EMAIL_USE_SSL = False, True
    with mail_server(authority, tls=True) as server:
        smtp_settings.EMAIL_PORT = server.port
        mail_send(queued.id)

        assert state(queued) == ("sent", 1, "")
        assert server.mails[0]["To"] == "ada@example.com"


def test_in_tls_from_the_first_byte_a_certificate_of_another_server_is_refused_too(
    queued, smtp_settings, authority, refused_by
):
    smtp_settings.EMAIL_USE_TLS, smtp_settings.EMAIL_USE_SSL = False, True
    with mail_server(authority, tls=True, name="mail.example.org") as other:
        smtp_settings.EMAIL_PORT = other.port
        refused_by(queued, "SSLCertVerificationError: ")
        assert other.seen == 0


def test_a_certificate_of_an_authority_that_nobody_trusts_is_refused(queued, server, settings, refused_by):
    settings.EMAIL_SSL_CAFILE = ""

    refused_by(queued, "SSLCertVerificationError: ")
    assert server.seen == 0


def test_a_certificate_of_another_server_is_refused(queued, smtp_settings, authority, refused_by):
    with mail_server(authority, name="mail.example.org") as other:
        smtp_settings.EMAIL_PORT = other.port
        refused_by(queued, "SSLCertVerificationError: ")
        assert other.seen == 0


@pytest.mark.race
class TestTwoWorkers:
    """At one mail, over one server."""

    def both(self, mail):
        at_once(2, lambda _: mail_send(mail.id, attempt=0))

    def test_one_of_them_sends_it(self, committed_db, server):
        mail = self.committed()
        self.both(mail)

        assert (state(mail)[:2], len(server.accepted)) == (("sent", 1), 1)

    def test_without_the_lease_both_would(self, committed_db, server, monkeypatch):
        mail = self.committed()
        both_have_it = threading.Barrier(2)

        def take(model, pk, **_):
            row = model.objects.get(pk=pk)
            both_have_it.wait(10)
            return row

        monkeypatch.setattr(mail_service, "lease_take", take)
        self.both(mail)

        assert len(server.accepted) == 2

    def committed(self):
        with transaction.atomic():
            return queue()


def test_a_worker_that_dies_after_the_server_took_it_sends_it_under_the_same_message_id(queued, server, monkeypatch):
    monkeypatch.setattr(mail_service, "lease_stamp", lambda *_, **__: False)
    mail_send(queued.id)
    monkeypatch.undo()
    OutboundMail.objects.update(lease_until=None)
    mail_send(queued.id)

    first, second = server.mails
    assert first["Message-ID"] == second["Message-ID"]
