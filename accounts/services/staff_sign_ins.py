"""Signing in to the staff console: Django's sessions instead of ours, and the same two factors."""

from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.devices import Device
from accounts.errors import InvalidCredentials, SecondFactorCodeMissing, SecondFactorSetupRequired
from accounts.locks import user_lock
from accounts.models import User
from accounts.selectors import second_factor_active
from accounts.services.second_factors import second_factor_try
from accounts.services.sign_ins import sign_in_record


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
