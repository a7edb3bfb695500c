"""The append-mostly tables that every app needs: webhook inbox, outbound mail, idempotency keys, audit."""

from typing import NamedTuple

import orjson
from django.conf import settings
from django.db import models

from learning247.kit.clock import now
from learning247.kit.encryption import decrypt, encrypt
from learning247.kit.ids import new_id
from learning247.records.enums import EventStatus, MailStatus


class InboundEvent(models.Model):
    """One webhook delivery that a provider signed, kept as it came; UNIQUE (source, external id) drops the repeats.

        received --> pending --work done--------------------> done
                      |   ^                                     (outcome says what was done)
             claimed by lease
                      v   | failed: due again, exponentially later
                     work-+--attempts used up--------------> parked (reason says why; replay makes it pending again)

    A row is stamped done only after its work committed, so a worker killed in between leaves a row whose lease runs
    out and which is then handled again; every handler is safe to run twice. Where the person whom it is about is
    forgotten, body and headers are emptied once it is handled.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.CharField(max_length=32)
    external_id = models.CharField(max_length=255, help_text="The provider's event id, or a key built from the event.")
    event_type = models.CharField(max_length=100)
    about = models.CharField(
        max_length=64, blank=True, help_text="Our reference that it is about, as far as its handler found one."
    )
    headers = models.JSONField(help_text="The delivery's headers, without the signature.")
    body = models.BinaryField(help_text="The raw bytes that were signed.")
    received_at = models.DateTimeField(default=now, editable=False)
    status = models.CharField(max_length=10, choices=EventStatus, default=EventStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=now, help_text="Not before this time is it handled (again).")
    lease_until = models.DateTimeField(null=True, blank=True, help_text="While a worker holds it.")
    done_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=100, blank=True, help_text="What handling it did.")
    reason = models.TextField(blank=True, help_text="Why the last attempt failed, or why it is parked.")

    class Meta:
        ordering = ("-received_at",)
        constraints = (
            models.UniqueConstraint(fields=("source", "external_id"), name="records_event_once_per_source"),
            models.CheckConstraint(
                condition=~models.Q(status=EventStatus.PARKED) | ~models.Q(reason=""),
                name="records_event_parked_has_a_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(status=EventStatus.DONE, done_at__isnull=False)
                | (~models.Q(status=EventStatus.DONE) & models.Q(done_at__isnull=True)),
                name="records_event_done_has_a_time",
            ),
        )
        indexes = (
            models.Index(fields=("due_at",), condition=models.Q(status=EventStatus.PENDING), name="records_event_due"),
            models.Index(fields=("source", "-received_at"), name="records_event_by_source"),
            models.Index(fields=("about",), condition=~models.Q(about=""), name="records_event_by_subject"),
            models.Index(fields=("id",), condition=models.Q(status=EventStatus.PARKED), name="records_event_parked"),
        )

    def __str__(self) -> str:
        return f"{self.source} {self.event_type} {self.external_id}"


MAIL_BODY = "mail-body"  # what bodies are sealed for


class MailBody(NamedTuple):
    """Both parts of a mail; `html` is empty where it has none."""

    text: str
    html: str

    def sealed(self) -> str:
        return encrypt(orjson.dumps([self.text, self.html]).decode(), purpose=MAIL_BODY)

    @classmethod
    def opened(cls, sealed: str) -> "MailBody":
        """Raises DecryptionFailed."""
        text, html = orjson.loads(decrypt(sealed, purpose=MAIL_BODY))
        return cls(text, html)


class OutboundMail(models.Model):
    """A mail, written in the transaction that causes it, so that it goes out exactly when that commits.

        pending --sent by the mail queue----------------------------> sent
          |  ^
          |  +--resent by staff, unless its secret has expired--+
          |                                                     |
          +--attempts used up, or its secret has expired------> parked
          +--the person it is about is forgotten--------------> parked, empty
        (written to an address that is none)------------------> parked

    A body with a link or a code that lets somebody in never stands here in clear: it is sealed while somebody may still
    have to send it, and gone once the mail is sent or the secret has expired.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=200, unique=True, help_text="One mail per key, however often its cause runs.")
    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    secret_until = models.DateTimeField(
        null=True, blank=True, help_text="Until when a link or a code in it lets somebody in. Empty: it has none."
    )
    sealed_body = models.TextField(blank=True, help_text="Text and HTML of a mail with a secret, encrypted.")
    status = models.CharField(max_length=10, choices=MailStatus, default=MailStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(default=now)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(secret_until__isnull=True) | models.Q(text="", html=""),
                name="records_mail_secret_is_sealed",
            ),
            models.CheckConstraint(
                condition=models.Q(sealed_body="")
                | (models.Q(secret_until__isnull=False) & ~models.Q(status=MailStatus.SENT)),
                name="records_mail_sealed_until_sent",
            ),
        )
        indexes = (
            models.Index(fields=("due_at",), condition=models.Q(status=MailStatus.PENDING), name="records_mail_due"),
            models.Index(fields=("secret_until",), condition=~models.Q(sealed_body=""), name="records_mail_sealed"),
            models.Index(fields=("to",), name="records_mail_by_address"),
            models.Index(fields=("id",), condition=models.Q(status=MailStatus.PARKED), name="records_mail_parked"),
        )

    def __str__(self) -> str:
        return f"{self.subject} -> {self.to}"

    def body(self) -> MailBody:
        """What is sent, opened where it is sealed; empty once it is gone. Raises DecryptionFailed."""
        return MailBody.opened(self.sealed_body) if self.sealed_body else MailBody(self.text, self.html)


class IdempotencyRecord(models.Model):
    """One use of an Idempotency-Key by one user for one operation: running (leased), then the stored answer."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    operation = models.CharField(max_length=60)
    key = models.CharField(max_length=255)
    request_digest = models.CharField(max_length=64, help_text="SHA-256 of path and body: another request is refused.")
    lease_until = models.DateTimeField(help_text="A crash blocks the key no longer than this.")
    answer_status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer_body = models.BinaryField(null=True, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("user", "operation", "key"), name="records_idempotency_key_once"),
        )
        indexes = (models.Index(fields=("created_at",), name="records_idempotency_age"),)

    def __str__(self) -> str:
        return f"{self.operation} {self.key}"


class AuditEntry(models.Model):
    """Who did what to what, why, with the values before and after. Append-only by the database, but for texts that
    tell of somebody who was forgotten (migration 0005)."""

    id = models.BigAutoField(primary_key=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="None: the platform.",
    )
    action = models.CharField(max_length=100)
    subject_kind = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=64)
    reason = models.TextField(blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "audit entries"
        indexes = (models.Index(fields=("subject_kind", "subject_id", "-id"), name="records_audit_by_subject"),)

    def __str__(self) -> str:
        return f"{self.action} {self.subject_kind} {self.subject_id}"
