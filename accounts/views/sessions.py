"""Doors of one's own sessions: the devices that are signed in."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import AccessTokenAuthentication
from accounts.cookies import refresh_cookie_clear
from accounts.devices import device_of
from accounts.models import Session
from accounts.selectors import session_list_for, signed_in
from accounts.serializers import SessionSerializer
from accounts.services.sessions import session_revoke
from accounts.views.base import AuthViewSet, refusal, session_id_of
from learning247.kit.api.pagination import CataloguePagination


class SessionViewSet(AuthViewSet):
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
        shape = SessionSerializer(page, many=True, context={"current": session_id_of(request)})
        return self.get_paginated_response(shape.data)

    @extend_schema(
        operation_id="auth_session_revoke",
        summary="Sign a device out",
        description="Its access tokens are worth nothing at once. Ending the session that asks is signing out.",
        responses={204: None, 404: refusal("session_not_found", "You have no such session.")},
    )
    def destroy(self, request: Request, session_id: UUID) -> Response:
        session_revoke(user=signed_in(request.user), session_id=session_id, device=device_of(request))
        response = Response(status=204)
        if session_id == session_id_of(request):
            refresh_cookie_clear(response)
        return response
