"""Who of the staff may do what: Django's own permissions, as the console has them."""

from typing import ClassVar

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import User
from accounts.selectors import staff_may


class _StaffWith(BasePermission):
    right: ClassVar[str]

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, User) and staff_may(request.user, self.right)


class MayViewEnrollments(_StaffWith):
    right = "courses.view_enrollment"


class MayChangeEnrollments(_StaffWith):
    right = "courses.change_enrollment"


class _StaffWithAny(BasePermission):
    """Which of them they may, is for the view to look at, row by row."""

    rights: ClassVar[tuple[str, ...]]

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        return isinstance(user, User) and any(staff_may(user, right) for right in self.rights)


class MayViewReviews(_StaffWithAny):
    rights = ("payments.view_paymentreview", "wallets.view_withdrawalreview")


class MayDecideReviews(_StaffWithAny):
    rights = ("payments.change_paymentreview", "wallets.change_withdrawalreview")
