"""Doors for Celery; each calls one service and is safe to run twice."""

from celery import shared_task

from courses.services.enrollment_counts import enrollment_counts_refresh
from courses.services.search_words import search_words_refresh


@shared_task(name="courses.count_enrollments")
def count_enrollments() -> int:
    """Returns how many courses got another number of students."""
    return enrollment_counts_refresh()


@shared_task(name="courses.recount_enrollments")
def recount_enrollments() -> int:
    """The same for every course, however long nobody counted."""
    return enrollment_counts_refresh(everything=True)


@shared_task(name="courses.refresh_search_words")
def refresh_search_words() -> int:
    """Take in the words of courses that changed; returns how many were new."""
    return search_words_refresh()


@shared_task(name="courses.renew_search_words")
def renew_search_words() -> int:
    """Every word again, without those that no course has any more; returns how many were new."""
    return search_words_refresh(everything=True)
