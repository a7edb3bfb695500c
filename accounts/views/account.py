"""Doors of one's own account: the profile, all that is held, the end."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import AccessTokenAuthentication
from accounts.cookies import refresh_cookie_clear
from accounts.devices import device_of
from accounts.selectors import signed_in
from accounts.serializers import (
    ErasureRequestedSerializer,
    ErasureSerializer,
    IdentitySerializer,
    ProfileSerializer,
    UserSerializer,
)
from accounts.services.erasures import erasure_confirm, erasure_request
from accounts.services.personal_data import personal_data_export
from accounts.services.users import user_update_profile
from accounts.views.base import PERSON, AuthViewSet, OpenAuthViewSet, refusal, session_id_of

ERASURE_REQUESTED = "We mailed you a link that deletes your account. Until you open it, nothing changes."
_PROFILE = OpenApiExample("A profile", value=PERSON, response_only=True)


class MeViewSet(AuthViewSet):
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


class PersonalDataViewSet(AuthViewSet):
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
            400: refusal("password_incorrect", "This is not your current password."),
            403: refusal("fresh_sign_in_required", "Sign in again, then repeat this within 15 minutes."),
        },
        examples=[OpenApiExample("Ada asks", value={"password": "correct horse battery"}, request_only=True)],
    )
    def export(self, request: Request) -> StreamingHttpResponse:
        identity = self.read(IdentitySerializer, request)
        document = personal_data_export(
            user=signed_in(request.user), session_id=session_id_of(request), device=device_of(request), **identity
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
            400: refusal("password_incorrect", "This is not your current password."),
            403: refusal("fresh_sign_in_required", "Sign in again, then repeat this within 15 minutes."),
            409: refusal("account_not_settled", "NGN 20,000.00 is available in your wallet. Withdraw it first."),
        },
        examples=[OpenApiExample("Ada leaves", value={"password": "correct horse battery"}, request_only=True)],
    )
    def request_erasure(self, request: Request) -> Response:
        identity = self.read(IdentitySerializer, request)
        kept = erasure_request(user=signed_in(request.user), session_id=session_id_of(request), **identity)
        return Response(ErasureRequestedSerializer({"detail": ERASURE_REQUESTED, "kept": kept}).data, status=202)


class AccountErasureViewSet(OpenAuthViewSet):
    throttle_scope = "reset"

    @extend_schema(
        operation_id="auth_delete_account",
        summary="Delete an account by a mailed link",
        description="For good: every device is signed out, name, email and all that tells who it was is forgotten, and "
        "the email is free for a new account, which gets nothing of the old one.",
        request=ErasureSerializer,
        responses={
            204: None,
            400: refusal("erasure_token_invalid", "This link is not good any more."),
            409: refusal("account_not_settled", "NGN 20,000.00 is available in your wallet. Withdraw it first."),
        },
    )
    def create(self, request: Request) -> Response:
        erasure_confirm(**self.read(ErasureSerializer, request))
        response = Response(status=204)
        refresh_cookie_clear(response)
        return response
