"""Proving that an email belongs to the person who signed up with it."""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction

from accounts.errors import VerificationTokenExpired, VerificationTokenInvalid
from accounts.models import User
from learning247.kit.clock import now
from learning247.records.services.mail import mail_queue

LIFETIME = timedelta(days=3)
# Its own salt: a value that Django signed for any other purpose is no verification token, and the reverse.
SALT = "accounts.verify-email"


def verification_token(user: User) -> str:
    """A signed token that is good for LIFETIME, for this purpose, and for the email that `user` has now."""
    return signing.dumps({"user": str(user.id), "email": user.email}, salt=SALT)


def verification_mail_queue(user: User) -> None:
    """Mail `user` the link that verifies their email; in the caller's transaction, once per person."""
    # In the fragment, which browsers send to no server: the token ends up in nobody's access log.
    url = f"{settings.FRONTEND_URL}/verify-email#token={verification_token(user)}"
    mail_queue(
        key=f"verify-email:{user.id}",
        to=user.email,
        template="verify_email",
        context={"first_name": user.first_name, "url": url},
    )


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
