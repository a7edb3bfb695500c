"""People for tests, of this app and of those above it."""

from itertools import count
from typing import Any

from rest_framework.test import APIClient

from accounts.models import SecondFactor, User
from accounts.services.second_factors import PURPOSE
from accounts.services.sessions import SignedIn, session_open
from accounts.totp import totp_secret
from learning247.kit.clock import now
from learning247.kit.encryption import encrypt

PASSWORD = "correct horse battery"
_numbers = count(1)


def build_user(*, verified: bool = False, **fields: Any) -> User:
    """A saved person; emails number themselves. `verified` as if the mailed link had been opened."""
    number = next(_numbers)
    password = fields.pop("password", PASSWORD)
    fields.setdefault("email_verified_at", now() if verified else None)
    values = {
        "email": f"person{number}@example.com",
        "first_name": "Person",
        "last_name": f"No {number}",
    } | fields
    return User.objects.create_user(password=password, **values)


def build_creator(**fields: Any) -> User:
    """A person who may sell: the email is verified."""
    return build_user(verified=True, is_creator=True, **fields)


def build_admin(**fields: Any) -> User:
    """Staff with every right."""
    return build_user(verified=True, role="admin", is_staff=True, is_superuser=True, **fields)


def sign_in(client: APIClient, user: User) -> SignedIn:
    """Let `client` speak for `user`, by a real access token in the header; the tokens come back."""
    signed_in = session_open(user)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {signed_in.access}")
    return signed_in


def build_totp(user: User) -> str:
    """Switch `user`'s second factor on; its secret, for `totp_code`."""
    secret = totp_secret()
    SecondFactor.objects.create(user=user, secret=encrypt(secret, purpose=PURPOSE), confirmed_at=now())
    return secret
