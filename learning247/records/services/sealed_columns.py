"""Sealing again what is encrypted at rest, by the first key of FIELD_ENCRYPTION_KEY."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Model, QuerySet

from learning247.kit.encryption import DecryptionFailed, reencrypt, sealed_by_first_key
from learning247.records.sealed_columns import SealedColumn
from learning247.records.services.audit import audit_record


@dataclass(slots=True)
class Rotation:
    """Of one column: how many values were looked at, how many are (or, as a trial, would be) sealed anew; and the ids
    of those that no key opens."""

    column: SealedColumn
    looked_at: int = 0
    sealed_anew: int = 0
    unreadable: list[str] = field(default_factory=list)


def sealed_column_rotate(*, column: SealedColumn, batch: int = 500, dry_run: bool = False) -> Rotation:
    """Seal every value of `column` by the first key; safe while everything runs, to interrupt, and to run again.

    Each batch is a transaction. A value that changed meanwhile is left as whoever changed it has sealed it. On record
    where anything was sealed anew. What no key opens stays as it is.
    """
    done = Rotation(column)
    for rows in _batches(column, batch):
        with transaction.atomic(durable=True):
            for row in rows:
                _rotate(row, done, dry_run=dry_run)
    if done.sealed_anew and not dry_run:
        with transaction.atomic(durable=True):
            audit_record(
                actor=None,
                action="field_encryption.rotated",
                subject_kind="sealed_column",
                subject_id=column.name,
                after={"sealed_anew": done.sealed_anew, "unreadable": len(done.unreadable)},
            )
    return done


def _batches(column: SealedColumn, batch: int) -> Iterator[list[tuple[object, str]]]:
    """(id, sealed), by id: what is inserted meanwhile is sealed by the first key already."""
    last: object = None
    while True:
        rows: QuerySet[Model] = column.model._default_manager.exclude(**{column.column: ""})
        if last is not None:
            rows = rows.filter(pk__gt=last)
        found = list(rows.order_by("pk").values_list("pk", column.column)[:batch])
        if not found:
            return
        yield found
        last = found[-1][0]


def _rotate(row: tuple[object, str], done: Rotation, *, dry_run: bool) -> None:
    pk, sealed = row
    column = done.column
    done.looked_at += 1
    try:
        if sealed_by_first_key(sealed, purpose=column.purpose):
            return
        again = reencrypt(sealed, purpose=column.purpose)
    except DecryptionFailed:
        done.unreadable.append(str(pk))
        return
    same = column.model._default_manager.filter(pk=pk, **{column.column: sealed})
    done.sealed_anew += 1 if dry_run else same.update(**{column.column: again})
