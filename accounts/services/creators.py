"""Becoming a creator: nobody applies; it happens with the first item."""

from accounts.errors import EmailNotVerified
from accounts.locks import user_hold
from accounts.models import User


def creator_ensure(user: User) -> User:
    """Make `user` a creator if they are none yet; call it where an item is created, in the same transaction.

    Raises EmailNotVerified (403): money will be paid out to this person, so the email must be theirs; TokenNotValid
    when their account is being closed.
    """
    user_hold(user.id)
    if not user.email_verified:
        raise EmailNotVerified
    if not user.is_creator:
        user.is_creator = True
        user.save(update_fields=["is_creator"])
    return user
