"""Whom a command is about."""

from django.core.management.base import CommandError

from accounts.models import User, normalised_email


def person_named(email: str) -> User:
    """Raises CommandError where the email is nobody's."""
    user = User.objects.filter(email=normalised_email(email)).first()
    if user is None:
        raise CommandError(f"There is nobody with the email {email}.")
    return user


def reason_given(reason: str) -> str:
    """It goes on record, so blanks are none. Raises CommandError."""
    if not reason.strip():
        raise CommandError("Give a reason.")
    return reason.strip()
