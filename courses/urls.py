"""Addresses under /api/courses. The fixed words stand before what may be an id or a slug."""

from django.urls import path

from courses.views.catalogue import CatalogueViewSet, DepartmentViewSet
from courses.views.courses import CourseImageViewSet, CourseViewSet, OwnCourseViewSet
from courses.views.enrollments import EnrollmentViewSet
from courses.views.passes import PassViewSet

urlpatterns = [
    path("api/courses", CourseViewSet.as_view({"get": "list", "post": "create"}), name="courses"),
    path("api/courses/departments", DepartmentViewSet.as_view({"get": "list"}), name="course-departments"),
    path(
        "api/courses/departments/<str:department>/courses",
        CatalogueViewSet.as_view({"get": "list"}),
        name="course-department-courses",
    ),
    path("api/courses/search", CatalogueViewSet.as_view({"get": "search"}), name="course-search"),
    path("api/courses/passes", PassViewSet.as_view({"get": "list"}), name="course-passes"),
    path("api/courses/mine", OwnCourseViewSet.as_view({"get": "list"}), name="course-mine"),
    path("api/courses/my-enrollments", EnrollmentViewSet.as_view({"get": "list"}), name="course-my-enrollments"),
    path(
        "api/courses/<str:course>",
        CourseViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
        name="course",
    ),
    path(
        "api/courses/<str:course>/image",
        CourseImageViewSet.as_view({"put": "update", "delete": "destroy"}),
        name="course-image",
    ),
    path("api/courses/<str:course>/publish", CourseViewSet.as_view({"post": "publish"}), name="course-publish"),
    path("api/courses/<str:course>/withdraw", CourseViewSet.as_view({"post": "withdraw"}), name="course-withdraw"),
    path("api/courses/<str:course>/purchase", CourseViewSet.as_view({"post": "purchase"}), name="course-purchase"),
]
