"""Reads of the accounts app."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from accounts.errors import SecondFactorSetupRequired
from accounts.models import RecoveryCode, SecondFactor, Session, User, normalised_email
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.networks import network_of
from learning247.records.selectors import audit_list_since

# For how long an address from which somebody signed in counts as theirs.
KNOWN_FOR: Final = timedelta(days=90)
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


@dataclass(frozen=True, slots=True)
class SecondFactorState:
    """`enabled_at` None: it is off."""

    enabled_at: datetime | None
    recovery_codes_left: int

    @property
    def enabled(self) -> bool:
        return self.enabled_at is not None


def second_factor_state(user: User) -> SecondFactorState:
    """What its owner may know of their second factor."""
    enabled_at = SecondFactor.objects.filter(user=user).values_list("confirmed_at", flat=True).first()
    return SecondFactorState(enabled_at, recovery_codes_left(user) if enabled_at else 0)


def second_factor_active(user: User) -> uuid.UUID | None:
    """The id of the authenticator that is asked for when `user` signs in; None where the first factor is enough."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).values_list("id", flat=True).first()


def staff_factor_holds(user: User, *, shown: str | None) -> bool:
    """Whether a session of the console that was opened with the authenticator `shown` (its id, None for none) still
    counts: not when one was switched on, off, or reset since, nor when staff have come to need one.
    """
    active = second_factor_active(user)
    if active is None:
        return shown is None and not settings.STAFF_SECOND_FACTOR_REQUIRED
    return shown == str(active)


def staff_may(user: User, right: str) -> bool:
    """Whether `user` is staff with the permission `right` ("app.codename"), in a session that counts for staff.

    Raises SecondFactorSetupRequired for who may, but has no second factor where STAFF_SECOND_FACTOR_REQUIRED.
    """
    if not (user.is_staff and user.has_perm(right)):
        return False
    # A session from before it was switched on has ended; so whoever has one has shown it.
    if settings.STAFF_SECOND_FACTOR_REQUIRED and second_factor_active(user) is None:
        raise SecondFactorSetupRequired
    return True


def belongs_to_staff(user: User) -> bool:
    """Whether only superusers edit this account: it is staff, or has rights that count as soon as it is."""
    return user.is_staff or user.is_superuser or user.groups.exists() or user.user_permissions.exists()


def recovery_codes_left(user: User) -> int:
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def sign_in_is_known(*, email: str, network: str | None) -> bool:
    """Whether somebody signed in to the account of `email` from that network (see Device) within KNOWN_FOR.

    One query whether or not the account exists, so that the time does not tell.
    """
    if network is None:
        return False
    sessions = Session.objects.filter(user__email=normalised_email(email), refreshed_at__gte=now() - KNOWN_FOR)
    addresses = sessions.exclude(ip=None).order_by().values_list("ip", flat=True).distinct()
    return any(network_of(address) == network for address in addresses if address)


def console_sign_in_is_known(*, email: str, network: str | None) -> bool:
    """As `sign_in_is_known`, of the staff console, whose sessions keep no address: by what is on record."""
    if network is None:
        return False
    user_id = User.objects.filter(email=normalised_email(email)).values_list("id", flat=True).first()
    # An email that is nobody's takes the same look, so that the time does not tell.
    entries = audit_list_since(
        subject_kind="user", subject_id=user_id or new_id(), action="user.signed_in", since=now() - KNOWN_FOR
    )
    addresses = entries.filter(after__door="console").order_by().values_list("after__ip", flat=True).distinct()
    return any(network_of(address) == network for address in addresses if address)


def network_is_known(user: User, *, network: str | None, since: datetime | None) -> bool:
    """Whether `user` was signed in from that network (see Device) at or after `since`, or is now."""
    if network is None:
        return False
    sessions = Session.objects.filter(Q(ended_at=None) | Q(refreshed_at__gte=since or now()), user=user)
    addresses = sessions.exclude(ip=None).values_list("ip", flat=True).distinct()
    return any(network_of(address) == network for address in addresses if address)
