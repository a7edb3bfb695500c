"""Addresses under /api/admin."""

from django.urls import path

from adminpanel.views import EnrollmentAdminViewSet, OneRepresentation, ReviewAdminViewSet

ENROLLMENTS = "api/admin/course-enrollments"
REVIEWS = "api/admin/reviews"

urlpatterns = [
    path(
        ENROLLMENTS,
        EnrollmentAdminViewSet.as_view({"get": "list", "post": "create"}),
        name="admin-course-enrollments",
    ),
    path(
        f"{ENROLLMENTS}/stats", EnrollmentAdminViewSet.as_view({"get": "stats"}), name="admin-course-enrollments-stats"
    ),
    path(
        f"{ENROLLMENTS}/export",
        EnrollmentAdminViewSet.as_view({"get": "export"}, content_negotiation_class=OneRepresentation),
        name="admin-course-enrollments-export",
    ),
    path(
        f"{ENROLLMENTS}/mark-sent",
        EnrollmentAdminViewSet.as_view({"post": "mark_many_sent"}),
        name="admin-course-enrollments-mark-sent",
    ),
    path(
        f"{ENROLLMENTS}/<uuid:enrollment>",
        EnrollmentAdminViewSet.as_view({"get": "retrieve"}),
        name="admin-course-enrollment",
    ),
    path(
        f"{ENROLLMENTS}/<uuid:enrollment>/mark-sent",
        EnrollmentAdminViewSet.as_view({"patch": "mark_sent"}),
        name="admin-course-enrollment-mark-sent",
    ),
    path(
        f"{ENROLLMENTS}/<uuid:enrollment>/revoke",
        EnrollmentAdminViewSet.as_view({"post": "revoke"}),
        name="admin-course-enrollment-revoke",
    ),
    path(REVIEWS, ReviewAdminViewSet.as_view({"get": "list"}), name="admin-reviews"),
    path(
        f"{REVIEWS}/<uuid:review>",
        ReviewAdminViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="admin-review",
    ),
    path(f"{REVIEWS}/<uuid:review>/approve", ReviewAdminViewSet.as_view({"post": "approve"}), name="admin-approve"),
    path(f"{REVIEWS}/<uuid:review>/reject", ReviewAdminViewSet.as_view({"post": "reject"}), name="admin-reject"),
]
