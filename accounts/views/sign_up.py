"""Doors for newcomers: signing up, and proving that the email is theirs."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import AccessTokenAuthentication
from accounts.devices import device_of
from accounts.selectors import signed_in
from accounts.serializers import (
    EmailVerificationSerializer,
    EmailVerifiedSerializer,
    RegistrationSerializer,
    SignedInSerializer,
)
from accounts.services.sessions import session_open_for_newcomer
from accounts.services.verification import email_verify, verification_mail_repeat
from accounts.views.base import SIGNED_IN, AuthViewSet, OpenAuthViewSet, refusal, tokens_answer


class RegistrationViewSet(OpenAuthViewSet):
    throttle_scope = "register"

    @extend_schema(
        operation_id="auth_register",
        summary="Sign up",
        description="Makes the account, signs it in, and mails the link that verifies the email.",
        request=RegistrationSerializer,
        responses={201: SignedInSerializer},
        examples=[
            SIGNED_IN,
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
        return tokens_answer(session_open_for_newcomer(**newcomer, device=device_of(request)), status=201)


class EmailVerificationViewSet(OpenAuthViewSet):
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


class EmailVerificationResendViewSet(AuthViewSet):
    authentication_classes = (AccessTokenAuthentication,)

    @extend_schema(
        operation_id="auth_verify_email_resend",
        summary="Mail the verification link again",
        description="Queues a new mail to one's own address; within 60 seconds of the last one, "
        "and after five in an hour, nothing more is sent: the links that were mailed are good.",
        request=None,
        responses={
            202: None,
            409: refusal("email_already_verified", "Your email is verified already; there is nothing left to do."),
        },
    )
    def create(self, request: Request) -> Response:
        verification_mail_repeat(user=signed_in(request.user))
        return Response(status=202)
