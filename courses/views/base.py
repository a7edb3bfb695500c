"""What the doors of this app share."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from courses.serializers.catalogue import CourseSerializer
from learning247.kit.api.pagination import CataloguePagination

COURSE_PARAMETER = OpenApiParameter("course", str, OpenApiParameter.PATH, description="Id or slug.")
DEPARTMENT_PARAMETER = OpenApiParameter("department", str, OpenApiParameter.PATH, description="Id or slug.")


class CoursesViewSet(GenericViewSet[Any]):
    serializer_class: type[BaseSerializer[Any]] = CourseSerializer
    pagination_class: type[CataloguePagination] = CataloguePagination

    def page_of(self, rows: QuerySet[Any]) -> list[Any]:
        page = self.paginate_queryset(rows)
        assert page is not None, "every list here is paginated"
        return list(page)
