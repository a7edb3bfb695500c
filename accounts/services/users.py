"""Making people and changing what they say about themselves."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.errors import EmailTaken, PasswordTooWeak, TokenNotValid
from accounts.hashers import normalised_password
from accounts.locks import user_lock
from accounts.models import User, normalised_email

PROFILE_FIELDS = ("first_name", "last_name", "phone", "country", "bio", "avatar_url")


def user_register(*, email: str, password: str, first_name: str, last_name: str) -> User:
    """A new person whose email is not verified yet.

    Two at once with the same email: the unique constraint lets one through. Raises EmailTaken, PasswordTooWeak.
    """
    user = user_prepare(email=email, password=password, first_name=first_name, last_name=last_name)
    user_insert(user)
    return user


def user_prepare(*, email: str, password: str, first_name: str, last_name: str) -> User:
    """Who is to be inserted. Apart, because the hasher takes its time, and a connection that holds a transaction open
    meanwhile is one that others wait for. Raises PasswordTooWeak, PasswordsBusy."""
    user = User(email=normalised_email(email), first_name=first_name, last_name=last_name)
    password_check(password, user=user)
    user.password = make_password(password)
    return user


def user_update_profile(*, user: User, changes: dict[str, Any]) -> User:
    """Change what people may change about themselves; keys other than PROFILE_FIELDS are a programming error.

    Raises TokenNotValid when the account was closed meanwhile: the names it gave up would stand in it again.
    """
    unknown = changes.keys() - set(PROFILE_FIELDS)
    if unknown:
        raise ValueError(f"Not a profile field: {', '.join(sorted(unknown))}.")
    if not changes:
        return user
    with transaction.atomic(durable=True):
        locked = user_lock(user.id)
        if not locked.is_active:
            raise TokenNotValid
        for name, value in changes.items():
            setattr(locked, name, value)
        locked.save(update_fields=list(changes))
    return locked


def password_check(password: str, *, user: User, attr: str = "password") -> None:
    """Raises PasswordTooWeak with every rule of AUTH_PASSWORD_VALIDATORS that `password` breaks for this person.

    What is looked at is what will be hashed. `attr` is the request's field.
    """
    try:
        validate_password(normalised_password(password), user=user)
    except ValidationError as error:
        reasons = [{"code": reason.code or "invalid", "detail": reason.messages[0]} for reason in error.error_list]
        detail = " ".join(reason["detail"] for reason in reasons)
        raise PasswordTooWeak(detail, attr=attr, extra={"reasons": reasons}) from None


def user_insert(user: User) -> None:
    """Save a new person; the unique constraint decides. Raises EmailTaken."""
    try:
        with transaction.atomic():  # a savepoint where a caller has a transaction: its own work survives the refusal
            user.save(force_insert=True)
    except IntegrityError as error:
        if _violated_constraint(error) == "accounts_user_email_key":
            raise EmailTaken(attr="email") from None
        raise


def _violated_constraint(error: IntegrityError) -> str | None:
    """The name of the constraint, from PostgreSQL's own diagnostics rather than from the message."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return getattr(diagnostics, "constraint_name", None)
