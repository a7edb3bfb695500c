"""Who is calling: the bearer of an access token whose session still runs."""

import uuid
from typing import Any

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.tokens import Token

from accounts.errors import TokenNotValid
from accounts.models import User
from accounts.selectors import user_of_session
from accounts.tokens import SESSION_CLAIM


class AccessTokenAuthentication(JWTAuthentication):
    """simplejwt's check of signature and expiry, then one query: signing out or disabling works at once.

    Every refusal is the same 401 `token_not_valid` with one error in the envelope.
    """

    def get_validated_token(self, raw_token: bytes) -> Token:
        try:
            return super().get_validated_token(raw_token)
        except InvalidToken:
            raise _refused() from None

    def get_user(self, validated_token: Token) -> Any:
        try:
            user_id = uuid.UUID(str(validated_token["user_id"]))
            session_id = uuid.UUID(str(validated_token[SESSION_CLAIM]))
        except (KeyError, ValueError):
            raise _refused() from None
        user: User | None = user_of_session(user_id=user_id, session_id=session_id)
        if user is None:
            raise _refused()
        return user


def _refused() -> AuthenticationFailed:
    return AuthenticationFailed(TokenNotValid.detail, code=TokenNotValid.code)


class AccessTokenScheme(SimpleJWTScheme):
    """How the OpenAPI document describes it: `Authorization: Bearer <JWT>`."""

    target_class = "accounts.authentication.AccessTokenAuthentication"
    name = "bearer"
