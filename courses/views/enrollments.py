"""Doors of enrollments for their student."""

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import signed_in
from courses.models import Enrollment
from courses.selectors.enrollments import enrollment_list_for
from courses.serializers.enrollments import EnrollmentSerializer
from courses.views.base import CoursesViewSet
from learning247.kit.api.queries import PageQuery


class EnrollmentViewSet(CoursesViewSet):
    permission_classes = (IsAuthenticated,)
    serializer_class = EnrollmentSerializer
    queryset = Enrollment.objects.none()

    @extend_schema(
        operation_id="courses_my_enrollments",
        summary="My enrollments",
        description="Newest first. `course.link` is there while access is active.",
        parameters=[PageQuery],
        responses=EnrollmentSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        PageQuery.read(request)
        page = self.page_of(enrollment_list_for(signed_in(request.user)))
        open_links = {enrollment.course_id for enrollment in page if enrollment.link_open}
        return self.get_paginated_response(
            EnrollmentSerializer(page, many=True, context={"open_links": open_links}).data
        )
