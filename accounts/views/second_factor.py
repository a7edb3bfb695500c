"""Doors of one's own second factor: an authenticator app and recovery codes."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import AccessTokenAuthentication
from accounts.devices import device_of
from accounts.errors import (
    EmailNotVerified,
    PasswordIncorrect,
    SecondFactorActive,
    SecondFactorCodeInvalid,
    SecondFactorNotActive,
    SecondFactorNotBegun,
)
from accounts.selectors import second_factor_state, signed_in
from accounts.serializers import (
    IdentitySerializer,
    RecoveryCodesSerializer,
    SecondFactorSerializer,
    TotpCodeSerializer,
    TotpDisableSerializer,
    TotpSetupSerializer,
)
from accounts.services.second_factors import (
    second_factor_begin,
    second_factor_confirm,
    second_factor_disable,
    second_factor_recovery_codes_renew,
)
from accounts.views.base import AuthViewSet, example, refusal, session_id_of
from learning247.kit.api.schema import ErrorSerializer

_RECOVERY_CODES = OpenApiExample(
    "A set (ten in truth)",
    value={"recovery_codes": ["7Q2M-XK9D-4VTR-B8HN", "0ZPC-61WE-YJ5S-GF3A"]},
    response_only=True,
)


_CODE = OpenApiExample("Ada's app shows 492039", value={"code": "492039"}, request_only=True)
_CODE_INVALID = OpenApiResponse(
    ErrorSerializer,
    description=SecondFactorCodeInvalid.detail,
    examples=[example("code_invalid", SecondFactorCodeInvalid.detail, {"attempts_left": 4}, attr="code")],
)


class SecondFactorViewSet(AuthViewSet):
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


class TotpViewSet(AuthViewSet):
    """An authenticator app as second factor."""

    throttle_scope = "codes"
    delete_takes_a_body = True
    authentication_classes = (AccessTokenAuthentication,)

    @extend_schema(
        operation_id="auth_second_factor_totp_begin",
        summary="Begin to set up an authenticator app",
        description="Answers with a secret for the app. Nothing changes at sign-in until `confirm`, within an hour. "
        "Beginning again gives another secret. Who has no password must have signed in within 15 minutes.",
        request=IdentitySerializer,
        responses={
            201: TotpSetupSerializer,
            400: refusal("password_incorrect", PasswordIncorrect.detail),
            403: refusal("email_not_verified", EmailNotVerified.detail),
            409: refusal("second_factor_active", SecondFactorActive.detail),
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
        setup = second_factor_begin(user=signed_in(request.user), session_id=session_id_of(request), **identity)
        return Response(TotpSetupSerializer(setup).data, status=201)

    @extend_schema(
        operation_id="auth_second_factor_totp_confirm",
        summary="Switch the second factor on",
        description="By a first code of the app. Answers with the recovery codes, this once; every other session ends.",
        request=TotpCodeSerializer,
        responses={
            200: RecoveryCodesSerializer,
            409: refusal("second_factor_not_begun", SecondFactorNotBegun.detail),
            422: _CODE_INVALID,
        },
        examples=[_CODE, _RECOVERY_CODES],
    )
    def confirm(self, request: Request) -> Response:
        codes = second_factor_confirm(
            user=signed_in(request.user),
            session_id=session_id_of(request),
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
            400: refusal("password_incorrect", PasswordIncorrect.detail),
            409: refusal("second_factor_not_active", SecondFactorNotActive.detail),
            422: _CODE_INVALID,
        },
        examples=[
            OpenApiExample(
                "Ada's password and her app's code",
                value={"password": "correct horse battery", "code": "492039"},
                request_only=True,
            )
        ],
    )
    def destroy(self, request: Request) -> Response:
        proof = self.read(TotpDisableSerializer, request)
        second_factor_disable(
            user=signed_in(request.user), session_id=session_id_of(request), device=device_of(request), **proof
        )
        return Response(status=204)


class RecoveryCodesViewSet(AuthViewSet):
    throttle_scope = "codes"
    authentication_classes = (AccessTokenAuthentication,)

    @extend_schema(
        operation_id="auth_second_factor_recovery_codes",
        summary="Make new recovery codes",
        description="By a code of the app. Answers with ten, this once; earlier ones open nothing any more.",
        request=TotpCodeSerializer,
        responses={
            200: RecoveryCodesSerializer,
            409: refusal("second_factor_not_active", SecondFactorNotActive.detail),
            422: _CODE_INVALID,
        },
        examples=[_CODE, _RECOVERY_CODES],
    )
    def create(self, request: Request) -> Response:
        code = self.read(TotpCodeSerializer, request)
        codes = second_factor_recovery_codes_renew(user=signed_in(request.user), device=device_of(request), **code)
        return Response(RecoveryCodesSerializer({"recovery_codes": codes}).data)
