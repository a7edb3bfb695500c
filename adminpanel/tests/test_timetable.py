"""The timetable in the console: jobs are paused, resumed and run at once, each with a reason that goes on record."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from accounts.models import User
from accounts.tests.builders import build_admin, build_user
from learning247.records.models import AuditEntry
from learning247.records.services import timetable

pytestmark = pytest.mark.django_db
LIST = reverse("admin:django_celery_beat_periodictask_changelist")


@pytest.fixture
def job() -> PeriodicTask:
    every = IntervalSchedule.objects.create(every=30, period="seconds")
    return PeriodicTask.objects.create(name="sweep mail", task="records.sweep_mail", interval=every, queue="mail")


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    sent: list[Any] = []
    monkeypatch.setattr(timetable, "enqueue_on_commit", lambda name, queue: sent.append((name, queue)))
    return sent


def act(user: User, action: str, job: PeriodicTask, reason: str = "The mail server is down") -> str:
    client = Client()
    client.force_login(user)
    form = {"action": action, "_selected_action": [str(job.pk)], "reason": reason, "index": "0"}
    return client.post(LIST, form, follow=True).content.decode()


def recorded() -> list[Any]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "actor", "subject_id", "reason", "after"))


def test_a_paused_job_stays_so_until_it_is_resumed_and_beat_is_told_each_time(job: PeriodicTask) -> None:
    boss, why = build_admin(), "The mail server is down"

    assert "Paused: 1." in act(boss, "pause", job)
    paused_at = PeriodicTasks.last_change()
    assert "Paused: 0." in act(boss, "pause", job)
    assert PeriodicTask.objects.filter(enabled=False).exists()
    assert "Resumed: 1." in act(boss, "resume", job)

    job.refresh_from_db()
    assert job.enabled is True
    assert paused_at is not None and PeriodicTasks.last_change() > paused_at
    assert recorded() == [
        ("job.paused", boss.pk, str(job.pk), why, {"name": "sweep mail", "enabled": False}),
        ("job.resumed", boss.pk, str(job.pk), why, {"name": "sweep mail", "enabled": True}),
    ]


def test_a_job_runs_at_once_in_its_own_queue(job: PeriodicTask, enqueued: list[Any]) -> None:
    boss = build_admin()

    assert "Will run at once: 1." in act(boss, "run", job)

    assert enqueued == [("records.sweep_mail", "mail")]
    assert [entry[:2] for entry in recorded()] == [("job.run", boss.pk)]


@pytest.mark.parametrize("action", ["pause", "resume", "run"])
@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_without_a_reason_nothing_is_done(job: PeriodicTask, enqueued: list[Any], action: str, reason: str) -> None:
    act(build_admin(), action, job, reason)

    job.refresh_from_db()
    assert (job.enabled, enqueued, recorded()) == (True, [], [])


def test_whoever_may_only_look_does_nothing(job: PeriodicTask, enqueued: list[Any]) -> None:
    clerk = build_user(is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_periodictask"))

    for action in ("pause", "run"):
        act(clerk, action, job)

    job.refresh_from_db()
    assert (job.enabled, enqueued, recorded()) == (True, [], [])


def test_nobody_writes_a_timetable_by_hand(job: PeriodicTask) -> None:
    client = Client()
    client.force_login(build_admin())
    page = reverse("admin:django_celery_beat_periodictask_change", args=[job.pk])

    assert client.get(page).status_code == 200
    assert client.post(page, {"name": "mine", "task": "records.sweep_inbox"}).status_code == 403
    assert client.get(reverse("admin:django_celery_beat_periodictask_add")).status_code == 403
    assert PeriodicTask.objects.get().name == "sweep mail"
