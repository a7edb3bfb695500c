"""Doors of the accounts app: signing up, in and out, and one's own profile."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.utils.cache import patch_cache_control
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet
from rest_framework_simplejwt.tokens import Token

from accounts.authentication import AccessTokenAuthentication
from accounts.cookies import refresh_cookie_clear, refresh_cookie_of, refresh_cookie_set
from accounts.devices import device_of
from accounts.errors import (
    ChallengeInvalid,
    EmailNotVerified,
    GoogleCodeInvalid,
    PasswordIncorrect,
    SecondFactorActive,
    SecondFactorCodeInvalid,
    SecondFactorCodeUsed,
    SecondFactorNotActive,
    SecondFactorNotBegun,
    SecondFactorRequired,
    SignInCodeInvalid,
    Unauthenticated,
)
from accounts.google import google_redirect, google_return
from accounts.models import Session
from accounts.selectors import second_factor_state, session_list_for, signed_in
from accounts.serializers import (
    CredentialsSerializer,
    EmailVerificationSerializer,
    EmailVerifiedSerializer,
    ErasureRequestedSerializer,
    ErasureSerializer,
    GoogleBeginningSerializer,
    GoogleCodeSerializer,
    IdentitySerializer,
    PasswordChangeSerializer,
    PasswordResetDoneSerializer,
    PasswordResetSerializer,
    ProfileSerializer,
    RecoveryCodesSerializer,
    RecoveryRequestedSerializer,
    RecoverySerializer,
    RefreshSerializer,
    RegistrationSerializer,
    SecondFactorSerializer,
    SecondFactorSignInSerializer,
    SessionSerializer,
    SignedInSerializer,
    TokensSerializer,
    TotpCodeSerializer,
    TotpDisableSerializer,
    TotpSetupSerializer,
    UserSerializer,
)
from accounts.services.erasures import erasure_confirm, erasure_request
from accounts.services.google_accounts import google_account_sign_in
from accounts.services.passwords import password_change
from accounts.services.personal_data import personal_data_export
from accounts.services.recovery import password_reset, recovery_request
from accounts.services.second_factors import (
    second_factor_begin,
    second_factor_confirm,
    second_factor_disable,
    second_factor_recovery_codes_renew,
)
from accounts.services.sessions import (
    SignedIn,
    session_close,
    session_open_for_newcomer,
    session_open_with_google,
    session_open_with_password,
    session_open_with_second_factor,
    session_refresh,
    session_revoke,
)
from accounts.services.users import user_update_profile
from accounts.services.verification import email_verify, verification_mail_repeat
from accounts.tokens import SESSION_CLAIM
from learning247.kit.api.pagination import CataloguePagination
from learning247.kit.api.schema import ErrorSerializer
from learning247.kit.api.throttles import limits_know

_PERSON = {
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
_TOKENS = {"access": "eyJhbGciOiJIUzI1NiJ9…", "refresh": "eyJhbGciOiJIUzI1NiJ9…"}
_SIGNED_IN = OpenApiExample("Signed in", value={"user": _PERSON, **_TOKENS}, response_only=True)
RECOVERY_REQUESTED = "If there is an account with this email, a link is on its way to it."
ERASURE_REQUESTED = "We mailed you a link that deletes your account. Until you open it, nothing changes."
_PROFILE = OpenApiExample("A profile", value=_PERSON, response_only=True)


_CHALLENGE = {
    "challenge": "q1mJw5cE0u7x2rY9bZ4tK8nVfLhGdSaPoXiUeRyTw3A",
    "expires_at": "2026-01-15T09:35:00Z",
    "methods": ["totp", "recovery_code"],
}
_RECOVERY_CODES = OpenApiExample(
    "A set (ten in truth)",
    value={"recovery_codes": ["7Q2M-XK9D-4VTR-B8HN", "0ZPC-61WE-YJ5S-GF3A"]},
    response_only=True,
)


def _example(code: str, detail: str, extra: dict[str, Any] | None = None) -> OpenApiExample:
    envelope = {
        "type": "client_error",
        "errors": [{"code": code, "detail": detail, "attr": None}],
        "request_id": "019a5a3e-7b1e-7c53-8a67-5c1f0d9e4b22",
    }
    return OpenApiExample(code, value=envelope | ({"extra": extra} if extra else {}), response_only=True)


def _refusal(code: str, detail: str) -> OpenApiResponse:
    return OpenApiResponse(ErrorSerializer, description=detail, examples=[_example(code, detail)])


class _AuthViewSet(GenericViewSet[Any]):
    """Answers here hold tokens or personal data: no cache keeps them."""

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


class _OpenAuthViewSet(_AuthViewSet):
    """For people who are not signed in; an expired access token in the header must not keep them out."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class RegistrationViewSet(_OpenAuthViewSet):
    throttle_scope = "register"

    @extend_schema(
        operation_id="auth_register",
        summary="Sign up",
        description="Makes the account, signs it in, and mails the link that verifies the email.",
        request=RegistrationSerializer,
        responses={201: SignedInSerializer},
        examples=[
            _SIGNED_IN,
            OpenApiExample(
                "Ada signs up",
                value={
                    "email": "ada@example.com",
                    "password": "correct horse battery",
                    "first_name": "Ada",
                    "last_name": "Obi",
                },
                request_only=True,
            ),
        ],
    )
    def create(self, request: Request) -> Response:
        newcomer = self.read(RegistrationSerializer, request)
        return _tokens_answer(session_open_for_newcomer(**newcomer, device=device_of(request)), status=201)


class EmailVerificationViewSet(_OpenAuthViewSet):
    @extend_schema(
        operation_id="auth_verify_email",
        summary="Verify an email",
        description="The token is mailed at sign-up, again by `resend`, and good for three days. Verifying twice is as "
        "good as once.",
        request=EmailVerificationSerializer,
        responses={200: EmailVerifiedSerializer},
        examples=[OpenApiExample("Verified", value={"email_verified": True}, response_only=True)],
    )
    def create(self, request: Request) -> Response:
        return Response(EmailVerifiedSerializer(email_verify(**self.read(EmailVerificationSerializer, request))).data)


class EmailVerificationResendViewSet(_AuthViewSet):
    authentication_classes = (AccessTokenAuthentication,)

    @extend_schema(
        operation_id="auth_verify_email_resend",
        summary="Mail the verification link again",
        description="Queues a new mail to one's own address; within 60 seconds of the last one nothing more is sent.",
        request=None,
        responses={
            202: None,
            409: _refusal("email_already_verified", "Your email is verified already; there is nothing left to do."),
        },
    )
    def create(self, request: Request) -> Response:
        verification_mail_repeat(user=signed_in(request.user))
        return Response(status=202)


class SignInViewSet(_OpenAuthViewSet):
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
                    _example("invalid_credentials", "This email and password do not match an account."),
                    _example("second_factor_required", SecondFactorRequired.detail, _CHALLENGE),
                ],
            ),
        },
        examples=[
            _SIGNED_IN,
            OpenApiExample(
                "Ada signs in",
                value={"email": "ada@example.com", "password": "correct horse battery"},
                request_only=True,
            ),
        ],
    )
    def login(self, request: Request) -> Response:
        credentials = self.read(CredentialsSerializer, request)
        return _tokens_answer(session_open_with_password(**credentials, device=device_of(request)), status=200)

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
                    _example("code_invalid", SignInCodeInvalid.detail, {"attempts_left": 4}),
                    _example("challenge_invalid", ChallengeInvalid.detail),
                ],
            ),
            409: _refusal("code_used", SecondFactorCodeUsed.detail),
        },
        examples=[
            _SIGNED_IN,
            OpenApiExample(
                "Ada's app shows 492039",
                value={"challenge": _CHALLENGE["challenge"], "code": "492039"},
                request_only=True,
            ),
        ],
    )
    def second_factor(self, request: Request) -> Response:
        proof = self.read(SecondFactorSignInSerializer, request)
        opened = session_open_with_second_factor(**proof, device=device_of(request))
        limits_know(request._request, account=opened.user.email)
        return _tokens_answer(opened, status=200)

    @extend_schema(
        operation_id="auth_refresh",
        summary="Trade the refresh token for a new pair",
        description=(
            "Takes the token from the body or, for a JSON request without one, from the cookie. Each refresh token "
            "is good once: a second use ends the session and every token of it."
        ),
        request=RefreshSerializer,
        responses={200: TokensSerializer, 401: _refusal("token_reused", "This token was used before.")},
        examples=[OpenApiExample("A new pair", value=_TOKENS, response_only=True)],
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
        responses={204: None, 401: _refusal("token_not_valid", "This token is malformed or expired.")},
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


class GoogleSignInViewSet(_OpenAuthViewSet):
    """Two of the three are pages that a browser opens, not calls of a script."""

    throttle_scope = {"begin": "sign_in"}

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
            404: _refusal("google_not_configured", "Signing in with Google is not offered here."),
            503: _refusal("service_unavailable", "This is closed for a moment."),
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
                    _example("google_code_invalid", GoogleCodeInvalid.detail),
                    _example("second_factor_required", SecondFactorRequired.detail, _CHALLENGE),
                ],
            ),
        },
        examples=[_SIGNED_IN],
    )
    def exchange(self, request: Request) -> Response:
        shown = self.read(GoogleCodeSerializer, request)
        return _tokens_answer(session_open_with_google(**shown, device=device_of(request)), status=200)

    def handle_exception(self, exc: Exception) -> Any:
        """Who comes back from Google looks at a browser's page: a refusal is shown by the web client."""
        refusal = super().handle_exception(exc)
        if self.action != "callback" or refusal.status_code == 405:
            return refusal
        return _to_web_client(error=refusal.data["errors"][0]["code"])


class PasswordChangeViewSet(_AuthViewSet):
    throttle_scope = "codes"
    authentication_classes = (AccessTokenAuthentication,)

    @extend_schema(
        operation_id="auth_change_password",
        summary="Change one's password",
        description="Signs every device out; the one that asks goes on with the pair in the answer.",
        request=PasswordChangeSerializer,
        responses={
            200: SignedInSerializer,
            400: _refusal("password_incorrect", "This is not your current password."),
        },
        examples=[
            _SIGNED_IN,
            OpenApiExample(
                "Ada changes hers",
                value={"current_password": "correct horse battery", "new_password": "another horse battery"},
                request_only=True,
            ),
        ],
    )
    def create(self, request: Request) -> Response:
        passwords = self.read(PasswordChangeSerializer, request)
        return _tokens_answer(
            password_change(user=signed_in(request.user), **passwords, device=device_of(request)), status=200
        )


class RecoveryViewSet(_OpenAuthViewSet):
    throttle_scope = "reset"

    @extend_schema(
        operation_id="auth_forgot_password",
        summary="Ask for a link that sets a new password",
        description="The same answer in the same time whether or not the email is an account's. The mailed link works "
        "once and for 15 minutes; asking again makes an earlier one worthless. Within a minute of the last mail no "
        "other is sent.",
        request=RecoverySerializer,
        responses={200: RecoveryRequestedSerializer},
        examples=[
            OpenApiExample("Asked", value={"detail": RECOVERY_REQUESTED}, response_only=True),
            OpenApiExample("Ada forgot hers", value={"email": "ada@example.com"}, request_only=True),
        ],
    )
    def create(self, request: Request) -> Response:
        recovery_request(**self.read(RecoverySerializer, request))
        return Response({"detail": RECOVERY_REQUESTED})


class PasswordResetViewSet(_OpenAuthViewSet):
    throttle_scope = "reset"

    @extend_schema(
        operation_id="auth_reset_password",
        summary="Set a new password by a mailed link",
        description="Signs every device out and marks the email as verified, which the link has proved.",
        request=PasswordResetSerializer,
        responses={
            200: PasswordResetDoneSerializer,
            400: _refusal("reset_token_invalid", "This link is not good any more."),
        },
        examples=[OpenApiExample("Set", value={"email": "ada@example.com"}, response_only=True)],
    )
    def create(self, request: Request) -> Response:
        user = password_reset(**self.read(PasswordResetSerializer, request), device=device_of(request))
        response = Response(PasswordResetDoneSerializer(user).data)
        refresh_cookie_clear(response)
        return response


class SecondFactorViewSet(_AuthViewSet):
    authentication_classes = (AccessTokenAuthentication,)

    @extend_schema(
        operation_id="auth_second_factor",
        summary="Whether one's second factor is on",
        responses=SecondFactorSerializer,
        examples=[
            OpenApiExample(
                "On",
                value={"enabled": True, "enabled_at": "2026-01-15T09:30:00Z", "recovery_codes_left": 10},
                response_only=True,
            )
        ],
    )
    def retrieve(self, request: Request) -> Response:
        return Response(SecondFactorSerializer(second_factor_state(signed_in(request.user))).data)


class TotpViewSet(_AuthViewSet):
    """An authenticator app as second factor."""

    throttle_scope = "codes"
    authentication_classes = (AccessTokenAuthentication,)

    @extend_schema(
        operation_id="auth_second_factor_totp_begin",
        summary="Begin to set up an authenticator app",
        description="Answers with a secret for the app. Nothing changes at sign-in until `confirm`, within an hour. "
        "Beginning again gives another secret. Who has no password must have signed in within 15 minutes.",
        request=IdentitySerializer,
        responses={
            201: TotpSetupSerializer,
            400: _refusal("password_incorrect", PasswordIncorrect.detail),
            403: _refusal("email_not_verified", EmailNotVerified.detail),
            409: _refusal("second_factor_active", SecondFactorActive.detail),
        },
        examples=[
            OpenApiExample("Ada's password", value={"password": "correct horse battery"}, request_only=True),
            OpenApiExample(
                "For her app",
                value={
                    "uri": "otpauth://totp/Learning247:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                    "&issuer=Learning247&algorithm=SHA1&digits=6&period=30",
                    "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
                },
                response_only=True,
            ),
        ],
    )
    def create(self, request: Request) -> Response:
        identity = self.read(IdentitySerializer, request)
        setup = second_factor_begin(user=signed_in(request.user), session_id=_session_id(request), **identity)
        return Response(TotpSetupSerializer(setup).data, status=201)

    @extend_schema(
        operation_id="auth_second_factor_totp_confirm",
        summary="Switch the second factor on",
        description="By a first code of the app. Answers with the recovery codes, this once; every other session ends.",
        request=TotpCodeSerializer,
        responses={
            200: RecoveryCodesSerializer,
            409: _refusal("second_factor_not_begun", SecondFactorNotBegun.detail),
            422: _refusal("code_invalid", SecondFactorCodeInvalid.detail),
        },
        examples=[_RECOVERY_CODES],
    )
    def confirm(self, request: Request) -> Response:
        codes = second_factor_confirm(
            user=signed_in(request.user),
            session_id=_session_id(request),
            device=device_of(request),
            **self.read(TotpCodeSerializer, request),
        )
        return Response(RecoveryCodesSerializer({"recovery_codes": codes}).data)

    @extend_schema(
        operation_id="auth_second_factor_totp_disable",
        summary="Switch the second factor off",
        description="By the password and a code of the app or a recovery code together.",
        request=TotpDisableSerializer,
        responses={
            204: None,
            400: _refusal("password_incorrect", PasswordIncorrect.detail),
            409: _refusal("second_factor_not_active", SecondFactorNotActive.detail),
            422: _refusal("code_invalid", SecondFactorCodeInvalid.detail),
        },
    )
    def destroy(self, request: Request) -> Response:
        proof = self.read(TotpDisableSerializer, request)
        second_factor_disable(
            user=signed_in(request.user), session_id=_session_id(request), device=device_of(request), **proof
        )
        return Response(status=204)


class RecoveryCodesViewSet(_AuthViewSet):
    throttle_scope = "codes"
    authentication_classes = (AccessTokenAuthentication,)

    @extend_schema(
        operation_id="auth_second_factor_recovery_codes",
        summary="Make new recovery codes",
        description="By a code of the app. Answers with ten, this once; earlier ones open nothing any more.",
        request=TotpCodeSerializer,
        responses={
            200: RecoveryCodesSerializer,
            409: _refusal("second_factor_not_active", SecondFactorNotActive.detail),
            422: _refusal("code_invalid", SecondFactorCodeInvalid.detail),
        },
        examples=[_RECOVERY_CODES],
    )
    def create(self, request: Request) -> Response:
        code = self.read(TotpCodeSerializer, request)
        codes = second_factor_recovery_codes_renew(user=signed_in(request.user), device=device_of(request), **code)
        return Response(RecoveryCodesSerializer({"recovery_codes": codes}).data)


class SessionViewSet(_AuthViewSet):
    """The devices that are signed in."""

    authentication_classes = (AccessTokenAuthentication,)
    serializer_class = SessionSerializer
    pagination_class = CataloguePagination
    queryset = Session.objects.none()

    @extend_schema(
        operation_id="auth_sessions",
        summary="One's own sessions",
        description="One per device that is signed in, the one that was refreshed last first.",
        responses=SessionSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(session_list_for(signed_in(request.user)))
        shape = SessionSerializer(page, many=True, context={"current": _session_id(request)})
        return self.get_paginated_response(shape.data)

    @extend_schema(
        operation_id="auth_session_revoke",
        summary="Sign a device out",
        description="Its access tokens are worth nothing at once. Ending the session that asks is signing out.",
        responses={204: None, 404: _refusal("session_not_found", "You have no such session.")},
    )
    def destroy(self, request: Request, session_id: UUID) -> Response:
        session_revoke(user=signed_in(request.user), session_id=session_id, device=device_of(request))
        response = Response(status=204)
        if session_id == _session_id(request):
            refresh_cookie_clear(response)
        return response


class MeViewSet(_AuthViewSet):
    """One's own account."""

    authentication_classes = (AccessTokenAuthentication,)

    @extend_schema(operation_id="auth_me", summary="One's own profile", responses=UserSerializer, examples=[_PROFILE])
    def retrieve(self, request: Request) -> Response:
        return Response(UserSerializer(signed_in(request.user)).data)

    @extend_schema(
        operation_id="auth_me_update",
        summary="Change one's own profile",
        description="Fields that are left out stay. Email, role and rights cannot be changed here.",
        request=ProfileSerializer,
        responses=UserSerializer,
        examples=[
            _PROFILE,
            OpenApiExample("Ada moves", value={"country": "NG", "phone": "+234 801 234 5678"}, request_only=True),
        ],
    )
    def partial_update(self, request: Request) -> Response:
        user = user_update_profile(user=signed_in(request.user), changes=self.read(ProfileSerializer, request))
        return Response(UserSerializer(user).data)


class PersonalDataViewSet(_AuthViewSet):
    """What we hold about the person who asks."""

    throttle_scope = "codes"
    authentication_classes = (AccessTokenAuthentication,)

    @extend_schema(
        operation_id="auth_me_export",
        summary="All that is held about you",
        description="One JSON document, streamed: `data` has a list of rows for each kind of thing, `withheld` says "
        "what is left out and why. Times are UTC, amounts decimal strings. Who has a password gives it again; who "
        "signs in without one must have done so within 15 minutes. You are told of it by mail.",
        request=IdentitySerializer,
        responses={
            200: OpenApiResponse(OpenApiTypes.OBJECT, description="The document, as an attachment."),
            400: _refusal("password_incorrect", "This is not your current password."),
            403: _refusal("fresh_sign_in_required", "Sign in again, then repeat this within 15 minutes."),
        },
        examples=[OpenApiExample("Ada asks", value={"password": "correct horse battery"}, request_only=True)],
    )
    def export(self, request: Request) -> StreamingHttpResponse:
        identity = self.read(IdentitySerializer, request)
        document = personal_data_export(
            user=signed_in(request.user), session_id=_session_id(request), device=device_of(request), **identity
        )
        return StreamingHttpResponse(
            document,
            content_type="application/json",
            headers={"Content-Disposition": 'attachment; filename="personal-data.json"'},
        )

    @extend_schema(
        operation_id="auth_me_delete",
        summary="Ask to delete one's account",
        description="Mails a link that deletes it, good for 15 minutes and once; nothing is deleted before that. "
        "Refused with all that is in the way while money is theirs or owed. Who has a password gives it again; who "
        "signs in without one must have done so within 15 minutes.",
        request=IdentitySerializer,
        responses={
            202: ErasureRequestedSerializer,
            400: _refusal("password_incorrect", "This is not your current password."),
            403: _refusal("fresh_sign_in_required", "Sign in again, then repeat this within 15 minutes."),
            409: _refusal("account_not_settled", "NGN 20,000.00 is available in your wallet. Withdraw it first."),
        },
        examples=[OpenApiExample("Ada leaves", value={"password": "correct horse battery"}, request_only=True)],
    )
    def request_erasure(self, request: Request) -> Response:
        identity = self.read(IdentitySerializer, request)
        kept = erasure_request(user=signed_in(request.user), session_id=_session_id(request), **identity)
        return Response(ErasureRequestedSerializer({"detail": ERASURE_REQUESTED, "kept": kept}).data, status=202)


class AccountErasureViewSet(_OpenAuthViewSet):
    throttle_scope = "reset"

    @extend_schema(
        operation_id="auth_delete_account",
        summary="Delete an account by a mailed link",
        description="For good: every device is signed out, name, email and all that tells who it was is forgotten, and "
        "the email is free for a new account, which gets nothing of the old one.",
        request=ErasureSerializer,
        responses={
            204: None,
            400: _refusal("erasure_token_invalid", "This link is not good any more."),
            409: _refusal("account_not_settled", "NGN 20,000.00 is available in your wallet. Withdraw it first."),
        },
    )
    def create(self, request: Request) -> Response:
        erasure_confirm(**self.read(ErasureSerializer, request))
        response = Response(status=204)
        refresh_cookie_clear(response)
        return response


def _session_id(request: Request) -> UUID:
    """The session that the access token belongs to."""
    assert isinstance(request.auth, Token)
    return UUID(request.auth[SESSION_CLAIM])


def _to_web_client(**fragment: str) -> HttpResponseRedirect:
    """One fixed address: nothing in a request can send somebody elsewhere."""
    return HttpResponseRedirect(f"{settings.FRONTEND_URL}/auth/callback#{urlencode(fragment)}")


def _tokens_answer(opened: SignedIn, *, status: int) -> Response:
    response = Response(SignedInSerializer(opened).data, status=status)
    refresh_cookie_set(response, opened.refresh)
    return response
