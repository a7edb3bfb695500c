"""Links that work once: mailed, kept only as a digest.

A row and not a signed token, because a signature cannot be taken back: here using one, and any other change of the
password, delete the rows, and with them the links.
"""

import secrets
from datetime import timedelta
from hashlib import sha256

from accounts.enums import LinkPurpose
from accounts.models import SingleUseLink, User
from learning247.kit.clock import now
from learning247.kit.transactions import require_transaction

LIFETIME = timedelta(minutes=15)


def link_issue(*, user: User, purpose: LinkPurpose) -> str:
    """A token of 256 random bits for `user`, good for LIFETIME and once. Earlier ones stay good: else anybody who
    knows the address could make worthless what its owner was mailed, by asking again.

    In the caller's transaction, which mails it.
    """
    require_transaction("A link is issued in the transaction that mails it.")
    token = secrets.token_urlsafe(32)
    SingleUseLink.objects.filter(user=user, purpose=purpose, expires_at__lte=now()).delete()
    SingleUseLink.objects.create(
        user=user, purpose=purpose, digest=_digest(token), email=user.email, expires_at=now() + LIFETIME
    )
    return token


def link_find(*, token: str, purpose: LinkPurpose) -> SingleUseLink | None:
    """The link with its user, as long as it is good: not expired, its address still the user's, its user not disabled.

    It is looked up by the digest of what came in. How long the index takes tells of digests, which nobody can steer
    towards one that is stored; there is no secret to compare byte by byte.
    """
    link = (
        SingleUseLink.objects.select_related("user")
        .filter(digest=_digest(token), purpose=purpose, expires_at__gt=now(), user__is_active=True)
        .first()
    )
    return link if link is not None and link.email == link.user.email else None


def link_use(link: SingleUseLink) -> bool:
    """Use it up with all others for the same purpose, in the caller's transaction, which has locked the person; False
    when it is good no more."""
    require_transaction("A link is used up in the transaction of what it allows.")
    # Again all that made it good: the hasher ran between finding and using it.
    deleted, _ = SingleUseLink.objects.filter(id=link.id, digest=link.digest, expires_at__gt=now()).delete()
    if deleted:
        SingleUseLink.objects.filter(user_id=link.user_id, purpose=link.purpose).delete()
    return deleted == 1


def link_revoke_all(*, user: User) -> None:
    """No link that was mailed to `user` works any more."""
    SingleUseLink.objects.filter(user=user).delete()


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
