"""Who signed in, who did not, who signed out: the audit trail's view of the doors."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction

from accounts.devices import Device
from accounts.models import User, normalised_email
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.records.selectors import audit_list_since
from learning247.records.services.audit import audit_record

logger = structlog.get_logger(__name__)

API = "api"
GOOGLE = "google"
# Refusals are written down for accounts that exist, once per address and WINDOW, and at most so many for an account in
# one WINDOW: the trail cannot be emptied, so nobody may fill it by knocking. The log has every one.
WINDOW = timedelta(minutes=15)
MOST_IN_WINDOW = 20
REFUSED = "user.sign_in_refused"
SECOND_REFUSED = "user.second_factor_refused"


def sign_in_record(*, user: User, device: Device, door: str, **details: Any) -> None:
    """In the caller's transaction. `door` is where: the API, the console; `details` are plain data."""
    _record("user.signed_in", user=user, device=device, door=door, **details)


def sign_in_record_alone(*, user: User, device: Device, door: str, **details: Any) -> None:
    """The same in a transaction of its own."""
    with transaction.atomic():
        _record("user.signed_in", user=user, device=device, door=door, **details)


def sign_out_record(*, user: User, device: Device, door: str, **details: Any) -> None:
    with transaction.atomic():
        _record("user.signed_out", user=user, device=device, door=door, **details)


def sign_in_refusal_record(*, email: str, device: Device, door: str) -> None:
    """Somebody gave a wrong password for `email`, or one of a disabled account, or came by Google and may not.

    Nothing is kept of the password.

    An email that is nobody's takes the same look at the trail, so that the time does not tell it from others.
    """
    user_id = User.objects.filter(email=normalised_email(email)).values_list("id", flat=True).first()
    logger.info("sign_in_refused", user_id=user_id and str(user_id), ip=device.ip, door=door)
    _refusal_record(REFUSED, user_id=user_id, device=device, door=door)


def second_factor_refusal_record(*, user: User, device: Device, door: str) -> None:
    """Somebody who has shown the first factor gave a wrong code. Nothing is kept of the code."""
    logger.info("second_factor_refused", user_id=str(user.id), ip=device.ip, door=door)
    _refusal_record(SECOND_REFUSED, user_id=user.id, device=device, door=door)


def _refusal_record(action: str, *, user_id: UUID | None, device: Device, door: str) -> None:
    recent = audit_list_since(
        subject_kind="user", subject_id=user_id or new_id(), action=action, since=now() - WINDOW
    ).values_list("after__ip", flat=True)
    from_where = list(recent[:MOST_IN_WINDOW])
    if user_id is None or device.ip in from_where or len(from_where) == MOST_IN_WINDOW:
        return
    with transaction.atomic():
        audit_record(actor=None, action=action, subject_kind="user", subject_id=user_id, after=_where(device, door))


def _record(action: str, *, user: User, device: Device, door: str, **details: Any) -> None:
    audit_record(
        actor=user,
        action=action,
        subject_kind="user",
        subject_id=user.pk,
        after={**_where(device, door), **details},
    )


def _where(device: Device, door: str) -> dict[str, Any]:
    return {"door": door, "ip": device.ip, "user_agent": device.user_agent}
