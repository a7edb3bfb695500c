"""Doors of the catalogue: open to everybody, and answered from what was rendered before where that still holds."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from courses.models import Course, Department
from courses.selectors.catalogue import catalogue_version, course_page, department_id_get, department_page
from courses.selectors.search import Filters, course_matches, course_search, words_of
from courses.serializers.catalogue import (
    CourseListQuery,
    CourseSearchQuery,
    CourseSerializer,
    DepartmentSerializer,
    FoundCourseSerializer,
)
from courses.views.base import DEPARTMENT_PARAMETER, CoursesViewSet
from learning247.kit.api.answers import shared_answer
from learning247.kit.api.pagination import CataloguePagination, numbered_page
from learning247.kit.api.queries import PageQuery, Query

LIST_NOTE = "`enrollment_count` may be a minute or two old. With `search`, `count` is of at most 1,000 courses."
# No catalogue has so many rows; PostgreSQL counts no further than its bigint.
FURTHEST = 10**9


class DepartmentPagination(CataloguePagination):
    """There are a few dozen departments and a menu shows them all: the default page is the largest one."""

    page_size = 100


class SearchPagination(CataloguePagination):
    """A page of what was found, with the words that were taken for others."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page: dict[str, Any] = super().get_paginated_response_schema(schema)
        page["required"].append("corrections")
        page["properties"]["corrections"] = {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
            "description": "Words that no course knows, and what they were taken for.",
            "example": {"pyhton": ["python"]},
        }
        return page


class SharedCatalogue(CoursesViewSet):
    """Answers that are the same for everybody, rendered once per version of the catalogue.

    A question is read and checked only when its answer is not there: a bad one never has an answer that was kept.
    """

    permission_classes = (AllowAny,)
    answers_are_kept = True  # for the API's document: there may be a 304

    def shared(self, request: Request, query: type[Query], render: Callable[[str], bytes]) -> HttpResponse:
        """`render` gets the address that the answer's links are made from."""
        address = query.address(request)
        return shared_answer(
            request,
            name=address,
            version=catalogue_version(),
            seconds=settings.CATALOGUE_CACHE_SECONDS,
            render=lambda: render(address),
        )

    def page_asked(self, query: dict[str, Any]) -> tuple[int, int, int]:
        """Number and size of the page, and how many rows come before it."""
        number, largest = query.get("page", 1), self.pagination_class.max_page_size
        size = min(query.get("page_size", self.pagination_class.page_size), largest)
        return number, size, min((number - 1) * size, FURTHEST)

    def course_page(self, request: Request, *, department: str | None) -> HttpResponse:
        """A page of a department's courses, or of all."""

        def render(address: str) -> bytes:
            query = CourseListQuery.read(request)
            number, size, offset = self.page_asked(query)
            words = words_of(query["search"])
            if words:
                within = None if department is None else department_id_get(department)
                rows = course_matches(words, department=within, ordering=query["ordering"], limit=size, offset=offset)
            else:
                rows = course_page(department=department, ordering=query["ordering"], limit=size, offset=offset)
            return numbered_page(address, number=number, size=size, count=rows.count, results=rows.results)

        return self.shared(request, CourseListQuery, render)


class DepartmentViewSet(SharedCatalogue):
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
    def list(self, request: Request) -> HttpResponse:
        def render(address: str) -> bytes:
            number, size, offset = self.page_asked(PageQuery.read(request))
            rows = department_page(limit=size, offset=offset)
            return numbered_page(address, number=number, size=size, count=rows.count, results=rows.results)

        return self.shared(request, PageQuery, render)


class CatalogueViewSet(SharedCatalogue):
    queryset = Course.objects.none()

    @property
    def paginator(self) -> CataloguePagination:
        return SearchPagination() if self.action == "search" else CataloguePagination()

    @extend_schema(
        operation_id="courses_in_department",
        summary="Courses of a department",
        description=LIST_NOTE,
        parameters=[DEPARTMENT_PARAMETER, CourseListQuery],
        responses=CourseSerializer(many=True),
    )
    def list(self, request: Request, department: str) -> HttpResponse:
        return self.course_page(request, department=department)

    @extend_schema(
        operation_id="courses_search",
        summary="Search courses",
        description="Best match first: title, then department, description, curriculum. Word forms count as the word, "
        "the last word may be unfinished, and words that no course knows are taken for the ones most like them "
        "(`corrections`). Where no course has all words, courses that have some come. `count` is of at most 1,000 "
        "courses, which are ranked.",
        parameters=[CourseSearchQuery],
        responses=FoundCourseSerializer(many=True),
    )
    def search(self, request: Request) -> HttpResponse:
        def render(address: str) -> bytes:
            query = CourseSearchQuery.read(request)
            number, size, offset = self.page_asked(query)
            department = department_id_get(query["department"]) if "department" in query else None
            filters = Filters(department, query.get("currency", ""), query.get("max_price"))
            found = course_search(words_of(query["q"]), filters=filters, limit=size, offset=offset)
            return numbered_page(
                address,
                number=number,
                size=size,
                count=found.count,
                results=found.results,
                more={"corrections": found.corrections},
            )

        return self.shared(request, CourseSearchQuery, render)
