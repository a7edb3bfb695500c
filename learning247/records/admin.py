"""The records in the admin: to be read, never edited. Events may be handled again, parked mails sent again."""

from typing import Any

import orjson
from django.contrib import admin, messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from learning247.kit.admin import ReadOnlyAdmin, ReasonActionForm
from learning247.records.models import AuditEntry, IdempotencyRecord, InboundEvent, OutboundMail
from learning247.records.services.inbox import event_replay
from learning247.records.services.mail import mail_resend

LONGEST_SHOWN = 100_000
MOST_AT_ONCE = 500


@admin.register(InboundEvent)
class InboundEventAdmin(ReadOnlyAdmin):
    list_display = (
        "received_at",
        "source",
        "event_type",
        "external_id",
        "status",
        "attempts",
        "outcome",
        "reason",
    )
    list_filter = ("status", "source", "event_type", "received_at")
    search_fields = ("external_id", "event_type")
    date_hierarchy = "received_at"
    fields = (
        "id", "source", "external_id", "event_type", "received_at", "status", "attempts", "due_at", "lease_until",
        "done_at", "outcome", "reason", "headers", "body_as_text",
    )  # fmt: skip
    readonly_fields = ("body_as_text",)
    actions = ("handle_again",)
    action_form = ReasonActionForm

    @admin.display(description="body")
    def body_as_text(self, event: InboundEvent) -> SafeString:
        return format_html("<pre>{}</pre>", _pretty(bytes(event.body))[:LONGEST_SHOWN])

    @admin.action(description="Handle again", permissions=["replay"])
    def handle_again(self, request: HttpRequest, queryset: QuerySet[InboundEvent]) -> None:
        reason = request.POST.get("reason", "").strip()
        ids = list(queryset.order_by().values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if not reason:
            self.message_user(request, "Say why, beside the action. Nothing was replayed.", messages.ERROR)
            return
        if len(ids) > MOST_AT_ONCE:
            text = f"Choose at most {MOST_AT_ONCE} at once. Nothing was replayed."
            self.message_user(request, text, messages.ERROR)
            return
        assert isinstance(request.user, AbstractBaseUser)
        replayed = event_replay(ids, actor=request.user, reason=reason)
        self.message_user(request, f"{replayed} events will be handled again.")
        if replayed < len(ids):
            left = len(ids) - replayed
            self.message_user(request, f"Left alone, because they are being handled: {left}.", messages.WARNING)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        # Replaying changes rows, so it needs the right to change them, which no form here grants.
        return request.user.has_perm("records.change_inboundevent")


@admin.register(OutboundMail)
class OutboundMailAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "to", "subject", "status", "attempts", "secret_until", "sent_at", "reason")
    list_filter = ("status", "created_at")
    search_fields = ("to", "key", "subject")
    date_hierarchy = "created_at"
    # No text, no HTML: staff see that a mail went out, never what is in it.
    fields = (
        "id", "key", "to", "subject", "status", "attempts", "secret_until", "due_at", "lease_until", "sent_at",
        "reason", "created_at",
    )  # fmt: skip
    actions = ("send_again",)
    action_form = ReasonActionForm

    @admin.action(description="Send again what is parked", permissions=["resend"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutboundMail]) -> None:
        reason = request.POST.get("reason", "").strip()
        ids = list(queryset.order_by().values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if not reason:
            self.message_user(request, "Say why, beside the action. Nothing was sent.", messages.ERROR)
            return
        if len(ids) > MOST_AT_ONCE:
            text = f"Choose at most {MOST_AT_ONCE} at once. Nothing was sent."
            self.message_user(request, text, messages.ERROR)
            return
        assert isinstance(request.user, AbstractBaseUser)
        resent = mail_resend(mail_ids=ids, actor=request.user, reason=reason)
        self.message_user(request, f"Will be sent again: {resent.again}.")
        if resent.expired:
            text = (
                f"Stay parked, because what they carry has expired or is forgotten: {resent.expired}."
                " Their owners have to ask again."
            )
            self.message_user(request, text, messages.WARNING)
        if resent.not_parked:
            self.message_user(
                request, f"Left alone, because they are not parked: {resent.not_parked}.", messages.WARNING
            )

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("records.change_outboundmail")


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "user", "operation", "key", "answer_status", "lease_until")
    list_filter = ("operation", "answer_status", "created_at")
    search_fields = ("key", "user__email")
    list_select_related = ("user",)
    fields = (
        "user",
        "operation",
        "key",
        "request_digest",
        "lease_until",
        "answer_status",
        "answer",
        "created_at",
    )
    readonly_fields = ("answer",)

    @admin.display(description="answer body")
    def answer(self, record: IdempotencyRecord) -> SafeString:
        return format_html("<pre>{}</pre>", _pretty(bytes(record.answer_body or b""))[:LONGEST_SHOWN])


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "actor", "action", "subject_kind", "subject_id", "reason")
    list_filter = ("action", "subject_kind", "created_at")
    search_fields = ("subject_id", "reason", "actor__email", "request_id")
    list_select_related = ("actor",)
    date_hierarchy = "created_at"
    fields = (
        "created_at", "actor", "action", "subject_kind", "subject_id", "reason", "before", "after", "request_id",
    )  # fmt: skip


def _pretty(body: bytes) -> str:
    """JSON indented; whatever else came as text with its odd bytes written out."""
    try:
        parsed: Any = orjson.loads(body)
    except ValueError:
        return body.decode(errors="backslashreplace")
    return orjson.dumps(parsed, option=orjson.OPT_INDENT_2).decode()
