"""Celery's doors to the services."""

from celery import shared_task

from learning247.records.services.heartbeat import heartbeat_write
from learning247.records.services.idempotency import idempotency_purge
from learning247.records.services.inbox import event_handle, inbox_sweep
from learning247.records.services.mail import mail_send, mail_sweep


@shared_task(name="records.handle_event")
def handle_event(event_id: str, attempt: str | None = None) -> None:
    event_handle(event_id, attempt=None if attempt is None else int(attempt))


@shared_task(name="records.sweep_inbox")
def sweep_inbox() -> None:
    inbox_sweep()


@shared_task(name="records.send_mail")
def send_mail(mail_id: str, attempt: str | None = None) -> None:
    mail_send(mail_id, attempt=None if attempt is None else int(attempt))


@shared_task(name="records.sweep_mail")
def sweep_mail() -> None:
    mail_sweep()


@shared_task(name="records.worker_heartbeat")
def worker_heartbeat() -> None:
    heartbeat_write()


@shared_task(name="records.purge_idempotency_keys")
def purge_idempotency_keys() -> None:
    idempotency_purge()
