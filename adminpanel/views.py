"""The staff's doors."""

from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from accounts.selectors import signed_in
from adminpanel.permissions import MayChangeEnrollments, MayDecideReviews, MayViewEnrollments, MayViewReviews
from adminpanel.reviews import ReviewQueue, review_find
from adminpanel.serializers import (
    EnrollmentExportQuery,
    EnrollmentGrantSerializer,
    EnrollmentListQuery,
    EnrollmentMarkSerializer,
    EnrollmentRevokeSerializer,
    EnrollmentsMarkedSerializer,
    EnrollmentsMarkSerializer,
    EnrollmentStatsSerializer,
    ReviewApprovalSerializer,
    ReviewEditSerializer,
    ReviewListQuery,
    ReviewRejectionSerializer,
    ReviewSerializer,
    StaffEnrollmentDetailSerializer,
    StaffEnrollmentSerializer,
)
from courses.models import Enrollment
from courses.selectors.courses import course_choose
from courses.selectors.enrollments import (
    account_choose,
    enrollment_filters,
    enrollment_get,
    enrollment_history,
    enrollment_list,
    enrollment_stats,
)
from courses.services.enrollment_exports import enrollments_export
from courses.services.enrollments import (
    enrollment_grant,
    enrollment_mark,
    enrollment_mark_many,
    enrollment_revoke,
)
from learning247.kit.api.bodies import read_body
from learning247.kit.api.pagination import CataloguePagination
from learning247.kit.api.schema import refusals
from payments.models import PaymentReview


class OneRepresentation(BaseContentNegotiation):
    """The door has one answer whatever `Accept` says; refusals are the API's JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return next((parser for parser in parsers if parser.media_type == "application/json"), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        renderer: BaseRenderer = renderers[0]
        return renderer, renderer.media_type


class EnrollmentAdminViewSet(GenericViewSet[Any]):
    """Enrollments, for staff with `courses.view_enrollment`, and to write with `courses.change_enrollment`."""

    throttle_scope = "admin"
    serializer_class: type[BaseSerializer[Any]] = StaffEnrollmentSerializer
    pagination_class = CataloguePagination
    queryset = Enrollment.objects.none()

    def get_permissions(self) -> list[BasePermission]:
        reading = self.request is None or self.request.method in SAFE_METHODS
        return [MayViewEnrollments() if reading else MayChangeEnrollments()]

    @extend_schema(
        operation_id="admin_course_enrollments",
        summary="All enrollments",
        description="Newest first. An empty filter counts as absent.",
        parameters=[EnrollmentListQuery],
        responses=StaffEnrollmentSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(enrollment_list(enrollment_filters(EnrollmentListQuery.read(request))))
        return self.get_paginated_response(StaffEnrollmentSerializer(page, many=True).data)

    @extend_schema(
        operation_id="admin_course_enrollment",
        summary="One enrollment, with its history",
        responses=StaffEnrollmentDetailSerializer,
    )
    def retrieve(self, request: Request, enrollment: UUID) -> Response:
        return self._detail(enrollment)

    @extend_schema(
        operation_id="admin_course_enrollment_mark_sent",
        summary="The sign-in was sent, or was not",
        description="Marked for the first time ever, the student gets a mail that says so. The same again changes "
        "nothing but the notes.",
        request=EnrollmentMarkSerializer,
        responses={
            200: StaffEnrollmentDetailSerializer,
            **refusals(e409="`enrollment_revoked`, `enrollment_expired`"),
        },
    )
    def mark_sent(self, request: Request, enrollment: UUID) -> Response:
        wanted = read_body(EnrollmentMarkSerializer, request)
        enrollment_mark(
            enrollment_id=enrollment, sent=wanted["sent"], notes=wanted.get("notes"), actor=signed_in(request.user)
        )
        return self._detail(enrollment)

    @extend_schema(
        operation_id="admin_course_enrollments_mark_sent",
        summary="The sign-ins of many were sent",
        description="At most 500, in one transaction. What cannot be marked is named and keeps no other waiting.",
        request=EnrollmentsMarkSerializer,
        responses=EnrollmentsMarkedSerializer,
    )
    def mark_many_sent(self, request: Request) -> Response:
        wanted = read_body(EnrollmentsMarkSerializer, request)
        results = enrollment_mark_many(
            enrollment_ids=wanted["ids"], notes=wanted.get("notes"), actor=signed_in(request.user)
        )
        sent = sum(result.outcome == "sent" for result in results)
        return Response(EnrollmentsMarkedSerializer({"sent": sent, "results": results}).data)

    @extend_schema(
        operation_id="admin_course_enrollment_revoke",
        summary="Take a student's access back",
        description="At once; the student is told by mail. No money moves. Revoked before: nothing changes.",
        request=EnrollmentRevokeSerializer,
        responses=StaffEnrollmentDetailSerializer,
    )
    def revoke(self, request: Request, enrollment: UUID) -> Response:
        reason = read_body(EnrollmentRevokeSerializer, request)["reason"]
        enrollment_revoke(enrollment_id=enrollment, reason=reason, actor=signed_in(request.user))
        return self._detail(enrollment)

    @extend_schema(
        operation_id="admin_course_enrollments_grant",
        summary="Enrol a student by hand",
        description="In a course, or by a pass, without a payment; the student is told by mail.",
        request=EnrollmentGrantSerializer,
        responses={
            201: StaffEnrollmentDetailSerializer,
            **refusals(e400="Also `account_not_found`, `course_not_found`", e409="`already_owned`"),
        },
    )
    def create(self, request: Request) -> Response:
        wanted = read_body(EnrollmentGrantSerializer, request)
        granted = enrollment_grant(
            user=account_choose(wanted["email"]),
            course=course_choose(wanted["course"]) if "course" in wanted else None,
            access_type=wanted["access_type"],
            student=wanted.get("student", {}),
            notes=wanted["notes"],
            reason=wanted["reason"],
            actor=signed_in(request.user),
        )
        return self._detail(granted.id, status=201)

    @extend_schema(
        operation_id="admin_course_enrollments_stats",
        summary="How many, and who waits longest",
        responses=EnrollmentStatsSerializer,
    )
    def stats(self, request: Request) -> Response:
        return Response(EnrollmentStatsSerializer(enrollment_stats()).data)

    @extend_schema(
        operation_id="admin_course_enrollments_export",
        summary="All enrollments as CSV",
        description="The list's filters, without pages. Streamed; UTF-8 with a byte order mark; cells that a "
        "spreadsheet would take for formulas begin with an apostrophe. On record, with the reason where one is given.",
        parameters=[EnrollmentExportQuery],
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="The table.")},
    )
    def export(self, request: Request) -> StreamingHttpResponse:
        query = EnrollmentExportQuery.read(request)
        reason = query.pop("reason")
        rows = enrollment_list(enrollment_filters(query))
        return StreamingHttpResponse(
            enrollments_export(rows=rows, filters=query, actor=signed_in(request.user), reason=reason),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="enrollments.csv"', "Cache-Control": "no-store"},
        )

    def _detail(self, enrollment_id: UUID, *, status: int = 200) -> Response:
        enrollment = enrollment_get(enrollment_id)
        context = {"history": enrollment_history(enrollment)}
        return Response(StaffEnrollmentDetailSerializer(enrollment, context=context).data, status=status)


class ReviewAdminViewSet(GenericViewSet[Any]):
    """Payments and withdrawals that people decide over: to read with `payments.view_paymentreview` and
    `wallets.view_withdrawalreview`, to decide with `…change_…`; who may do it for one kind sees that kind."""

    throttle_scope = "admin"
    serializer_class: type[BaseSerializer[Any]] = ReviewSerializer
    pagination_class = CataloguePagination
    queryset = PaymentReview.objects.none()

    def get_permissions(self) -> list[BasePermission]:
        reading = self.request is None or self.request.method in SAFE_METHODS
        return [MayViewReviews() if reading else MayDecideReviews()]

    @extend_schema(
        operation_id="admin_reviews",
        summary="What waits for a decision",
        description="Oldest due first; open ones, unless `status` says otherwise.",
        parameters=[ReviewListQuery],
        responses=ReviewSerializer(many=True),
    )
    def list(self, request: Request) -> Response:
        query = ReviewListQuery.read(request)
        user = signed_in(request.user)
        queue = ReviewQueue(user=user, status=query["status"], assigned_to=user if query.get("mine") else None)
        page = self.paginate_queryset(queue)
        return self.get_paginated_response(ReviewSerializer(page, many=True).data)

    @extend_schema(operation_id="admin_review", summary="One case", responses=ReviewSerializer)
    def retrieve(self, request: Request, review: UUID) -> Response:
        _, found = review_find(review, user=signed_in(request.user), what="view")
        return Response(ReviewSerializer(found).data)

    @extend_schema(
        operation_id="admin_review_edit",
        summary="Notes, priority, who looks at it",
        request=ReviewEditSerializer,
        responses={200: ReviewSerializer, **refusals(e409="`already_decided`")},
    )
    def partial_update(self, request: Request, review: UUID) -> Response:
        wanted = read_body(ReviewEditSerializer, request)
        actor, mine = signed_in(request.user), wanted.get("mine")
        kind, _ = review_find(review, user=actor, what="change")
        kind.edit(
            review_id=review,
            actor=actor,
            notes=wanted.get("notes"),
            priority=wanted.get("priority"),
            assigned_to=actor if mine else None,
            unassign=mine is False,
        )
        return self.retrieve(request, review)

    @extend_schema(
        operation_id="admin_review_approve",
        summary="Let it go on",
        description="A payment: access is granted, the seller credited. A withdrawal: it goes out, a large one when "
        "two people have approved it. They are told by mail. Approved before: nothing changes.",
        request=ReviewApprovalSerializer,
        responses={
            200: ReviewSerializer,
            **refusals(
                e403="Also `own_payment`, `own_withdrawal`",
                e409="`already_decided`, `approval_impossible`, `second_person_needed`",
            ),
        },
    )
    def approve(self, request: Request, review: UUID) -> Response:
        reason = read_body(ReviewApprovalSerializer, request)["reason"]
        actor = signed_in(request.user)
        kind, _ = review_find(review, user=actor, what="change")
        kind.approve(review_id=review, actor=actor, reason=reason)
        return self.retrieve(request, review)

    @extend_schema(
        operation_id="admin_review_reject",
        summary="Give the money back",
        description="All of it: a payment to where it came from, a withdrawal to its wallet. Told by mail. Rejected "
        "before: nothing changes.",
        request=ReviewRejectionSerializer,
        responses={
            200: ReviewSerializer,
            **refusals(e403="Also `own_payment`, `own_withdrawal`", e409="`already_decided`, `rejection_impossible`"),
        },
    )
    def reject(self, request: Request, review: UUID) -> Response:
        reason = read_body(ReviewRejectionSerializer, request)["reason"]
        actor = signed_in(request.user)
        kind, _ = review_find(review, user=actor, what="change")
        kind.reject(review_id=review, actor=actor, reason=reason)
        return self.retrieve(request, review)
