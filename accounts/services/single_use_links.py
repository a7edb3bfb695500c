"""Links that work once: mailed, kept only as a digest.

A row and not a signed token, because a signature cannot be taken back: here asking again, using the link, and any other
change of the password delete the row, and with it the link.
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
    """A token of 256 random bits for `user`, good for LIFETIME and once; an earlier one is worthless from now on.

    In the caller's transaction, which mails it.
    """
    require_transaction("A link is issued in the transaction that mails it.")
    token = secrets.token_urlsafe(32)
    SingleUseLink.objects.update_or_create(
        user=user,
        purpose=purpose,
        defaults={"digest": _digest(token), "email": user.email, "expires_at": now() + LIFETIME},
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
    """Use it up, in the caller's transaction; False when somebody else has, or a newer one has taken its place."""
    require_transaction("A link is used up in the transaction of what it allows.")
    # Again all that made it good: the hasher ran between finding and using it.
    deleted, _ = SingleUseLink.objects.filter(id=link.id, digest=link.digest, expires_at__gt=now()).delete()
    return deleted == 1


def link_revoke_all(*, user: User) -> None:
    """No link that was mailed to `user` works any more."""
    SingleUseLink.objects.filter(user=user).delete()


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
