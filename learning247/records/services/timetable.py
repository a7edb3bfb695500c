"""The timetable of background jobs: CELERY_BEAT_SCHEDULE says what runs when; staff pause a job, or run it."""

from collections.abc import Iterable

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import QuerySet
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from learning247.kit.jobs import enqueue_on_commit
from learning247.records.errors import ReasonRequired
from learning247.records.services.audit import audit_record


def job_switch(*, job_ids: Iterable[int], enabled: bool, actor: AbstractBaseUser, reason: str) -> int:
    """Pause these jobs or let them run again; how many that changed. Raises ReasonRequired."""
    reason = _required(reason)
    with transaction.atomic(durable=True):
        jobs = list(_locked(job_ids).filter(enabled=not enabled))
        for job in jobs:
            audit_record(
                actor=actor,
                action="job.resumed" if enabled else "job.paused",
                subject_kind="job",
                subject_id=job.pk,
                reason=reason,
                before={"name": job.name, "enabled": job.enabled},
                after={"name": job.name, "enabled": enabled},
            )
        PeriodicTask.objects.filter(pk__in=[job.pk for job in jobs]).update(enabled=enabled)
        PeriodicTasks.update_changed()  # else beat does not read it anew
    return len(jobs)


def job_run(*, job_ids: Iterable[int], actor: AbstractBaseUser, reason: str) -> int:
    """Run these jobs at once, beside their times, the paused ones too; how many. Raises ReasonRequired."""
    reason = _required(reason)
    with transaction.atomic(durable=True):
        jobs = list(_locked(job_ids))
        for job in jobs:
            audit_record(
                actor=actor,
                action="job.run",
                subject_kind="job",
                subject_id=job.pk,
                reason=reason,
                before={"last_run_at": job.last_run_at},
                after={"name": job.name, "task": job.task},
            )
            enqueue_on_commit(job.task, queue=job.queue or "default")
    return len(jobs)


def _locked(job_ids: Iterable[int]) -> QuerySet[PeriodicTask]:
    rows: QuerySet[PeriodicTask] = (
        PeriodicTask.objects.select_for_update(no_key=True).filter(pk__in=list(job_ids)).order_by("pk")
    )
    return rows


def _required(reason: str) -> str:
    if not reason.strip():
        raise ReasonRequired
    return reason.strip()
