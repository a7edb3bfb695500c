"""Asking once more who it is, before something that a stolen device must not be able to do."""

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.hashers import check_password

from accounts.errors import FreshSignInRequired, PasswordIncorrect
from accounts.hashers import hashing_for
from accounts.models import Session, User
from learning247.kit.clock import now

FRESH = timedelta(minutes=15)


def identity_confirm(*, user: User, password: str, session_id: UUID | None) -> None:
    """That it is `user` who asks: by the password, or for who has none by a session opened within FRESH (None: there
    is no session of ours).

    Not in a transaction: the hasher takes its time. Raises PasswordIncorrect, FreshSignInRequired.
    """
    if user.has_usable_password():
        with hashing_for(user.id, known=True):
            matches = check_password(password, user.password)
        if not matches:
            raise PasswordIncorrect(attr="password")
        return
    fresh = Session.objects.filter(user=user, created_at__gt=now() - FRESH)
    if session_id is None or not fresh.filter(id=session_id).exists():
        raise FreshSignInRequired
