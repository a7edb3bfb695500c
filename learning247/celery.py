"""The Celery app. Tasks live in each app's `tasks.py`; `kit.jobs` enqueues them by name after commit."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

from learning247.settings.env import settings_module

os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings_module())

app = Celery("learning247")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Listening is enough: Celery then leaves the logging that Django's settings configured."""
