"""Doors for another password: by the old one, or by a mailed link."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import AccessTokenAuthentication
from accounts.cookies import refresh_cookie_clear
from accounts.devices import device_of
from accounts.selectors import signed_in
from accounts.serializers import (
    PasswordChangeSerializer,
    PasswordResetDoneSerializer,
    PasswordResetSerializer,
    RecoveryRequestedSerializer,
    RecoverySerializer,
    SignedInSerializer,
)
from accounts.services.passwords import password_change
from accounts.services.recovery import password_reset, recovery_request
from accounts.views.base import SIGNED_IN, AuthViewSet, OpenAuthViewSet, refusal, tokens_answer

RECOVERY_REQUESTED = "If there is an account with this email, a link is on its way to it."


class PasswordChangeViewSet(AuthViewSet):
    throttle_scope = "codes"
    authentication_classes = (AccessTokenAuthentication,)

    @extend_schema(
        operation_id="auth_change_password",
        summary="Change one's password",
        description="Signs every device out; the one that asks goes on with the pair in the answer.",
        request=PasswordChangeSerializer,
        responses={
            200: SignedInSerializer,
            400: refusal("password_incorrect", "This is not your current password."),
        },
        examples=[
            SIGNED_IN,
            OpenApiExample(
                "Ada changes hers",
                value={"current_password": "correct horse battery", "new_password": "another horse battery"},
                request_only=True,
            ),
        ],
    )
    def create(self, request: Request) -> Response:
        passwords = self.read(PasswordChangeSerializer, request)
        return tokens_answer(
            password_change(user=signed_in(request.user), **passwords, device=device_of(request)), status=200
        )


class RecoveryViewSet(OpenAuthViewSet):
    throttle_scope = "reset"

    @extend_schema(
        operation_id="auth_forgot_password",
        summary="Ask for a link that sets a new password",
        description="The same answer in the same time whether or not the email is an account's. The mailed link works "
        "once and for 15 minutes; asking again leaves earlier ones good. Five mails in an hour are the most.",
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


class PasswordResetViewSet(OpenAuthViewSet):
    throttle_scope = "reset"

    @extend_schema(
        operation_id="auth_reset_password",
        summary="Set a new password by a mailed link",
        description="Signs every device out and marks the email as verified, which the link has proved.",
        request=PasswordResetSerializer,
        responses={
            200: PasswordResetDoneSerializer,
            400: refusal("reset_token_invalid", "This link is not good any more."),
        },
        examples=[OpenApiExample("Set", value={"email": "ada@example.com"}, response_only=True)],
    )
    def create(self, request: Request) -> Response:
        user = password_reset(**self.read(PasswordResetSerializer, request), device=device_of(request))
        response = Response(PasswordResetDoneSerializer(user).data)
        refresh_cookie_clear(response)
        return response
