"""Enrollments leave the platform as a table: on record, as it holds names, addresses and telephone numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from courses.models import Enrollment
from courses.selectors.enrollment_exports import enrollment_csv
from learning247.records.services.audit import audit_record


@transaction.atomic(durable=True)
def enrollments_export(
    *, rows: QuerySet[Enrollment], filters: Mapping[str, Any], actor: User, reason: str
) -> Iterator[str]:
    """The lines of `enrollment_csv` for an `enrollment_list`, audited before the first one leaves.

    `filters`: what was asked for, as plain data. `reason`: why, as far as somebody says.
    """
    audit_record(
        actor=actor,
        action="enrollments.exported",
        subject_kind="enrollment",
        subject_id="*",
        reason=reason,
        after={"filters": dict(filters), "rows": rows.count()},
    )
    return enrollment_csv(rows)
