"""The audit trail: who did what to what, why."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.contrib.auth.base_user import AbstractBaseUser

from learning247.kit.json_encoding import to_json
from learning247.kit.transactions import require_transaction
from learning247.records.models import AuditEntry


def audit_record(
    *,
    actor: AbstractBaseUser | None,
    action: str,
    subject_kind: str,
    subject_id: UUID | str | int,
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Add an entry in the caller's transaction, so that it stands exactly when the action does.

    `actor` None is the platform itself. `before` and `after` are plain data (ids and times may be UUID and datetime)
    without secrets. Nobody can change or remove the entry: the database refuses (migration 0002). Raises RuntimeError
    outside of a transaction.
    """
    require_transaction("An audit entry is written in the transaction of the action.")
    entry = _entry(actor, action, subject_kind, subject_id, reason, before, after)
    entry.save(force_insert=True)
    return entry


def audit_record_each(
    *,
    actor: AbstractBaseUser | None,
    action: str,
    subject_kind: str,
    changes: Mapping[UUID, tuple[Mapping[str, Any], Mapping[str, Any]]],
    reason: str = "",
) -> None:
    """The same of many subjects at once: id -> before and after."""
    require_transaction("An audit entry is written in the transaction of the action.")
    AuditEntry.objects.bulk_create(
        _entry(actor, action, subject_kind, subject_id, reason, before, after)
        for subject_id, (before, after) in changes.items()
    )


def _entry(
    actor: AbstractBaseUser | None,
    action: str,
    subject_kind: str,
    subject_id: UUID | str | int,
    reason: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> AuditEntry:
    return AuditEntry(
        actor_id=None if actor is None else actor.pk,
        action=action,
        subject_kind=subject_kind,
        subject_id=str(subject_id),
        reason=reason,
        before=_plain(before),
        after=_plain(after),
        request_id=str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64],
    )


def _plain(values: Mapping[str, Any] | None) -> Any:
    return None if values is None else orjson.loads(to_json(dict(values)))
