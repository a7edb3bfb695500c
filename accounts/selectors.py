"""Reads of the accounts app."""

import uuid
from typing import Final

from django.db import connection
from django.db.models import QuerySet

from accounts.models import Session, User
from learning247.kit.clock import now

_USER_FIELDS: Final = User._meta.concrete_fields
# Written out, because every request with a token asks this: the ORM takes seven times as long to build it each time.
_USER_OF_SESSION: Final = f"""
SELECT {", ".join(f'u."{field.column}"' for field in _USER_FIELDS)}
  FROM accounts_user u JOIN accounts_session s ON s.user_id = u.id
 WHERE s.id = %s AND s.ended_at IS NULL AND u.id = %s AND u.is_active
"""  # noqa: S608 - columns of the model


def signed_in(user: object) -> User:
    """`request.user` as the person it is, in views that IsAuthenticated guards."""
    assert isinstance(user, User)
    return user


def session_list_for(user: User) -> QuerySet[Session]:
    """The sessions by which `user` is signed in, the one that was refreshed last first."""
    return Session.objects.filter(user=user, ended_at=None, expires_at__gt=now()).order_by("-refreshed_at", "-id")


def user_of_session(*, user_id: uuid.UUID, session_id: uuid.UUID) -> User | None:
    """Whose session this is, as long as it runs and the account is not disabled; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_USER_OF_SESSION, [session_id, user_id])
        row = cursor.fetchone()
    return User.from_db(connection.alias, [field.attname for field in _USER_FIELDS], row) if row else None
