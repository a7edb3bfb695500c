"""Doors of the courses app: the catalogue for everybody, purchases for learners, the desk of a creator."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from courses.models import Course, Department, Enrollment
from courses.selectors import (
    course_get_for,
    course_get_on_sale,
    course_get_own,
    course_list,
    course_list_own,
    course_search,
    department_choose,
    department_get,
    department_list,
    enrollment_list_for,
    sales_of,
)
from courses.serializers import (
    CourseDetailSerializer,
    CourseInputSerializer,
    CourseListQuery,
    CourseSearchQuery,
    CourseSerializer,
    DepartmentSerializer,
    EnrollmentSerializer,
    OwnCourseSerializer,
    PageQuery,
    PurchaseSerializer,
)
from courses.services.courses import (
    course_create,
    course_delete,
    course_publish,
    course_update,
    course_withdraw,
)
from courses.services.purchases import OPERATION, course_purchase
from learning247.kit.api.pagination import CataloguePagination
from learning247.kit.api.schema import ErrorSerializer
from learning247.records.idempotency import IdempotentThrottling, idempotent
from payments.selectors import payment_detail

# The shape stands in payments, whose serializers no app above may import; its document is one for the whole API.
PAYMENT = {"$ref": "#/components/schemas/Payment"}
COURSE_PARAMETER = OpenApiParameter("course", str, OpenApiParameter.PATH, description="Id or slug.")
DEPARTMENT_PARAMETER = OpenApiParameter("department", str, OpenApiParameter.PATH, description="Id or slug.")


def refusals(**texts: str) -> dict[int, OpenApiResponse]:
    """`refusals(e409="…")`: refusals by rules, for the document."""
    return {
        int(status.removeprefix("e")): OpenApiResponse(ErrorSerializer, description=text)
        for status, text in texts.items()
    }


class DepartmentPagination(CataloguePagination):
    """There are a few dozen departments and a menu shows them all: the default page is the largest one."""

    page_size = 100


class _CoursesViewSet(GenericViewSet[Any]):
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


class DepartmentViewSet(_CoursesViewSet):
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


class CatalogueViewSet(_CoursesViewSet):
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


class CourseViewSet(IdempotentThrottling, _CoursesViewSet):
    """One course: read by everybody, bought by learners, written by its creator."""

    queryset = Course.objects.none()

    def get_permissions(self) -> list[Any]:
        return [AllowAny()] if self.action in {"retrieve", "list"} else [IsAuthenticated()]

    @extend_schema(
        operation_id="courses_list",
        summary="All courses",
        parameters=[CourseListQuery],
        responses=CourseSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        query = CourseListQuery.read(request)
        page = self.page_of(course_list(search=query["search"], ordering=query["ordering"]))
        return self.get_paginated_response(CourseSerializer(page, many=True).data)

    @extend_schema(
        operation_id="courses_retrieve",
        summary="One course",
        description="Drafts are seen by their creator alone, withdrawn courses by creator and owners.",
        parameters=[COURSE_PARAMETER],
        responses=CourseDetailSerializer,
    )
    def retrieve(self, request: Request, course: str) -> Response:
        return Response(CourseDetailSerializer(course_get_for(request.user, course)).data)

    @extend_schema(
        operation_id="courses_purchase",
        summary="Buy a course",
        description="Opens a checkout: send the learner to `checkout_url`, then ask `verify` or wait for the webhook. "
        "A free course is paid at once and has no checkout.",
        parameters=[COURSE_PARAMETER],
        request=PurchaseSerializer,
        responses={
            201: OpenApiResponse(PAYMENT, description="The payment; free courses are paid at once."),
            **refusals(
                e409="`already_owned`",
                e422="`currency_not_available`, `access_type_not_available`, `gateway_rejected`,"
                " `idempotency_key_reused`",
                e503="`gateway_unavailable`: the same key may be sent again.",
            ),
        },
    )
    @idempotent(OPERATION)
    def purchase(self, request: Request, course: str) -> Response:
        wanted = self.read(PurchaseSerializer, request)
        payment = course_purchase(
            buyer=self.caller(request),
            course=course_get_on_sale(course),
            currency=wanted["currency"],
            access_type=wanted["access_type"],
            student=wanted.get("student", {}),
            idempotency_key=request.idempotency_key,  # type: ignore[attr-defined]
        )
        return Response(payment_detail(payment), status=201)

    @extend_schema(
        operation_id="courses_create",
        summary="Write a course",
        description="A draft, seen by its creator alone until it is published. Needs a verified email, and makes its "
        "author a creator.",
        request=CourseInputSerializer,
        responses={201: OwnCourseSerializer, **refusals(e403="`email_not_verified`")},
    )
    def create(self, request: Request) -> Response:
        fields = self.read(CourseInputSerializer, request)
        fields["department"] = department_choose(fields["department"])
        course = course_create(creator=self.caller(request), **fields)
        return self._own(request, str(course.id), status=201)

    @extend_schema(
        operation_id="courses_update",
        summary="Change a course",
        description="What is left out stays. `prices`, when given, replaces all prices.",
        parameters=[COURSE_PARAMETER],
        request=CourseInputSerializer,
        responses={200: OwnCourseSerializer, **refusals(e422="`course_not_publishable`: on sale without a price")},
    )
    def partial_update(self, request: Request, course: str) -> Response:
        own = course_get_own(self.caller(request), course)
        fields = self.read(CourseInputSerializer, request, partial=True)
        prices = fields.pop("prices", None)
        if "department" in fields:
            fields["department"] = department_choose(fields["department"])
        course_update(course_id=own.id, changes=fields, prices=prices)  # type: ignore[arg-type]
        return self._own(request, str(own.id))

    @extend_schema(
        operation_id="courses_delete",
        summary="Delete a course",
        description="Erases it when nobody ever began to buy it; otherwise withdraws it: owners keep it.",
        parameters=[COURSE_PARAMETER],
        responses={204: None},
    )
    def destroy(self, request: Request, course: str) -> Response:
        course_delete(course_id=course_get_own(self.caller(request), course).id, actor=self.caller(request))
        return Response(status=204)

    @extend_schema(
        operation_id="courses_publish",
        summary="Put a course on sale",
        description="Needs at least one price.",
        parameters=[COURSE_PARAMETER],
        request=None,
        responses={200: OwnCourseSerializer, **refusals(e422="`course_not_publishable`: no price")},
    )
    def publish(self, request: Request, course: str) -> Response:
        own = course_get_own(self.caller(request), course)
        course_publish(course_id=own.id, actor=self.caller(request))
        return self._own(request, str(own.id))

    @extend_schema(
        operation_id="courses_withdraw",
        summary="Take a course off sale",
        description="Whoever owns it keeps it; publish puts it back.",
        parameters=[COURSE_PARAMETER],
        request=None,
        responses={200: OwnCourseSerializer, **refusals(e409="`course_never_published`: a draft")},
    )
    def withdraw(self, request: Request, course: str) -> Response:
        own = course_get_own(self.caller(request), course)
        course_withdraw(course_id=own.id, actor=self.caller(request))
        return self._own(request, str(own.id))

    def _own(self, request: Request, reference: str, *, status: int = 200) -> Response:
        course = course_get_own(self.caller(request), reference)
        return Response(OwnCourseSerializer(course, context={"sales": sales_of([course])}).data, status=status)


class OwnCourseViewSet(_CoursesViewSet):
    permission_classes = (IsAuthenticated,)
    serializer_class = OwnCourseSerializer
    queryset = Course.objects.none()

    @extend_schema(
        operation_id="courses_mine",
        summary="My courses as a creator, with sales",
        parameters=[PageQuery],
        responses=OwnCourseSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        PageQuery.read(request)
        page = self.page_of(course_list_own(self.caller(request)))
        return self.get_paginated_response(OwnCourseSerializer(page, many=True, context={"sales": sales_of(page)}).data)


class EnrollmentViewSet(_CoursesViewSet):
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
        page = self.page_of(enrollment_list_for(self.caller(request)))
        open_links = {enrollment.course_id for enrollment in page if enrollment.link_open}
        return self.get_paginated_response(
            EnrollmentSerializer(page, many=True, context={"open_links": open_links}).data
        )
