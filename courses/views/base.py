"""What the doors of this app share."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from courses.serializers.catalogue import CourseSerializer
from learning247.kit.api.pagination import CataloguePagination

COURSE_PARAMETER = OpenApiParameter("course", str, OpenApiParameter.PATH, description="Id or slug.")
DEPARTMENT_PARAMETER = OpenApiParameter("department", str, OpenApiParameter.PATH, description="Id or slug.")


class CoursesViewSet(GenericViewSet[Any]):
    serializer_class: type[BaseSerializer[Any]] = CourseSerializer
    pagination_class: type[CataloguePagination] = CataloguePagination

    def caller(self, request: Request) -> User:
        """Who is signed in; only for doors that nobody passes without."""
        assert isinstance(request.user, User)
        return request.user

    def page_of(self, rows: QuerySet[Any]) -> list[Any]:
        page = self.paginate_queryset(rows)
        assert page is not None, "every list here is paginated"
        return list(page)

    def read(self, shape: type[BaseSerializer[Any]], request: Request, *, partial: bool = False) -> dict[str, Any]:
        """The request's body in that shape; raises ValidationError."""
        serializer = shape(data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)
