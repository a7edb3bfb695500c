"""What the web client is handed when somebody comes back from Google: a code, never a token, in the fragment.

Browsers send a fragment to no server and in no Referer, so it is in nobody's log; and it is worth nothing after its
first use or a minute (RFC 9700, 4.3). A client that gave a challenge when it began (RFC 7636) is the only one that can
use it: a code that somebody sends to somebody else, to have them work in the sender's account, opens nothing. That
holds where browsers withhold cookies from other sites' pages, as a cookie would not.
"""

import base64
import secrets
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from django.utils.crypto import constant_time_compare

from accounts.models import GoogleCode, User
from learning247.kit.clock import now
from learning247.kit.transactions import require_transaction

LIFETIME = timedelta(seconds=60)


def google_code_issue(*, user: User, code_challenge: str) -> str:
    """A code of 256 random bits for `user`, good for LIFETIME and once. In the caller's transaction."""
    require_transaction("A code is issued in the transaction that finds out whose it is.")
    code = secrets.token_urlsafe(32)
    GoogleCode.objects.create(
        user=user, digest=_digest(code), code_challenge=code_challenge, expires_at=now() + LIFETIME
    )
    return code


def google_code_use(*, code: str, code_verifier: str) -> UUID | None:
    """Whose it is, or None; gone in either case. In the caller's transaction, which must commit.

    A verifier for a code that was asked for without a challenge is as wrong as none for one with it: else somebody
    could hand out a code of their own, without a challenge, to clients that always send a verifier.
    """
    require_transaction("A code is used up in the transaction that opens the session.")
    row = GoogleCode.objects.filter(digest=_digest(code)).first()
    if row is None or not _use_up(row):
        return None
    expected = _challenge(code_verifier) if code_verifier else ""
    good = row.expires_at > now() and constant_time_compare(row.code_challenge, expected)
    return row.user_id if good else None


def google_code_revoke_all(*, user: User) -> None:
    """No code that was issued for `user` until now opens a session."""
    GoogleCode.objects.filter(user=user).delete()


def google_code_purge() -> int:
    """Drop those that nobody used in time; how many."""
    deleted, _ = GoogleCode.objects.filter(expires_at__lt=now()).delete()
    return deleted


def _use_up(row: GoogleCode) -> bool:
    """Of many at once, the one that deletes it has used it."""
    deleted, _ = GoogleCode.objects.filter(id=row.id).delete()
    return deleted == 1


def _digest(code: str) -> str:
    return sha256(code.encode()).hexdigest()


def _challenge(verifier: str) -> str:
    """RFC 7636, 4.2, S256."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
