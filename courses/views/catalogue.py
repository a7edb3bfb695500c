"""Doors of the catalogue: open to everybody."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from courses.models import Course, Department
from courses.selectors.catalogue import course_list, course_search
from courses.selectors.departments import department_get, department_list
from courses.serializers.catalogue import (
    CourseListQuery,
    CourseSearchQuery,
    CourseSerializer,
    DepartmentSerializer,
)
from courses.views.base import DEPARTMENT_PARAMETER, CoursesViewSet
from learning247.kit.api.pagination import CataloguePagination
from learning247.kit.api.queries import PageQuery


class DepartmentPagination(CataloguePagination):
    """There are a few dozen departments and a menu shows them all: the default page is the largest one."""

    page_size = 100


class DepartmentViewSet(CoursesViewSet):
    permission_classes = (AllowAny,)
    serializer_class = DepartmentSerializer
    pagination_class = DepartmentPagination
    queryset = Department.objects.none()

    @extend_schema(
        operation_id="course_departments",
        summary="Departments",
        description="Every department with its number of published courses; the default page size is 100 here.",
        parameters=[PageQuery],
        responses=DepartmentSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        PageQuery.read(request)
        page = self.page_of(department_list())
        return self.get_paginated_response(DepartmentSerializer(page, many=True).data)


class CatalogueViewSet(CoursesViewSet):
    """Reading the catalogue needs no account; with one, the answer to `retrieve` may hold the external link."""

    permission_classes = (AllowAny,)
    queryset = Course.objects.none()

    @extend_schema(
        operation_id="courses_in_department",
        summary="Courses of a department",
        parameters=[DEPARTMENT_PARAMETER, CourseListQuery],
        responses=CourseSerializer(many=True),
    )
    def list(self, request: Request, department: str) -> Response:
        query = CourseListQuery.read(request)
        courses = course_list(department=department_get(department), search=query["search"], ordering=query["ordering"])
        return self._answer(courses)

    @extend_schema(
        operation_id="courses_search",
        summary="Search courses",
        description="Best match first: title, then department, description, curriculum.",
        parameters=[CourseSearchQuery],
        responses=CourseSerializer(many=True),
    )
    def search(self, request: Request) -> Response:
        query = CourseSearchQuery.read(request)
        within = department_get(query["department"]) if "department" in query else None
        return self._answer(course_search(query=query["q"], department=within))

    def _answer(self, courses: QuerySet[Course]) -> Response:
        return self.get_paginated_response(CourseSerializer(self.page_of(courses), many=True).data)
