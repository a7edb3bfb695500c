"""The catalogue that everybody sees: published courses, listed and searched."""

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from courses.enums import CourseStatus
from courses.models import Course, Department
from courses.selectors.courses import with_parts

ORDERINGS = {
    "title": ("title", "id"),
    "-title": ("-title", "-id"),
    "created_at": ("created_at", "id"),
    "-created_at": ("-created_at", "-id"),
    "enrollment_count": ("enrollment_count", "title", "id"),
    "-enrollment_count": ("-enrollment_count", "title", "id"),
}


def course_list(*, department: Department | None = None, search: str = "", ordering: str = "title") -> QuerySet[Course]:
    """The catalogue: published courses; `search` narrows it to titles and descriptions that contain every word."""
    courses = with_parts(Course.objects.filter(status=CourseStatus.PUBLISHED))
    if department is not None:
        courses = courses.filter(department=department)
    for word in search.split():
        courses = courses.filter(Q(title__icontains=word) | Q(description__icontains=word))
    return courses.order_by(*ORDERINGS[ordering])


def course_search(*, query: str, department: Department | None = None) -> QuerySet[Course]:
    """Published courses that contain every word of `query` somewhere, best match first: the whole title, its
    beginning, all words in the title, department, description, curriculum."""
    words = query.split()
    courses = course_list(department=department)
    in_title = in_department = in_description = Q()
    for word in words:
        in_title &= Q(title__icontains=word)
        in_department &= Q(title__icontains=word) | Q(department__name__icontains=word)
        in_description &= Q(title__icontains=word) | Q(description__icontains=word)
        courses = courses.filter(
            Q(title__icontains=word)
            | Q(department__name__icontains=word)
            | Q(description__icontains=word)
            | Q(curriculum__icontains=word)
        )
    phrase = " ".join(words)
    rank = Case(
        When(title__iexact=phrase, then=Value(0)),
        When(title__istartswith=phrase, then=Value(1)),
        When(title__icontains=phrase, then=Value(2)),
        When(in_title, then=Value(3)),
        When(in_department, then=Value(4)),
        When(in_description, then=Value(5)),
        default=Value(6),
        output_field=IntegerField(),
    )
    return courses.annotate(rank=rank).order_by("rank", "title", "id")
