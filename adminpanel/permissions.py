"""Who of the staff may do what: Django's own permissions, as the console has them."""

from typing import ClassVar

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.errors import SecondFactorSetupRequired
from accounts.models import User
from accounts.selectors import second_factor_active


class _StaffWith(BasePermission):
    right: ClassVar[str]

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        if not (isinstance(user, User) and user.is_staff and user.has_perm(self.right)):
            return False
        # A session from before it was switched on has ended; so whoever has one has shown it.
        if settings.STAFF_SECOND_FACTOR_REQUIRED and second_factor_active(user) is None:
            raise SecondFactorSetupRequired
        return True


class MayViewEnrollments(_StaffWith):
    right = "courses.view_enrollment"


class MayChangeEnrollments(_StaffWith):
    right = "courses.change_enrollment"
