"""Reads of the records."""

from datetime import datetime

from django.db.models import QuerySet

from learning247.records.models import AuditEntry, InboundEvent


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


def audit_list_of(*, subject_kind: str, subject_id: str) -> QuerySet[AuditEntry]:
    """What was done to one subject, newest first."""
    return AuditEntry.objects.filter(subject_kind=subject_kind, subject_id=subject_id).select_related("actor")
