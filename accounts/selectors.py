"""Reads of the accounts app."""

import uuid

from accounts.models import User


def signed_in(user: object) -> User:
    """`request.user` as the person it is, in views that IsAuthenticated guards."""
    assert isinstance(user, User)
    return user


def user_of_session(*, user_id: uuid.UUID, session_id: uuid.UUID) -> User | None:
    """Whose session this is, as long as it runs and the account is not disabled; one query."""
    return User.objects.filter(
        id=user_id, is_active=True, sessions__id=session_id, sessions__ended_at__isnull=True
    ).first()
