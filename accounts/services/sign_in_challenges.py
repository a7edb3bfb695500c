"""Between the two factors of a sign-in: proof that the first was shown, worth nothing without the second.

A row with a digest, as mailed links are: it can be taken back, and whoever reads the table can go on nobody's way.
"""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from accounts.models import SignInChallenge, User
from learning247.kit.clock import now
from learning247.kit.transactions import require_transaction

LIFETIME = timedelta(minutes=5)


def challenge_issue(*, user: User) -> tuple[str, datetime]:
    """A challenge of 256 random bits and when it expires. Earlier ones stay good: whoever knows the password alone must
    not be able to interrupt the owner."""
    require_transaction("A challenge is issued in the transaction that has looked at the first factor.")
    challenge, expires_at = secrets.token_urlsafe(32), now() + LIFETIME
    SignInChallenge.objects.create(user=user, digest=_digest(challenge), expires_at=expires_at)
    return challenge, expires_at


def challenge_find(challenge: str) -> SignInChallenge | None:
    """It with its user, as long as it is good."""
    return (
        SignInChallenge.objects.select_related("user")
        .filter(digest=_digest(challenge), expires_at__gt=now(), user__is_active=True)
        .first()
    )


def challenge_use(challenge: SignInChallenge) -> None:
    """Use it up, in the transaction that opens the session and holds the person's lock."""
    require_transaction("A challenge is used up in the transaction that opens the session.")
    challenge.delete()


def challenge_revoke_all(*, user: User) -> None:
    """Nobody who has shown this person's first factor until now gets any further by it."""
    SignInChallenge.objects.filter(user=user).delete()


def challenge_purge() -> int:
    """Drop those that have expired; how many."""
    deleted, _ = SignInChallenge.objects.filter(expires_at__lt=now()).delete()
    return deleted


def _digest(challenge: str) -> str:
    return sha256(challenge.encode()).hexdigest()
