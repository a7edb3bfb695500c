"""The two JWTs of a session: a short access token for calls, a rotating refresh token for the next pair.

Claims: `user_id`, `sid` (the session), `jti`, `iat`, `exp`, `token_type`. Signed with JWT_SECRET, HS256 alone.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken, Token
from rest_framework_simplejwt.utils import datetime_from_epoch

from accounts.errors import TokenNotValid
from accounts.models import User

SESSION_CLAIM = "sid"


class RefreshToken(Token):
    """Without simplejwt's blacklist, which would keep every token in clear: `Session` says which one is good."""

    token_type = "refresh"  # noqa: S105  # a kind of token, not one
    lifetime = api_settings.REFRESH_TOKEN_LIFETIME


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """What a genuine, unexpired refresh token says."""

    session_id: uuid.UUID
    refresh_id: str

    @classmethod
    def read(cls, token: str) -> Self:
        """Raises TokenNotValid for anything that this platform did not sign as a refresh token, or that expired."""
        try:
            claims = RefreshToken(token)  # type: ignore[arg-type]  # simplejwt annotates the encoded token as Token
            return cls(uuid.UUID(str(claims[SESSION_CLAIM])), str(claims["jti"]))
        except (TokenError, KeyError, ValueError):
            raise TokenNotValid from None


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """A fresh pair, and what the session keeps of it."""

    access: str
    refresh: str
    refresh_id: str
    expires_at: datetime


def issue_tokens(*, user: User, session_id: uuid.UUID) -> IssuedTokens:
    """Sign a pair for `user` in that session. Nothing is stored."""
    refresh = RefreshToken.for_user(user)
    access = AccessToken.for_user(user)
    refresh[SESSION_CLAIM] = access[SESSION_CLAIM] = str(session_id)
    return IssuedTokens(str(access), str(refresh), refresh["jti"], datetime_from_epoch(refresh["exp"]))
