"""Reads of enrollments."""

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from accounts.models import User
from courses.models import Course, Enrollment
from courses.selectors.courses import with_parts
from learning247.kit.clock import now
from payments.access import live_at
from payments.models import Entitlement


def enrollment_list_for(student: User) -> QuerySet[Enrollment]:
    """A person's enrollments, newest first; `link_open` says whether its external link may be shown."""
    return (
        Enrollment.objects.filter(student=student)
        .annotate(link_open=Exists(Entitlement.objects.filter(live_at(now()), id=OuterRef("entitlement_id"))))
        .select_related("payment")
        .prefetch_related(Prefetch("course", queryset=with_parts(Course.objects.all())))
        .order_by("-id")
    )
