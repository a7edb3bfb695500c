"""Signing in to the staff console: Django's sessions instead of ours, and the same two factors.

Who has to set a second factor up does it there, on the strength of the password that was shown a moment ago:

    password --begun, its id kept with the browser's session--> first code --> signed in
"""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.devices import Device
from accounts.errors import InvalidCredentials, SecondFactorCodeMissing, SecondFactorNotBegun, SecondFactorSetupRequired
from accounts.locks import user_lock
from accounts.models import User
from accounts.selectors import second_factor_active
from accounts.services.identity import identity_confirm
from accounts.services.second_factors import (
    TotpSetup,
    second_factor_begun,
    second_factor_confirm,
    second_factor_setup,
    second_factor_try,
)
from accounts.services.sign_in_records import sign_in_record
from learning247.records.services.audit import audit_record


def staff_sign_in(*, user: User, code: str, device: Device, door: str) -> UUID | None:
    """Let somebody in whose password was right; the authenticator that was shown, None where they have none.

    The console keeps that with its session and compares it on every page (`staff_factor_holds`). Raises
    InvalidCredentials where the password was changed meanwhile, SecondFactorCodeMissing without a code,
    SecondFactorCodeInvalid, SecondFactorCodeUsed, SecondFactorPaused; SecondFactorSetupRequired for who has to set one
    up.
    """
    with transaction.atomic(durable=True):
        current = user_lock(user.id)
        if current.password != user.password or not current.is_active:
            raise InvalidCredentials
        factor = second_factor_active(current)
        if factor is None:
            if settings.STAFF_SECOND_FACTOR_REQUIRED:
                raise SecondFactorSetupRequired
            sign_in_record(user=current, device=device, door=door)
            return None
        if not code:
            raise SecondFactorCodeMissing
        verdict = second_factor_try(user=current, code=code, device=device, door=door)
        if verdict.refusal is None:
            sign_in_record(user=current, device=device, door=door, second_factor=verdict.method)
            return factor
    raise verdict.refusal


@dataclass(frozen=True, slots=True)
class StaffSetup:
    """What somebody of the staff has begun: who, by which password, and what their app needs."""

    user: User
    factor_id: UUID
    totp: TotpSetup


def staff_setup_begin(*, user: User, device: Device, door: str, password: str | None = None) -> UUID:
    """Begin a second factor for `user`, whose password was right a moment ago, or is `password`; its id, which is worth
    as much as the password. On record.

    Raises PasswordIncorrect, FreshSignInRequired (nobody without a password signs in there), EmailNotVerified,
    SecondFactorActive.
    """
    if password is not None:
        identity_confirm(user=user, password=password, session_id=None)
    with transaction.atomic(durable=True):
        factor_id, _ = second_factor_begun(user=user)
        audit_record(
            actor=user,
            action="user.second_factor_begun",
            subject_kind="user",
            subject_id=user.pk,
            after={"door": door, "ip": device.ip, "user_agent": device.user_agent},
        )
    return factor_id


def staff_setup_find(*, user_id: str, factor_id: str) -> StaffSetup | None:
    """What was begun under that id, as long as it can be confirmed and its owner is of the staff."""
    user = User.objects.filter(pk=user_id, is_active=True, is_staff=True).first()
    if user is None:
        return None
    try:
        return StaffSetup(user, UUID(factor_id), second_factor_setup(user=user, factor_id=factor_id))
    except SecondFactorNotBegun:
        return None


def staff_setup_confirm(*, setup: StaffSetup, code: str, device: Device, door: str) -> list[str]:
    """Switch it on by a first code; the recovery codes, to be shown this once. Every session of the API ends, and every
    one of the console but the one that asks.

    Raises SecondFactorNotBegun, SecondFactorActive, SecondFactorCodeInvalid, SecondFactorPaused.
    """
    return second_factor_confirm(user=setup.user, session_id=None, code=code, device=device, door=door)
