"""The timetable in the console: what runs when is the code's to say (CELERY_BEAT_SCHEDULE); staff pause a job, or run
it at once."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import QuerySet
from django.http import HttpRequest
from django_celery_beat.models import PeriodicTask

from learning247.kit.admin import ReadOnlyAdmin, ReasonActionForm
from learning247.records.services.timetable import job_run, job_switch


class TimetablePage(ReadOnlyAdmin):
    list_display = ("name", "task", "scheduler", "enabled", "last_run_at", "total_run_count")
    list_filter = ("enabled",)
    search_fields = ("name", "task")
    ordering = ("name",)
    list_select_related = ("interval", "crontab", "solar", "clocked")
    fields = ("name", "task", "scheduler", "queue", "enabled", "last_run_at", "total_run_count", "date_changed")
    actions = ("pause", "resume", "run")
    action_form = ReasonActionForm

    @admin.display(description="when")
    def scheduler(self, job: PeriodicTask) -> str:
        return str(job.scheduler)

    @admin.action(description="Pause", permissions=["switch"])
    def pause(self, request: HttpRequest, jobs: QuerySet[PeriodicTask]) -> None:
        self._act(request, "Paused", lambda **said: job_switch(job_ids=_ids(jobs), enabled=False, **said))

    @admin.action(description="Resume", permissions=["switch"])
    def resume(self, request: HttpRequest, jobs: QuerySet[PeriodicTask]) -> None:
        self._act(request, "Resumed", lambda **said: job_switch(job_ids=_ids(jobs), enabled=True, **said))

    @admin.action(description="Run now", permissions=["switch"])
    def run(self, request: HttpRequest, jobs: QuerySet[PeriodicTask]) -> None:
        self._act(request, "Will run at once", lambda **said: job_run(job_ids=_ids(jobs), **said))

    def has_switch_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("django_celery_beat.change_periodictask")

    def _act(self, request: HttpRequest, done: str, act: Callable[..., int]) -> None:
        reason = request.POST.get("reason", "").strip()
        if not reason:
            self.message_user(request, "Say why, beside the action. Nothing was done.", messages.ERROR)
            return
        assert isinstance(request.user, AbstractBaseUser)
        self.message_user(request, f"{done}: {act(actor=request.user, reason=reason)}.")


def _ids(jobs: QuerySet[PeriodicTask]) -> list[int]:
    return list(jobs.order_by().values_list("pk", flat=True))
