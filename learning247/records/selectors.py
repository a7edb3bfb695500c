"""Reads of the records."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min, QuerySet

from learning247.records.enums import EventStatus, MailStatus
from learning247.records.models import AuditEntry, InboundEvent, OutboundMail


def event_list(
    *,
    source: str | None = None,
    status: str | None = None,
    event_type_prefix: str | None = None,
    received_from: datetime | None = None,
    received_to: datetime | None = None,
) -> QuerySet[InboundEvent]:
    """Inbound events, oldest first, received in [received_from, received_to)."""
    filters = {
        "source": source,
        "status": status,
        "event_type__startswith": event_type_prefix,
        "received_at__gte": received_from,
        "received_at__lt": received_to,
    }
    wanted = {name: value for name, value in filters.items() if value is not None}
    return InboundEvent.objects.filter(**wanted).order_by("received_at", "id")


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is not done: so many wait (`oldest` since when), so many were given up."""

    pending: int
    parked: int
    oldest: datetime | None


def event_backlog() -> Backlog:
    """Of the inbox, along its partial indexes."""
    waiting = InboundEvent.objects.filter(status=EventStatus.PENDING)
    pending = waiting.aggregate(number=Count("*"), oldest=Min("received_at"))
    parked = InboundEvent.objects.filter(status=EventStatus.PARKED).count()
    return Backlog(pending["number"], parked, pending["oldest"])


def mail_backlog() -> Backlog:
    """Of outbound mail, along its partial indexes."""
    waiting = OutboundMail.objects.filter(status=MailStatus.PENDING)
    pending = waiting.aggregate(number=Count("*"), oldest=Min("created_at"))
    parked = OutboundMail.objects.filter(status=MailStatus.PARKED).count()
    return Backlog(pending["number"], parked, pending["oldest"])


def mail_times_since(*, key_prefix: str, since: datetime) -> list[datetime]:
    """When the mails whose key begins so were written, those of `since` or later; the newest first."""
    mails = OutboundMail.objects.filter(key__startswith=key_prefix, created_at__gte=since)
    return list(mails.order_by("-created_at").values_list("created_at", flat=True))


def audit_list_since(
    *, subject_kind: str, subject_id: UUID | str, action: str, since: datetime
) -> QuerySet[AuditEntry]:
    """What was done to that subject at `since` or later, newest first."""
    return AuditEntry.objects.filter(
        subject_kind=subject_kind, subject_id=str(subject_id), action=action, created_at__gte=since
    )
