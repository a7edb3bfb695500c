"""Outbound mail: written in the transaction that causes it, sent by the mail queue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPException
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.db import transaction
from django.template import Context, TemplateDoesNotExist
from django.template.loader import get_template

from learning247.kit.clock import now
from learning247.kit.encryption import DecryptionFailed
from learning247.kit.jobs import enqueue_on_commit
from learning247.kit.transactions import require_transaction
from learning247.records.enums import MailStatus
from learning247.records.locks import mail_lock_all
from learning247.records.models import MailBody, OutboundMail
from learning247.records.reasons import reason_of, required_reason
from learning247.records.services.audit import audit_record
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
EXPIRED = "The link or code in it has expired."


def max_attempts() -> int:
    """How many attempts a mail gets before it is parked (MAIL_MAX_ATTEMPTS; ten take about three hours)."""
    return int(settings.MAIL_MAX_ATTEMPTS)


def mail_queue(
    *, key: str, to: str, template: str, context: Mapping[str, Any], secret_until: datetime | None = None
) -> None:
    """Write the mail `templates/mail/<template>.subject.txt`, `.txt` and, where there is one, `.html`.

    In the caller's transaction, so that it goes out exactly when that commits; one mail per `key` (<= 200 characters)
    for ever. Text is not HTML-escaped, HTML is. A subject is one line whatever the context holds. An address that is
    none parks the mail instead of failing the sale that causes it. Raises RuntimeError outside of a transaction.

    `secret_until`: its body carries a link or a code that lets somebody in until then. Such a body is kept encrypted,
    dropped once sent, and not sent any more when the time is over. The subject is kept in clear: no code belongs there.
    """
    require_transaction("A mail is written in the transaction that causes it.")
    address, problem = _checked_address(to)
    body = MailBody(
        _rendered(f"{template}.txt", context, escape=False), _rendered_if_there(f"{template}.html", context)
    )
    kept = {"text": body.text, "html": body.html} if secret_until is None else {"sealed_body": body.sealed()}
    mail = OutboundMail(
        key=key,
        to=address,
        subject=" ".join(_rendered(f"{template}.subject.txt", context, escape=False).split())[:LONGEST_SUBJECT],
        **kept,
        secret_until=secret_until,
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
    if mail.secret_until is not None and mail.secret_until <= now():
        reason = f"{EXPIRED} {mail.reason}".strip()
        lease_stamp(mail, status=MailStatus.PARKED, sealed_body="", reason=reason)
        log.warning("mail_parked", reason=reason)
        return
    if mail.attempts > max_attempts():
        _put_off(mail, DIED)
        return
    try:
        _message(mail).send()
    except (SMTPException, OSError, ValueError, DecryptionFailed) as error:
        reason = _reason_of(mail, error)
        log.warning("mail_failed", reason=reason, attempts=mail.attempts)
        _put_off(mail, reason)
        return
    if lease_stamp(mail, status=MailStatus.SENT, sent_at=now(), sealed_body="", reason=""):
        log.info("mail_sent")
    else:
        log.warning("mail_lease_lost")


def _reason_of(mail: OutboundMail, error: Exception) -> str:
    """Servers that refuse a body quote from it, which no secret survives."""
    if mail.secret_until is not None and isinstance(error, SMTPDataError):
        return f"{type(error).__name__}: {error.smtp_code}. The server's words are not kept: the mail carries a secret."
    return reason_of(error)


def _message(mail: OutboundMail) -> EmailMultiAlternatives:
    body = mail.body()
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    message = EmailMultiAlternatives(
        mail.subject,
        body.text,
        settings.DEFAULT_FROM_EMAIL,
        [mail.to],
        # Auto-Submitted (RFC 3834): nobody's "I am on holiday" answers it.
        headers={"Message-ID": f"<{mail.id}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    if body.html:
        message.attach_alternative(body.html, "text/html")
    return message


def _put_off(mail: OutboundMail, reason: str) -> None:
    if mail.attempts >= max_attempts():
        lease_stamp(mail, status=MailStatus.PARKED, reason=reason)
    else:
        lease_stamp(mail, due_at=now() + retry_delay(mail.attempts, first=FIRST_DELAY), reason=reason)


def mail_sweep(*, limit: int = 500) -> list[UUID]:
    """Enqueue the mails that are due and in nobody's hands; drop parked bodies whose secret has expired."""
    OutboundMail.objects.filter(status=MailStatus.PARKED, secret_until__lte=now()).exclude(sealed_body="").update(
        sealed_body=""
    )
    due = lease_sweep(OutboundMail, limit=limit)
    for mail_id, attempts in due:
        _enqueue(mail_id, attempts)
    return [mail_id for mail_id, _ in due]


@dataclass(frozen=True, slots=True)
class Resent:
    """Of the mails that were chosen: how many go out again, and how many cannot."""

    again: int
    expired: int
    not_parked: int


def mail_resend(*, mail_ids: Iterable[UUID], actor: AbstractBaseUser, reason: str) -> Resent:
    """Send parked mails again, as if they had just been written, under the Message-ID that they had.

    One whose secret has expired stays parked: its link is worthless, and whoever needs one asks for another. So does
    one that is forgotten with its person, and has no words any more. Raises ReasonRequired.
    """
    reason = required_reason(reason)
    moment = now()
    with transaction.atomic(durable=True):
        chosen = mail_lock_all(mail_ids)
        parked = [mail for mail in chosen if mail.status == MailStatus.PARKED]
        good = [mail for mail in parked if _worth_sending(mail, moment)]
        for mail in good:
            before = {"status": mail.status, "attempts": mail.attempts, "reason": mail.reason}
            mail.status, mail.attempts, mail.reason = MailStatus.PENDING, 0, ""
            mail.due_at, mail.lease_until = moment + ENQUEUED_GRACE, None
            mail.save(update_fields=["status", "attempts", "reason", "due_at", "lease_until"])
            audit_record(
                actor=actor,
                action="mail.resent",
                subject_kind="outbound_mail",
                subject_id=mail.pk,
                reason=reason,
                before=before,
                after={"status": mail.status, "to": mail.to, "key": mail.key},
            )
            _enqueue(mail.pk, 0)
    return Resent(again=len(good), expired=len(parked) - len(good), not_parked=len(chosen) - len(parked))


def _worth_sending(mail: OutboundMail, moment: datetime) -> bool:
    has_words = bool(mail.text or mail.sealed_body)
    return has_words and (mail.secret_until is None or mail.secret_until > moment)


def _enqueue(mail_id: UUID, attempts: int) -> None:
    enqueue_on_commit("records.send_mail", mail_id, attempts, queue="mail")
