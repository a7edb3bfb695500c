"""Six digits by mail that confirm one thing: this purpose, this amount, this account, by this person.

issue (mails) → check (counts the try, in a transaction of its own) → use (in the transaction of what was confirmed):

    code = one_time_code_issue(user=user, purpose=purpose, subject={"withdrawal": id, "amount_minor": n, …})
    right = one_time_code_check(user=user, purpose=purpose, subject=the same, code=what came in)
    with transaction.atomic(durable=True):
        one_time_code_use(right)
        … what was confirmed …

Guessing succeeds once in 200,000 subjects: five tries belong to each, for ever, and no new mail brings them back.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.errors import CodeInvalid, CodeTooSoon, CodeTriesUsedUp, CodeUsed
from accounts.locks import one_time_code_lock
from accounts.models import OneTimeCode, User
from learning247.kit.clock import now
from learning247.kit.json_encoding import to_json
from learning247.kit.transactions import require_transaction

DIGITS = 6
LIFETIME = timedelta(minutes=10)
PAUSE = timedelta(seconds=60)
MAX_TRIES = 5


@dataclass(frozen=True, slots=True)
class RightCode:
    """A code that was right when it was checked, to be used once."""

    row: UUID
    digest: str


def one_time_code_issue(*, user: User, purpose: str, subject: Mapping[str, Any]) -> str:
    """A fresh code that confirms exactly `subject` (plain data: ids, amounts in minor units), good for LIFETIME.

    In the caller's transaction, which mails it. An earlier one for the same subject is worthless from now on; tries
    that were wrong stay counted. Raises CodeTooSoon within PAUSE of the last, CodeTriesUsedUp, CodeUsed.
    """
    require_transaction("A code is issued in the transaction that mails it.")
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    digest = _digest_of(subject)
    fresh = OneTimeCode(user=user, purpose=purpose, subject_digest=digest, expires_at=now() + LIFETIME)
    fresh.code_digest = _digest(fresh, code)
    OneTimeCode.objects.bulk_create([fresh], ignore_conflicts=True)
    row = one_time_code_lock(user_id=user.id, purpose=purpose, subject_digest=digest)
    assert row is not None, "it was there, or is there now"
    if row.id == fresh.id:
        return code
    _refuse_what_is_over(row)
    wait = (row.sent_at + PAUSE - now()).total_seconds()
    if wait > 0:
        raise CodeTooSoon(retry_after=int(wait) + 1)
    row.code_digest, row.sent_at, row.expires_at = fresh.code_digest, fresh.sent_at, fresh.expires_at
    row.save(update_fields=["code_digest", "sent_at", "expires_at"])
    return code


def one_time_code_check(*, user: User, purpose: str, subject: Mapping[str, Any], code: str) -> RightCode:
    """That `code` is right for exactly this. Not in a transaction: a wrong try stays counted whatever follows.

    Raises CodeInvalid with the tries that are left (0: this was the last), also for a code that has expired or is for
    another subject; CodeTriesUsedUp; CodeUsed.
    """
    with transaction.atomic(durable=True):
        row = one_time_code_lock(user_id=user.id, purpose=purpose, subject_digest=_digest_of(subject))
        if row is None:
            raise CodeInvalid
        _refuse_what_is_over(row)
        right = constant_time_compare(row.code_digest, _digest(row, code))
        if right and row.expires_at > now():
            return RightCode(row.id, row.code_digest)
        row.tries += 1
        row.save(update_fields=["tries"])
    # Only now, so that the try is committed.
    raise CodeInvalid(tries_left=MAX_TRIES - row.tries)


def one_time_code_use(right: RightCode) -> None:
    """Use it up, in the transaction of what it confirms: both happen, once, or neither. Raises CodeUsed."""
    require_transaction("A code is used up in the transaction of what it confirms.")
    used = OneTimeCode.objects.filter(id=right.row, code_digest=right.digest, used_at=None).update(used_at=now())
    if not used:
        raise CodeUsed


def one_time_code_purge(*, older_than: timedelta = timedelta(days=30)) -> int:
    """Drop codes that were sent so long ago; how many."""
    deleted, _ = OneTimeCode.objects.filter(sent_at__lt=now() - older_than).delete()
    return deleted


def _refuse_what_is_over(row: OneTimeCode) -> None:
    if row.used_at is not None:
        raise CodeUsed
    if row.tries >= MAX_TRIES:
        raise CodeTriesUsedUp


def _digest_of(subject: Mapping[str, Any]) -> str:
    return sha256(to_json(dict(sorted(subject.items())))).hexdigest()


def _digest(row: OneTimeCode, code: str) -> str:
    """Keyed with Django's secret: of a million codes, a plain digest would be found by trying them all."""
    bound = f"{row.user_id}:{row.purpose}:{row.subject_digest}:{code}"
    return salted_hmac("accounts.one-time-code", bound, algorithm="sha256").hexdigest()
