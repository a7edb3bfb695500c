"""A person's own data, handed to them."""

from collections.abc import Iterator
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.devices import UNKNOWN, Device
from accounts.models import User
from accounts.services.identity import identity_confirm
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.records.reasons import required_reason
from learning247.records.services.audit import audit_record
from learning247.records.services.mail import mail_queue
from learning247.records.services.personal_data import personal_data_stream


def personal_data_export(*, user: User, password: str, session_id: UUID, device: Device = UNKNOWN) -> Iterator[bytes]:
    """All that is held about `user`, as the pieces of one JSON document. On record, and they are told by mail.

    Streamed and kept nowhere: a file that waits to be fetched is one more place from which everything about somebody
    can be taken. Raises PasswordIncorrect, FreshSignInRequired.
    """
    identity_confirm(user=user, password=password, session_id=session_id)
    with transaction.atomic(durable=True):
        audit_record(
            actor=user,
            action="user.exported",
            subject_kind="user",
            subject_id=user.id,
            after={"ip": device.ip, "user_agent": device.user_agent},
        )
        mail_queue(
            key=f"data-exported:{user.id}:{new_id()}",
            to=user.email,
            template="data_exported",
            context={
                "first_name": user.name_for_mails,
                "ip": device.ip,
                "when": now(),
                "url": f"{settings.FRONTEND_URL}/forgot-password",
            },
        )
    return personal_data_stream(user)


def personal_data_export_by_operator(*, user: User, reason: str) -> Iterator[bytes]:
    """The same document for who asks by letter; on record with the reason, which names no person. Raises
    ReasonRequired."""
    reason = required_reason(reason)
    with transaction.atomic(durable=True):
        audit_record(actor=None, action="user.exported", subject_kind="user", subject_id=user.id, reason=reason)
    return personal_data_stream(user)
