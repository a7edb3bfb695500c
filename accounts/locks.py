"""Row locks of the accounts app. One person's session at a time; nothing else is locked with it."""

import uuid

from accounts.models import Session
from learning247.kit.locks import bound_lock_wait


def session_lock(session_id: uuid.UUID) -> Session | None:
    """The session with its user, locked until the transaction ends; None when there is no such session."""
    bound_lock_wait()
    return (
        Session.objects.select_for_update(of=("self",), no_key=True)
        .select_related("user")
        .filter(id=session_id)
        .first()
    )
