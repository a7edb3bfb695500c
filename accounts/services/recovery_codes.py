"""Ten codes on paper that stand in for a lost authenticator, each once.

80 random bits each, so that nobody guesses one and tries need not be counted: whoever uses up the tries for six digits
cannot keep the owner of these out. So many bits need no keyed or slow digest either, and outlive every key.
"""

import secrets
from hashlib import sha256

from accounts.models import RecoveryCode, User
from learning247.kit.clock import now
from learning247.kit.transactions import require_transaction

HOW_MANY = 10
LENGTH = 16
# Crockford's base32: no letter that is read as a digit.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_AS_MEANT = str.maketrans("OIL", "011", " -")


def recovery_codes_renew(*, user: User) -> list[str]:
    """A fresh set, such as `7Q2M-XK9D-…`, to be shown once; those of earlier sets open nothing any more.

    In the caller's transaction, which holds the second factor's lock.
    """
    require_transaction("Recovery codes are made in the transaction that answers for them.")
    recovery_codes_revoke(user=user)
    plain = ["".join(secrets.choice(ALPHABET) for _ in range(LENGTH)) for _ in range(HOW_MANY)]
    RecoveryCode.objects.bulk_create([RecoveryCode(user=user, digest=_digest(user, code)) for code in plain])
    return ["-".join(code[start : start + 4] for start in range(0, LENGTH, 4)) for code in plain]


def recovery_codes_revoke(*, user: User) -> None:
    RecoveryCode.objects.filter(user=user).delete()


def recovery_code_use(*, user: User, code: str) -> bool:
    """Whether it was one of theirs and unused; it is used up now. Case, spaces and dashes do not matter."""
    require_transaction("A recovery code is used up in the transaction of what it allows.")
    digest = _digest(user, code.upper().translate(_AS_MEANT))
    return RecoveryCode.objects.filter(user=user, digest=digest, used_at=None).update(used_at=now()) == 1


def _digest(user: User, code: str) -> str:
    return sha256(f"{user.id}:{code}".encode()).hexdigest()
