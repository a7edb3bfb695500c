"""Doors for signing in with Google: out, back, and the code for a session."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponseBase, HttpResponseRedirect
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.devices import device_of
from accounts.errors import GoogleCodeInvalid, SecondFactorRequired
from accounts.google import google_redirect, google_return
from accounts.serializers import GoogleBeginningSerializer, GoogleCodeSerializer, SignedInSerializer
from accounts.services.google_accounts import google_account_sign_in
from accounts.services.sessions import session_open_with_google
from accounts.views.base import CHALLENGE, SIGNED_IN, OpenAuthViewSet, example, refusal, tokens_answer
from learning247.kit.api.schema import ErrorSerializer
from learning247.kit.api.throttles import limits_know


class GoogleSignInViewSet(OpenAuthViewSet):
    """Two of the three are pages that a browser opens, not calls of a script."""

    throttle_scope = {"begin": "sign_in_elsewhere"}

    @extend_schema(
        operation_id="auth_google",
        summary="Sign in with Google",
        description=(
            "A page to open, not to fetch: it leads to Google, and from there by `/auth/google/callback` to "
            "`FRONTEND_URL/auth/callback`, with `#code=…` or `#error=…` in the fragment. A client that sends a "
            "challenge (RFC 7636, S256) is the only one that can use the code: keep its verifier, and refuse a code "
            "that comes where none is kept. Ten minutes are allowed."
        ),
        parameters=[GoogleBeginningSerializer],
        request=None,
        responses={
            302: OpenApiResponse(description="To Google, with state, nonce and PKCE."),
            404: refusal("google_not_configured", "Signing in with Google is not offered here."),
            503: refusal("service_unavailable", "This is closed for a moment."),
        },
    )
    def begin(self, request: Request) -> HttpResponseBase:
        asked = GoogleBeginningSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return google_redirect(request._request, code_challenge=asked.validated_data.get("code_challenge", ""))

    @extend_schema(
        operation_id="auth_google_callback",
        summary="Where Google sends people back to",
        description=(
            "Every refusal goes to the web client too, as `#error=` and its code: `google_state_invalid`, "
            "`google_cancelled`, `google_refused`, `google_unavailable`, `google_email_not_verified`, "
            "`google_email_unproven`, `google_account_differs`, `account_disabled`, `throttled`."
        ),
        request=None,
        parameters=[OpenApiParameter("state", str), OpenApiParameter("code", str), OpenApiParameter("error", str)],
        responses={302: OpenApiResponse(description="To `FRONTEND_URL/auth/callback#code=…` or `#error=…`.")},
    )
    def callback(self, request: Request) -> HttpResponseBase:
        code = google_account_sign_in(google_return(request._request), device=device_of(request))
        return _to_web_client(code=code)

    @extend_schema(
        operation_id="auth_google_exchange",
        summary="Trade the code for a session",
        description="The code is good once and for a minute. From there everything is as with `POST /auth/login`, the "
        "question for a second factor included.",
        request=GoogleCodeSerializer,
        responses={
            200: SignedInSerializer,
            401: OpenApiResponse(
                ErrorSerializer,
                description="This code is not good any more; or it was, and is not enough.",
                examples=[
                    example("google_code_invalid", GoogleCodeInvalid.detail),
                    example("second_factor_required", SecondFactorRequired.detail, CHALLENGE),
                ],
            ),
        },
        examples=[SIGNED_IN],
    )
    def exchange(self, request: Request) -> Response:
        shown = self.read(GoogleCodeSerializer, request)
        opened = session_open_with_google(**shown, device=device_of(request))
        limits_know(request._request, account=opened.user.email)
        return tokens_answer(opened, status=200)

    def handle_exception(self, exc: Exception) -> Any:
        """Who comes back from Google looks at a browser's page: a refusal is shown by the web client."""
        answer = super().handle_exception(exc)
        if self.action != "callback" or answer.status_code == 405:
            return answer
        return _to_web_client(error=answer.data["errors"][0]["code"])


def _to_web_client(**fragment: str) -> HttpResponseRedirect:
    """One fixed address: nothing in a request can send somebody elsewhere."""
    return HttpResponseRedirect(f"{settings.FRONTEND_URL}/auth/callback#{urlencode(fragment)}")
