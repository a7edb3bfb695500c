"""Proving that an email belongs to the person who signed up with it."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction

from accounts.errors import EmailAlreadyVerified, VerificationTokenExpired, VerificationTokenInvalid
from accounts.locks import user_lock
from accounts.models import User
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.records.selectors import mail_times_since
from learning247.records.services.mail import mail_queue

LIFETIME = timedelta(days=3)
# The least time between two mails to one person: nobody can have us flood a mailbox.
PAUSE = timedelta(seconds=60)
MOST_IN_AN_HOUR = 5
# Its own salt: a value that Django signed for any other purpose is no verification token, and the reverse.
SALT = "accounts.verify-email"


def verification_token(user: User) -> str:
    """A signed token that is good for LIFETIME, for this purpose, and for the email that `user` has now."""
    return signing.dumps({"user": str(user.id), "email": user.email}, salt=SALT)


def verification_mail_queue(user: User) -> None:
    """Mail `user` a link that verifies their email; in the caller's transaction."""
    # In the fragment, which browsers send to no server: the token ends up in nobody's access log.
    url = f"{settings.FRONTEND_URL}/verify-email#token={verification_token(user)}"
    mail_queue(
        key=f"{_mails_of(user)}{new_id()}",
        to=user.email,
        template="verify_email",
        # No name: whoever signed up wrote it, and the address may be somebody else's.
        context={"url": url},
        secret_until=now() + LIFETIME,
    )


def verification_mail_repeat(*, user: User) -> None:
    """Mail `user` a new link, unless one was mailed within PAUSE or MOST_IN_AN_HOUR were: those are in the mailbox or
    on their way, and all of them good. Whoever signed up may have given somebody else's address.

    Two at once queue for the person's row, and the second finds the mail of the first. Raises EmailAlreadyVerified.
    """
    with transaction.atomic(durable=True):
        user = user_lock(user.id)
        if user.email_verified:
            raise EmailAlreadyVerified
        mailed = mail_times_since(key_prefix=_mails_of(user), since=now() - timedelta(hours=1))
        if not mailed or (len(mailed) < MOST_IN_AN_HOUR and mailed[0] <= now() - PAUSE):
            verification_mail_queue(user)


def _mails_of(user: User) -> str:
    return f"verify-email:{user.id}:"


def email_verify(*, token: str) -> User:
    """The person whose email `token` proves, marked verified; again is as good as once, because mailboxes open links.

    Raises VerificationTokenExpired; VerificationTokenInvalid also when the email has changed since.
    """
    try:
        claims = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except signing.SignatureExpired:
        raise VerificationTokenExpired(attr="token") from None
    except signing.BadSignature:
        raise VerificationTokenInvalid(attr="token") from None
    with transaction.atomic(durable=True):
        User.objects.filter(id=claims["user"], email=claims["email"], email_verified_at=None).update(
            email_verified_at=now()
        )
        user = User.objects.filter(id=claims["user"], email=claims["email"]).first()
    if user is None:
        raise VerificationTokenInvalid(attr="token")
    return user
