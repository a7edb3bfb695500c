"""Doors of one course: read by everybody, bought by learners, written by its creator."""

from typing import Any, cast

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiRequest, OpenApiResponse, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.devices import device_of
from accounts.selectors import signed_in
from courses.models import Course
from courses.selectors.catalogue import course_document
from courses.selectors.courses import course_get_for, course_get_on_sale, course_get_own, course_list_own, sales_of
from courses.selectors.departments import department_choose
from courses.serializers.catalogue import CourseDetailSerializer, CourseListQuery, CourseSerializer
from courses.serializers.courses import (
    CourseFormSerializer,
    CourseInputSerializer,
    ImageInputSerializer,
    OwnCourseSerializer,
    PurchaseSerializer,
)
from courses.services.courses import (
    CourseChanges,
    course_delete,
    course_publish,
    course_update,
    course_withdraw,
)
from courses.services.images import course_create_with_image, course_update_with_image
from courses.services.purchases import OPERATION, course_purchase
from courses.views.base import COURSE_PARAMETER, CoursesViewSet
from courses.views.catalogue import LIST_NOTE, SharedCatalogue
from learning247.kit.api.answers import personal
from learning247.kit.api.bodies import read_body
from learning247.kit.api.parsers import OrjsonParser
from learning247.kit.api.queries import PageQuery, Query
from learning247.kit.api.schema import refusals
from learning247.kit.api.uploads import ImageFormParser
from learning247.records.idempotency import IdempotentThrottling, idempotent
from payments.selectors import payment_detail

# The shape stands in payments, whose serializers no app above may import; its document is one for the whole API.
PAYMENT = {"$ref": "#/components/schemas/Payment"}
COURSE_BODY = {
    "application/json": CourseInputSerializer,
    "multipart/form-data": OpenApiRequest(
        CourseFormSerializer, encoding={"prices": {"contentType": "application/json"}}
    ),
}
IMAGE_REFUSALS = {
    "e413": "`image_too_large`: more than 5 MB",
    "e503": "`storage_unavailable`, `images_busy`: the same request may be sent again.",
}
TOO_MANY_PIXELS = "`image_too_many_pixels`, `image_too_complex`"


class CourseFormParser(ImageFormParser):
    json_fields = frozenset({"prices"})


class CourseViewSet(IdempotentThrottling, SharedCatalogue):
    """One course: read by everybody, bought by learners, written by its creator."""

    throttle_scope = {"purchase": "payments"}
    queryset = Course.objects.none()

    def get_parsers(self) -> list[BaseParser]:
        # Asked before the action is known by name.
        writes = {"create", "partial_update"} & set(self.action_map.values()) if self.action_map else set()
        return [OrjsonParser(), CourseFormParser()] if writes else [OrjsonParser()]

    def get_permissions(self) -> list[Any]:
        return [AllowAny()] if self.action in {"retrieve", "list"} else [IsAuthenticated()]

    @extend_schema(
        operation_id="courses_list",
        summary="All courses",
        description=LIST_NOTE,
        parameters=[CourseListQuery],
        responses=CourseSerializer(many=True),
    )
    def list(self, request: Request) -> HttpResponse:
        return self.course_page(request, department=None)

    @extend_schema(
        operation_id="courses_retrieve",
        summary="One course",
        description="Drafts are seen by their creator alone, withdrawn courses by creator and owners.",
        parameters=[COURSE_PARAMETER],
        responses=CourseDetailSerializer,
    )
    def retrieve(self, request: Request, course: str) -> HttpResponse:
        if request.user.is_authenticated:  # may see more than everybody: never from what is shared, nor into it
            return personal(Response(CourseDetailSerializer(course_get_for(request.user, course)).data))
        return self.shared(request, Query, lambda address: course_document(course))

    @extend_schema(
        operation_id="courses_purchase",
        summary="Buy a course",
        description="Opens a checkout: send the learner to `checkout_url`, then ask `verify` or wait for the webhook. "
        "A free course is paid at once and has no checkout, and so is one of which a `coupon` leaves nothing to pay. "
        "`access_type` monthly or yearly buys a pass to every "
        "course of the platform instead, for a calendar month or year (from 31 January to 28 February); it begins when "
        "a pass that runs ends, and can be bought again in its last seven days.",
        parameters=[COURSE_PARAMETER],
        request=PurchaseSerializer,
        responses={
            201: OpenApiResponse(PAYMENT, description="The payment; free courses are paid at once."),
            **refusals(
                e409="`already_owned`",
                e422="`currency_not_available`, `access_type_not_available` (a pass by a creator's course),"
                " `gateway_rejected`, `idempotency_key_reused`, `purchase_refused`, `coupon_unknown`, `coupon_expired`,"
                " `coupon_used_up`, `coupon_not_applicable`, `coupon_minimum`",
                e503="`gateway_unavailable`: the same key may be sent again.",
            ),
        },
    )
    @idempotent(OPERATION)
    def purchase(self, request: Request, course: str) -> Response:
        wanted = read_body(PurchaseSerializer, request)
        payment = course_purchase(
            buyer=signed_in(request.user),
            course=course_get_on_sale(course),
            currency=wanted["currency"],
            access_type=wanted["access_type"],
            student=wanted.get("student", {}),
            idempotency_key=request.idempotency_key,  # type: ignore[attr-defined]
            device=device_of(request),
            coupon=wanted["coupon"],
        )
        return Response(payment_detail(payment), status=201)

    @extend_schema(
        operation_id="courses_create",
        summary="Write a course",
        description="A draft, seen by its creator alone until it is published. Needs a verified email, and makes its "
        "author a creator. `image` is the address of an image, or in a form the image itself.",
        request=COURSE_BODY,
        responses={
            201: OwnCourseSerializer,
            **refusals(e403="`email_not_verified`", e422=TOO_MANY_PIXELS, **IMAGE_REFUSALS),
        },
    )
    def create(self, request: Request) -> Response:
        course = course_create_with_image(creator=signed_in(request.user), **self._fields(request))
        return self._own(request, str(course.id), status=201)

    @extend_schema(
        operation_id="courses_update",
        summary="Change a course",
        description="What is left out stays. `prices`, when given, replaces all prices; checkouts that are open keep "
        "their amount. Once on sale, a course keeps a link.",
        parameters=[COURSE_PARAMETER],
        request=COURSE_BODY,
        responses={
            200: OwnCourseSerializer,
            **refusals(
                e422="`course_not_publishable`: on sale without a price, or its link taken away. " + TOO_MANY_PIXELS,
                **IMAGE_REFUSALS,
            ),
        },
    )
    def partial_update(self, request: Request, course: str) -> Response:
        own = course_get_own(signed_in(request.user), course)
        changes = self._fields(request, partial=True)
        prices, image = changes.pop("prices", None), changes.pop("image", None)
        course_update_with_image(course=own, changes=cast(CourseChanges, changes), prices=prices, image=image)
        return self._own(request, str(own.id))

    @extend_schema(
        operation_id="courses_delete",
        summary="Delete a course",
        description="Erases it when nobody ever began to buy it; otherwise withdraws it: owners keep it.",
        parameters=[COURSE_PARAMETER],
        responses={204: None},
    )
    def destroy(self, request: Request, course: str) -> Response:
        course_delete(course_id=course_get_own(signed_in(request.user), course).id, actor=signed_in(request.user))
        return Response(status=204)

    @extend_schema(
        operation_id="courses_publish",
        summary="Put a course on sale",
        description="Needs a link and at least one price.",
        parameters=[COURSE_PARAMETER],
        request=None,
        responses={200: OwnCourseSerializer, **refusals(e422="`course_not_publishable`: no link, or no price")},
    )
    def publish(self, request: Request, course: str) -> Response:
        own = course_get_own(signed_in(request.user), course)
        course_publish(course_id=own.id, actor=signed_in(request.user))
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
        own = course_get_own(signed_in(request.user), course)
        course_withdraw(course_id=own.id, actor=signed_in(request.user))
        return self._own(request, str(own.id))

    def _fields(self, request: Request, *, partial: bool = False) -> dict[str, Any]:
        """The body as fields of a course, its department found."""
        fields = read_body(CourseInputSerializer, request, partial=partial)
        if "department" in fields:
            fields["department"] = department_choose(fields["department"])
        return fields

    def _own(self, request: Request, reference: str, *, status: int = 200) -> Response:
        course = course_get_own(signed_in(request.user), reference)
        return Response(OwnCourseSerializer(course, context={"sales": sales_of([course])}).data, status=status)


class CourseImageViewSet(CoursesViewSet):
    """The image of a creator's own course."""

    parser_classes = (ImageFormParser,)
    permission_classes = (IsAuthenticated,)
    queryset = Course.objects.none()

    @extend_schema(
        operation_id="courses_image_set",
        summary="Give a course its image",
        description="Looked at by its content, turned upright, freed of everything but its pixels, and kept as WebP at "
        "most 1600 wide and high. Of an animation the first image stays.",
        parameters=[COURSE_PARAMETER],
        request={"multipart/form-data": ImageInputSerializer},
        responses={200: OwnCourseSerializer, **refusals(e422=TOO_MANY_PIXELS, **IMAGE_REFUSALS)},
    )
    def update(self, request: Request, course: str) -> Response:
        own = course_get_own(signed_in(request.user), course)
        course_update_with_image(course=own, image=read_body(ImageInputSerializer, request)["image"])
        changed = course_get_own(signed_in(request.user), str(own.id))
        return Response(OwnCourseSerializer(changed, context={"sales": sales_of([changed])}).data)

    @extend_schema(
        operation_id="courses_image_delete",
        summary="Take a course's image away",
        description="Quiet when it has none.",
        parameters=[COURSE_PARAMETER],
        responses={204: None},
    )
    def destroy(self, request: Request, course: str) -> Response:
        course_update(course_id=course_get_own(signed_in(request.user), course).id, changes={"image_url": ""})
        return Response(status=204)


class OwnCourseViewSet(CoursesViewSet):
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
        page = self.page_of(course_list_own(signed_in(request.user)))
        return self.get_paginated_response(OwnCourseSerializer(page, many=True, context={"sales": sales_of(page)}).data)
