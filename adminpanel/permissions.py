"""Who of the staff may do what: Django's own permissions, as the console has them."""

from typing import ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView


class _StaffWith(BasePermission):
    right: ClassVar[str]

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        return bool(user and user.is_authenticated and user.is_staff and user.has_perm(self.right))


class MayViewEnrollments(_StaffWith):
    right = "courses.view_enrollment"


class MayChangeEnrollments(_StaffWith):
    right = "courses.change_enrollment"
