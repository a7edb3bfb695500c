"""The door at which passes stand with their prices."""

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from courses.models import CoursePass
from courses.selectors.passes import pass_offers
from courses.serializers.passes import PassOfferSerializer
from courses.views.base import CoursesViewSet


class PassViewSet(CoursesViewSet):
    permission_classes = (AllowAny,)
    serializer_class = PassOfferSerializer
    pagination_class = None  # type: ignore[assignment]  # there are two
    queryset = CoursePass.objects.none()

    @extend_schema(
        operation_id="course_passes",
        summary="Passes to every platform course",
        description="Bought at any platform course: `POST /api/courses/{id}/purchase` with its `access_type`.",
        responses=PassOfferSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        return Response(PassOfferSerializer(pass_offers(), many=True).data)
