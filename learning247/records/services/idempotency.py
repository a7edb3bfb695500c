"""One effect per Idempotency-Key: the first request runs, its answer is kept, every repeat gets that answer.

`records.idempotency` is the HTTP side. The rows are written in transactions of their own, before and after the work,
so a crash in between leaves a lease that runs out, never a stuck key.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import QuerySet

from learning247.kit.clock import now
from learning247.records.errors import IdempotencyInProgress, IdempotencyKeyReused
from learning247.records.models import IdempotencyRecord

LEASE = timedelta(seconds=60)
KEPT = timedelta(days=8)
# A running request is mostly over within a second; a client told to wait out a whole lease would wait for nothing.
LONGEST_RETRY_AFTER = 5


@dataclass(frozen=True, slots=True)
class Claim:
    """This request is the one that does the work under the key; `lease_until` tells it from whoever takes over."""

    record_id: int
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the first request was answered."""

    status: int
    body: bytes


def idempotency_claim(*, user: AbstractBaseUser, operation: str, key: str, digest: str) -> Claim | StoredAnswer:
    """Claim the key, or get the answer that it has already. Own transaction.

    Raises IdempotencyKeyReused (the key stands for another request) and IdempotencyInProgress.
    """
    moment = now()
    lease_until = moment + LEASE
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO records_idempotencyrecord"
                " (user_id, operation, key, request_digest, lease_until, created_at) VALUES (%s, %s, %s, %s, %s, %s)"
                " ON CONFLICT (user_id, operation, key) DO NOTHING RETURNING id",
                [user.pk, operation, key, digest, lease_until, moment],
            )
            inserted = cursor.fetchone()
        if inserted is not None:
            return Claim(inserted[0], lease_until)
        known = IdempotencyRecord.objects.filter(user_id=user.pk, operation=operation, key=key).first()
        if known is None:
            # Released between the two statements: the same request again finds the key free.
            raise IdempotencyInProgress(retry_after=1)
        if known.request_digest != digest:
            raise IdempotencyKeyReused
        if known.answer_status is not None:
            return StoredAnswer(known.answer_status, bytes(known.answer_body or b""))
        if known.lease_until > moment:
            left = math.ceil((known.lease_until - moment).total_seconds())
            raise IdempotencyInProgress(retry_after=max(1, min(left, LONGEST_RETRY_AFTER)))
        # Its holder died. Of all that see this, the one whose update finds the old lease takes over.
        taken_over = IdempotencyRecord.objects.filter(
            pk=known.pk, lease_until=known.lease_until, answer_status__isnull=True
        ).update(lease_until=lease_until)
        if not taken_over:
            raise IdempotencyInProgress(retry_after=1)
        return Claim(known.pk, lease_until)


def idempotency_store(claim: Claim, *, status: int, body: bytes) -> None:
    """Keep the answer for every repeat; nothing when another request took the key over meanwhile. Own transaction."""
    with transaction.atomic(durable=True):
        _held(claim).update(answer_status=status, answer_body=body)


def idempotency_release(claim: Claim) -> None:
    """Forget the key: this answer is not one to repeat, and the same key may be tried again. Own transaction."""
    with transaction.atomic(durable=True):
        _held(claim).delete()


def idempotency_is_known(*, user: AbstractBaseUser, operation: str, key: str) -> bool:
    """Whether a request with this key ran or runs: such repeats do not count against rate limits."""
    return IdempotencyRecord.objects.filter(user_id=user.pk, operation=operation, key=key).exists()


def idempotency_purge(*, batch: int = 5_000) -> int:
    """Drop keys older than eight days (a repeat within seven is promised its answer), in batches; return how many."""
    before = now() - KEPT
    dropped = 0
    while True:
        old = IdempotencyRecord.objects.filter(created_at__lt=before).values_list("pk", flat=True)[:batch]
        count, _ = IdempotencyRecord.objects.filter(pk__in=list(old)).delete()
        dropped += count
        if count < batch:
            return dropped


def _held(claim: Claim) -> QuerySet[IdempotencyRecord]:
    return IdempotencyRecord.objects.filter(
        pk=claim.record_id, lease_until=claim.lease_until, answer_status__isnull=True
    )
