"""The audit trail says who did what, and cannot be changed by anybody."""

from datetime import UTC, datetime

import pytest
import structlog
from django.db import IntegrityError, connection, transaction

from learning247.kit.ids import new_id
from learning247.records.models import AuditEntry
from learning247.records.services.audit import audit_record
from learning247.records.tests.builders import a_user


def an_entry():
    return audit_record(actor=None, action="payment.release", subject_kind="payment", subject_id="ref-1")


def test_an_entry_holds_actor_action_subject_reason_and_values(db):
    actor, subject = a_user(), new_id()
    with structlog.contextvars.bound_contextvars(request_id="request-12345678"):
        audit_record(
            actor=actor,
            action="review.approve",
            subject_kind="payment_review",
            subject_id=subject,
            reason="Checked by phone.",
            before={"status": "open", "due_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)},
            after={"status": "approved", "payment": subject},
        )

    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.reason) == (actor, "review.approve", "Checked by phone.")
    assert (entry.subject_kind, entry.subject_id) == ("payment_review", str(subject))
    assert entry.before == {"status": "open", "due_at": "2026-01-02T03:04:05Z"}
    assert entry.after == {"status": "approved", "payment": str(subject)}
    assert entry.request_id == "request-12345678"


def test_the_platform_itself_is_no_actor(db):
    assert an_entry().actor is None


def test_outside_of_a_transaction_no_entry_is_written(committed_db):
    with pytest.raises(RuntimeError, match="in the transaction of the action"):
        an_entry()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE records_auditentry SET reason = 'another'",
        "DELETE FROM records_auditentry",
        "TRUNCATE records_auditentry",
        "TRUNCATE records_auditentry CASCADE",
    ],
)
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_the_database_refuses_to_change_the_trail(committed_db, statement, role):
    with transaction.atomic():
        entry = an_entry()

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('session_replication_role', %s, true)", [role])
        cursor.execute(statement)

    assert AuditEntry.objects.get() == entry
