"""Outbound mail: written in the transaction that causes it, sent by the mail queue."""

from collections.abc import Mapping
from datetime import timedelta
from smtplib import SMTPException
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.template import Context, TemplateDoesNotExist
from django.template.loader import get_template

from learning247.kit.clock import now
from learning247.kit.jobs import enqueue_on_commit
from learning247.kit.transactions import require_transaction
from learning247.records.enums import MailStatus
from learning247.records.models import OutboundMail
from learning247.records.reasons import reason_of
from learning247.records.services.leases import (
    ENQUEUED_GRACE,
    lease_stamp,
    lease_sweep,
    lease_take,
    retry_delay,
)

logger = structlog.get_logger(__name__)

LEASE = timedelta(seconds=120)
FIRST_DELAY = timedelta(seconds=30)
LONGEST_SUBJECT = 200
LONGEST_ADDRESS = 254
DIED = "The worker died each time it sent this."


def max_attempts() -> int:
    """How many attempts a mail gets before it is parked (MAIL_MAX_ATTEMPTS; ten take about three hours)."""
    return int(settings.MAIL_MAX_ATTEMPTS)


def mail_queue(*, key: str, to: str, template: str, context: Mapping[str, Any]) -> None:
    """Write the mail `templates/mail/<template>.subject.txt`, `.txt` and, where there is one, `.html`.

    In the caller's transaction, so that it goes out exactly when that commits; one mail per `key` (<= 200 characters)
    for ever. Text is not HTML-escaped, HTML is. A subject is one line whatever the context holds. An address that is
    none parks the mail instead of failing the sale that causes it. Raises RuntimeError outside of a transaction.
    """
    require_transaction("A mail is written in the transaction that causes it.")
    address, problem = _checked_address(to)
    mail = OutboundMail(
        key=key,
        to=address,
        subject=" ".join(_rendered(f"{template}.subject.txt", context, escape=False).split())[:LONGEST_SUBJECT],
        text=_rendered(f"{template}.txt", context, escape=False),
        html=_rendered_if_there(f"{template}.html", context),
        status=MailStatus.PARKED if problem else MailStatus.PENDING,
        reason=problem,
        due_at=now() + ENQUEUED_GRACE,
    )
    OutboundMail.objects.bulk_create([mail], ignore_conflicts=True)
    if not problem:
        # Where the key was taken, no row has this id, and the job finds nothing to do.
        _enqueue(mail.id, 0)


def _checked_address(to: str) -> tuple[str, str]:
    """(address, "") or (a shortened form of what was given, why it is no address)."""
    try:
        validate_email(to)
    except ValidationError:
        return " ".join(to.replace("\x00", "").split())[:LONGEST_ADDRESS], "This is not an email address."
    return to, ""


def _rendered(name: str, context: Mapping[str, Any], *, escape: bool) -> str:
    template: Any = get_template(f"mail/{name}")
    # The engine's own template: only there can escaping be switched off for plain text.
    text: str = template.template.render(Context(dict(context), autoescape=escape))
    return text.replace("\x00", "")


def _rendered_if_there(name: str, context: Mapping[str, Any]) -> str:
    try:
        return _rendered(name, context, escape=True)
    except TemplateDoesNotExist:
        return ""


def mail_send(mail_id: UUID | str, *, attempt: int | None = None) -> None:
    """Send a pending mail; a failure makes it due again later, or parks it with the reason. Not in a transaction.

    At least once: a worker killed after the server took the mail sends it again, under the same Message-ID.
    """
    mail = lease_take(OutboundMail, mail_id, duration=LEASE, attempt=attempt)
    if mail is None:
        return
    log = logger.bind(mail_id=str(mail.id), mail_key=mail.key)
    if mail.attempts > max_attempts():
        _put_off(mail, DIED)
        return
    try:
        _message(mail).send()
    except (SMTPException, OSError, ValueError) as error:
        log.warning("mail_failed", reason=reason_of(error), attempts=mail.attempts)
        _put_off(mail, reason_of(error))
        return
    if lease_stamp(mail, status=MailStatus.SENT, sent_at=now(), reason=""):
        log.info("mail_sent")


def _message(mail: OutboundMail) -> EmailMultiAlternatives:
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    message = EmailMultiAlternatives(
        mail.subject,
        mail.text,
        settings.DEFAULT_FROM_EMAIL,
        [mail.to],
        headers={"Message-ID": f"<{mail.id}@{domain}>"},
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    return message


def _put_off(mail: OutboundMail, reason: str) -> None:
    if mail.attempts >= max_attempts():
        lease_stamp(mail, status=MailStatus.PARKED, reason=reason)
    else:
        lease_stamp(mail, due_at=now() + retry_delay(mail.attempts, first=FIRST_DELAY), reason=reason)


def mail_sweep(*, limit: int = 500) -> list[UUID]:
    """Enqueue the mails that are due and in nobody's hands."""
    due = lease_sweep(OutboundMail, limit=limit)
    for mail_id, attempts in due:
        _enqueue(mail_id, attempts)
    return [mail_id for mail_id, _ in due]


def _enqueue(mail_id: UUID, attempts: int) -> None:
    enqueue_on_commit("records.send_mail", mail_id, attempts, queue="mail")
