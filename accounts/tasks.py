"""Celery's doors to the services."""

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore

from accounts.services.erasures import erasure_finish, erasure_sweep
from accounts.services.google_codes import google_code_purge
from accounts.services.one_time_codes import one_time_code_purge
from accounts.services.recovery import recovery_answer, recovery_sweep
from accounts.services.sign_in_challenges import challenge_purge


@shared_task(name="accounts.answer_recovery")
def answer_recovery(request_id: str) -> None:
    recovery_answer(request_id)


@shared_task(name="accounts.sweep_recovery")
def sweep_recovery() -> None:
    recovery_sweep()


@shared_task(name="accounts.purge_one_time_codes")
def purge_one_time_codes() -> None:
    one_time_code_purge()


@shared_task(name="accounts.purge_sign_in_challenges")
def purge_sign_in_challenges() -> None:
    challenge_purge()


@shared_task(name="accounts.purge_google_codes")
def purge_google_codes() -> None:
    google_code_purge()


@shared_task(name="accounts.purge_browser_sessions")
def purge_browser_sessions() -> None:
    """Those of Django: of the console, and on the way to Google."""
    SessionStore.clear_expired()


@shared_task(name="accounts.finish_erasure")
def finish_erasure(user_id: str) -> None:
    erasure_finish(user_id)


@shared_task(name="accounts.sweep_erasures")
def sweep_erasures() -> None:
    erasure_sweep()
