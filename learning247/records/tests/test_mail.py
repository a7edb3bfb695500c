"""A mail goes out when, and only when, the transaction that causes it commits."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from django.core import mail as outbox_of_django
from django.db import transaction
from django.template import engines

from learning247.records.models import OutboundMail
from learning247.records.services import mail
from learning247.records.services.leases import retry_delay
from learning247.records.services.mail import mail_queue, mail_send, mail_sweep

TEMPLATES = {
    "mail/receipt.subject.txt": "Receipt for {{ item }}\n",
    "mail/receipt.txt": "You bought {{ item }}.\n",
    "mail/receipt.html": "<p>You bought {{ item }}.</p>\n",
    "mail/plain.subject.txt": "Plain",
    "mail/plain.txt": "Text alone.",
}


@pytest.fixture(autouse=True)
def own_templates(settings):
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", TEMPLATES)]},
        }
    ]
    assert "django" in engines


def queue(**changes):
    values = {"key": "receipt:1", "to": "ada@example.com", "template": "receipt", "context": {"item": "Physics"}}
    mail_queue(**{**values, **changes})


@pytest.fixture
def queued(db, jobs):
    queue()
    return OutboundMail.objects.get()


def failing_with(monkeypatch, error):
    def send(self, fail_silently=False):
        raise error

    monkeypatch.setattr(outbox_of_django.EmailMultiAlternatives, "send", send)


def test_a_mail_is_rendered_and_written_and_enqueued_on_the_mail_queue(queued, jobs):
    assert (queued.to, queued.subject) == ("ada@example.com", "Receipt for Physics")
    assert queued.text == "You bought Physics.\n"
    assert queued.html == "<p>You bought Physics.</p>\n"
    assert queued.status == "pending"
    assert jobs == [("records.send_mail", (str(queued.id), "0"), "mail")]


def test_text_is_not_escaped_and_html_is(db, jobs):
    queue(context={"item": "Maths & <b>more</b>"})

    mail = OutboundMail.objects.get()
    assert mail.subject == "Receipt for Maths & <b>more</b>"
    assert mail.text == "You bought Maths & <b>more</b>.\n"
    assert mail.html == "<p>You bought Maths &amp; &lt;b&gt;more&lt;/b&gt;.</p>\n"


def test_a_template_without_html_is_a_mail_of_text_alone(db, jobs):
    queue(template="plain")
    mail_send(OutboundMail.objects.get().id)

    (sent,) = outbox_of_django.outbox
    assert isinstance(sent, outbox_of_django.EmailMultiAlternatives)
    assert (sent.body, sent.alternatives) == ("Text alone.", [])


@pytest.mark.parametrize(
    "breaking", ["\nBcc: all@example.com", "\r\nBcc: all@example.com", "\u2028Bcc: all@example.com"]
)
def test_a_subject_is_one_line_whatever_it_is_made_of(db, jobs, breaking):
    queue(context={"item": "x" + breaking})

    mail = OutboundMail.objects.get()
    assert mail.subject == "Receipt for x Bcc: all@example.com"
    mail_send(mail.id)
    assert outbox_of_django.outbox[0].message()["Bcc"] is None


@pytest.mark.parametrize("to", ["", "nobody", "ada@example.com\nBcc: all@example.com", "a@b.com, c@d.com"])
def test_an_address_that_is_none_parks_the_mail_and_does_not_fail_the_sale(db, jobs, to):
    queue(to=to)

    mail = OutboundMail.objects.get()
    assert (mail.status, mail.reason, "\n" in mail.to) == ("parked", "This is not an email address.", False)
    assert jobs == []


def test_one_mail_per_key_however_often_its_cause_runs(db, jobs):
    queue(context={"item": "first"})
    queue(context={"item": "second"})

    assert [mail.subject for mail in OutboundMail.objects.all()] == ["Receipt for first"]


def test_all_attempts_together_take_about_three_hours(settings):
    waits = [retry_delay(attempt, first=mail.FIRST_DELAY) for attempt in range(1, settings.MAIL_MAX_ATTEMPTS)]

    assert sum(waits, timedelta()) == timedelta(hours=3, minutes=3, seconds=30)


def test_outside_of_a_transaction_no_mail_is_written(committed_db):
    with pytest.raises(RuntimeError, match="in the transaction that causes it"):
        queue()

    assert OutboundMail.objects.count() == 0


def test_a_transaction_that_is_rolled_back_sends_nothing(committed_db, monkeypatch):
    enqueued = []
    monkeypatch.setattr("learning247.kit.jobs._enqueue", lambda *job: enqueued.append(job))
    with transaction.atomic():
        queue(key="kept")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        queue(key="lost")
        raise ZeroDivisionError

    assert [mail.key for mail in OutboundMail.objects.all()] == ["kept"]
    assert [name for name, _, _ in enqueued] == ["records.send_mail"]


def test_a_sent_mail_carries_both_parts_and_a_message_id_of_its_own(queued, settings, clock):
    settings.DEFAULT_FROM_EMAIL = "Learning247 <no-reply@learning247.example>"

    mail_send(queued.id)

    (sent,) = outbox_of_django.outbox
    assert isinstance(sent, outbox_of_django.EmailMultiAlternatives)
    assert (sent.to, sent.from_email) == (["ada@example.com"], "Learning247 <no-reply@learning247.example>")
    assert sent.body == "You bought Physics.\n"
    assert [tuple(part) for part in sent.alternatives] == [("<p>You bought Physics.</p>\n", "text/html")]
    assert sent.message()["Message-ID"] == f"<{queued.id}@learning247.example>"
    queued.refresh_from_db()
    assert (queued.status, queued.sent_at, queued.lease_until) == ("sent", clock.moment, None)


def test_a_sent_mail_is_not_sent_again(queued):
    mail_send(queued.id)
    mail_send(queued.id)

    assert len(outbox_of_django.outbox) == 1


def test_a_mail_in_a_workers_hands_is_left_alone(queued, clock):
    OutboundMail.objects.update(lease_until=clock.moment + timedelta(seconds=1))

    mail_send(queued.id)

    assert outbox_of_django.outbox == []


@pytest.mark.parametrize("error", [SMTPServerDisconnected("gone"), ConnectionRefusedError("no server"), TimeoutError()])
def test_a_failure_is_due_again_after_30_seconds_then_a_minute(queued, clock, monkeypatch, error):
    failing_with(monkeypatch, error)

    waits = []
    for _ in range(2):
        mail_send(queued.id)
        queued.refresh_from_db()
        waits.append((queued.due_at - clock.moment).total_seconds())

    assert (waits, queued.status, queued.attempts) == ([30, 60], "pending", 2)


def test_after_ten_attempts_it_is_parked_with_the_reason(queued, monkeypatch):
    failing_with(monkeypatch, SMTPRecipientsRefused({"ada@example.com": (550, b"no such user")}))

    for _ in range(12):
        mail_send(queued.id)

    queued.refresh_from_db()
    assert (queued.status, queued.attempts) == ("parked", 10)
    assert queued.reason.startswith("SMTPRecipientsRefused:")


def test_a_mail_that_was_never_enqueued_is_swept_after_half_a_minute(queued, clock, jobs):
    jobs.clear()
    assert mail_sweep() == []
    clock.forward(seconds=31)

    assert mail_sweep() == [queued.id]
    assert jobs == [("records.send_mail", (str(queued.id), "0"), "mail")]
