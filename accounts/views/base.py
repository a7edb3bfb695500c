"""What the doors of this app share."""

from typing import Any
from uuid import UUID

from django.utils.cache import patch_cache_control
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet
from rest_framework_simplejwt.tokens import Token

from accounts.cookies import refresh_cookie_set
from accounts.serializers import SignedInSerializer
from accounts.services.sessions import SignedIn
from accounts.tokens import SESSION_CLAIM
from learning247.kit.api.schema import ErrorSerializer

PERSON = {
    "id": "019a5a3e-6f0c-7d1b-9a53-0b8f3f6a2c11",
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Obi",
    "role": "user",
    "is_creator": False,
    "email_verified": False,
    "phone": "",
    "country": "",
    "bio": "",
    "avatar_url": "",
    "created_at": "2026-01-15T09:30:00Z",
}
TOKENS = {"access": "eyJhbGciOiJIUzI1NiJ9…", "refresh": "eyJhbGciOiJIUzI1NiJ9…"}
SIGNED_IN = OpenApiExample("Signed in", value={"user": PERSON, **TOKENS}, response_only=True)
CHALLENGE = {
    "challenge": "q1mJw5cE0u7x2rY9bZ4tK8nVfLhGdSaPoXiUeRyTw3A",
    "expires_at": "2026-01-15T09:35:00Z",
    "methods": ["totp", "recovery_code"],
}


def example(code: str, detail: str, extra: dict[str, Any] | None = None, *, attr: str | None = None) -> OpenApiExample:
    envelope = {
        "type": "client_error",
        "errors": [{"code": code, "detail": detail, "attr": attr}],
        "request_id": "019a5a3e-7b1e-7c53-8a67-5c1f0d9e4b22",
    }
    return OpenApiExample(code, value=envelope | ({"extra": extra} if extra else {}), response_only=True)


def refusal(code: str, detail: str) -> OpenApiResponse:
    return OpenApiResponse(ErrorSerializer, description=detail, examples=[example(code, detail)])


class AuthViewSet(GenericViewSet[Any]):
    # Answers here hold tokens or personal data: no cache keeps them. (A docstring would stand in the API's document.)

    serializer_class: type[BaseSerializer[Any]]

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        patch_cache_control(final, no_store=True)
        return final

    def read(self, shape: type[BaseSerializer[Any]], request: Request) -> dict[str, Any]:
        """The request's body in that shape; raises ValidationError."""
        serializer = shape(data=request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class OpenAuthViewSet(AuthViewSet):
    """For people who are not signed in; an expired access token in the header must not keep them out."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


def session_id_of(request: Request) -> UUID:
    """The session that the access token belongs to."""
    assert isinstance(request.auth, Token)
    return UUID(request.auth[SESSION_CLAIM])


def tokens_answer(opened: SignedIn, *, status: int) -> Response:
    response = Response(SignedInSerializer(opened).data, status=status)
    refresh_cookie_set(response, opened.refresh)
    return response
