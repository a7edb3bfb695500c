"""Doors for signing in by password and second factor, staying signed in, signing out."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.cookies import refresh_cookie_clear, refresh_cookie_of, refresh_cookie_set
from accounts.devices import device_of
from accounts.errors import (
    ChallengeInvalid,
    SecondFactorCodeUsed,
    SecondFactorRequired,
    SignInCodeInvalid,
    Unauthenticated,
)
from accounts.serializers import (
    CredentialsSerializer,
    RefreshSerializer,
    SecondFactorSignInSerializer,
    SignedInSerializer,
    TokensSerializer,
)
from accounts.services.sessions import (
    session_close,
    session_open_with_password,
    session_open_with_second_factor,
    session_refresh,
)
from accounts.views.base import CHALLENGE, SIGNED_IN, TOKENS, OpenAuthViewSet, example, refusal, tokens_answer
from learning247.kit.api.schema import ErrorSerializer
from learning247.kit.api.throttles import limits_know


class SignInViewSet(OpenAuthViewSet):
    throttle_scope = {"login": "sign_in", "second_factor": "sign_in"}

    @extend_schema(
        operation_id="auth_login",
        summary="Sign in",
        description="A wrong password and an unknown email get the same answer in the same time. Whoever has a second "
        "factor gets 401 `second_factor_required` after the right password, with a `challenge` in `extra` that is good "
        "for five minutes, and no token.",
        request=CredentialsSerializer,
        responses={
            200: SignedInSerializer,
            401: OpenApiResponse(
                ErrorSerializer,
                description="This email and password do not match an account; or they do, and are not enough.",
                examples=[
                    example("invalid_credentials", "This email and password do not match an account."),
                    example("second_factor_required", SecondFactorRequired.detail, CHALLENGE),
                ],
            ),
        },
        examples=[
            SIGNED_IN,
            OpenApiExample(
                "Ada signs in",
                value={"email": "ada@example.com", "password": "correct horse battery"},
                request_only=True,
            ),
        ],
    )
    def login(self, request: Request) -> Response:
        credentials = self.read(CredentialsSerializer, request)
        opened = session_open_with_password(**credentials, device=device_of(request))
        limits_know(request._request, account=opened.user.email)
        return tokens_answer(opened, status=200)

    @extend_schema(
        operation_id="auth_login_second_factor",
        summary="Finish a sign-in by the second factor",
        description="Takes a code of the authenticator app or a recovery code. After five wrong codes of the app those "
        "wait, a quarter of an hour at first (429 `second_factor_paused`); recovery codes work meanwhile. A code that "
        "was used already is 409 `code_used`.",
        request=SecondFactorSignInSerializer,
        responses={
            200: SignedInSerializer,
            401: OpenApiResponse(
                ErrorSerializer,
                description="The code is wrong, or the challenge is not good any more.",
                examples=[
                    example("code_invalid", SignInCodeInvalid.detail, {"attempts_left": 4}),
                    example("challenge_invalid", ChallengeInvalid.detail),
                ],
            ),
            409: refusal("code_used", SecondFactorCodeUsed.detail),
        },
        examples=[
            SIGNED_IN,
            OpenApiExample(
                "Ada's app shows 492039",
                value={"challenge": CHALLENGE["challenge"], "code": "492039"},
                request_only=True,
            ),
        ],
    )
    def second_factor(self, request: Request) -> Response:
        proof = self.read(SecondFactorSignInSerializer, request)
        opened = session_open_with_second_factor(**proof, device=device_of(request))
        limits_know(request._request, account=opened.user.email)
        return tokens_answer(opened, status=200)

    @extend_schema(
        operation_id="auth_refresh",
        summary="Trade the refresh token for a new pair",
        description=(
            "Takes the token from the body or, for a JSON request without one, from the cookie. Each refresh token "
            "is good once: a second use ends the session and every token of it."
        ),
        request=RefreshSerializer,
        responses={200: TokensSerializer, 401: refusal("token_reused", "This token was used before.")},
        examples=[OpenApiExample("A new pair", value=TOKENS, response_only=True)],
    )
    def refresh(self, request: Request) -> Response:
        renewed = session_refresh(refresh=self._refresh_token(request), device=device_of(request))
        response = Response(TokensSerializer(renewed).data)
        refresh_cookie_set(response, renewed.refresh)
        return response

    @extend_schema(
        operation_id="auth_logout",
        summary="Sign out",
        description="Ends the session of this refresh token (body or cookie), its access tokens included.",
        request=RefreshSerializer,
        responses={204: None, 401: refusal("token_not_valid", "This token is malformed or expired.")},
    )
    def logout(self, request: Request) -> Response:
        session_close(refresh=self._refresh_token(request), device=device_of(request))
        response = Response(status=204)
        refresh_cookie_clear(response)
        return response

    def _refresh_token(self, request: Request) -> str:
        token = self.read(RefreshSerializer, request).get("refresh") or refresh_cookie_of(request)
        if not token:
            raise Unauthenticated
        return str(token)
