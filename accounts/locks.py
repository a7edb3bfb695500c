"""Row locks of the accounts app. One person or one session at a time. A person is locked before anything of theirs."""

import uuid

from django.db import connection

from accounts.errors import TokenNotValid
from accounts.models import Erasure, OneTimeCode, RecoveryRequest, SecondFactor, Session, User
from learning247.kit.locks import bound_lock_wait


def user_lock(user_id: uuid.UUID) -> User:
    """The person, locked until the transaction ends. Nobody is ever deleted, so there is one."""
    bound_lock_wait()
    return User.objects.select_for_update(of=("self",), no_key=True).get(id=user_id)


def user_hold(user_id: uuid.UUID) -> None:
    """Keep the account from being closed until the transaction ends; others of the person's requests do not wait.

    For what begins something that belongs to them: it stands before the account is closed, or never.
    Raises TokenNotValid when it was closed while the request was under way.
    """
    bound_lock_wait()
    with connection.cursor() as cursor:
        cursor.execute("SELECT is_active FROM accounts_user WHERE id = %s FOR SHARE", [user_id])
        row = cursor.fetchone()
    if row is None or not row[0]:
        raise TokenNotValid


def erasure_lock(user_id: uuid.UUID | str) -> Erasure | None:
    """The erasure of that person, unless it is finished or somebody is at it; locked until the transaction ends."""
    return (
        Erasure.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
        .select_related("user")
        .filter(user_id=user_id, finished_at=None)
        .first()
    )


def session_lock(session_id: uuid.UUID) -> Session | None:
    """The session with its user, locked until the transaction ends; None when there is no such session."""
    bound_lock_wait()
    return (
        Session.objects.select_for_update(of=("self",), no_key=True)
        .select_related("user")
        .filter(id=session_id)
        .first()
    )


def recovery_request_lock(request_id: uuid.UUID | str) -> RecoveryRequest | None:
    """The request, locked until the transaction ends; None when it was answered or is just being answered."""
    return RecoveryRequest.objects.select_for_update(skip_locked=True).filter(id=request_id).first()


def one_time_code_lock(*, user_id: uuid.UUID, purpose: str, subject_digest: str) -> OneTimeCode | None:
    """The code for that subject, locked until the transaction ends; None when none was issued."""
    bound_lock_wait()
    return (
        OneTimeCode.objects.select_for_update(no_key=True)
        .filter(user_id=user_id, purpose=purpose, subject_digest=subject_digest)
        .first()
    )


def second_factor_lock(user_id: uuid.UUID) -> SecondFactor | None:
    """The person's authenticator, active or only begun, locked until the transaction ends; its tries and recovery codes
    change under this lock alone."""
    bound_lock_wait()
    return SecondFactor.objects.select_for_update(no_key=True).filter(user_id=user_id).first()
