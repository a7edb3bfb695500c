"""What records itself holds about people, and how it is forgotten."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Q, QuerySet

from learning247.records.models import AuditEntry, IdempotencyRecord, InboundEvent, OutboundMail
from learning247.records.personal_tables import (
    PersonalTable,
    audit_subjects_of,
    event_subjects_of,
    register_impersonal,
    register_personal_data,
)
from learning247.records.services.personal_data import audit_forget, mails_forget, mails_of

_BEAT = "The timetable of background jobs."
_STAFFS_OWN = "Staff wrote it for staff, and it may name other people. Support answers whoever asks what it says."
_OTHERS = "May name other people: it is in their own audit."


def register_tables() -> None:
    """Called from `apps.ready()`."""
    register_personal_data(
        PersonalTable(
            "mails",
            OutboundMail,
            lambda user: [mails_of(user)],
            withheld={"sealed_body": "A link or a code in it lets somebody in. It went to this mailbox."},
            forget=mails_forget,
            kept="That a mail was sent, and when; neither its words nor its address.",
        ),
        PersonalTable(
            "idempotency_keys",
            IdempotencyRecord,
            lambda user: [IdempotencyRecord.objects.filter(user_id=user.pk)],
            withheld={"request_digest": "A digest that tells nobody anything."},
            deleted=True,
        ),
        PersonalTable(
            "audit",
            AuditEntry,
            audit_about,
            withheld={"reason": _STAFFS_OWN, "before.notes": _STAFFS_OWN, "after.notes": _STAFFS_OWN},
            forget=audit_forget,
            kept="What was done to the account, when and by whom, without names, addresses and devices: the evidence "
            "that nobody tampered with it.",
        ),
        PersonalTable(
            "actions",
            AuditEntry,
            lambda user: [AuditEntry.objects.filter(actor_id=user.pk)],
            withheld={"before": _OTHERS, "after": _OTHERS, "reason": _OTHERS},
            kept="As in the audit.",
        ),
        PersonalTable(
            "gateway_events",
            InboundEvent,
            events_about,
            kept="That a payment provider told us of a payment, and when. What it told goes within minutes, of what "
            "still comes within a week.",
        ),
    )
    register_impersonal(
        {
            "contenttypes.ContentType": "The list of tables.",
            "django_celery_beat.SolarSchedule": _BEAT,
            "django_celery_beat.IntervalSchedule": _BEAT,
            "django_celery_beat.ClockedSchedule": _BEAT,
            "django_celery_beat.CrontabSchedule": _BEAT,
            "django_celery_beat.PeriodicTasks": _BEAT,
            "django_celery_beat.PeriodicTask": _BEAT,
        }
    )


def audit_about(user: AbstractBaseUser) -> Iterator[QuerySet[Any]]:
    """What was done to this person and to what is theirs, one kind of subject after the other."""
    for kind, ids in audit_subjects_of(user):
        yield AuditEntry.objects.filter(subject_kind=kind, subject_id__in=ids)


def events_about(user: AbstractBaseUser) -> list[QuerySet[Any]]:
    """What providers told us of this person's payments."""
    return [InboundEvent.objects.filter(~Q(about=""), about__in=event_subjects_of(user))]
