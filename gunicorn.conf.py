"""The web process: threads, because requests wait for the database and for gateways rather than compute."""

import os
from pathlib import Path
from typing import Any

wsgi_app = "learning247.wsgi"
bind = f"{os.environ.get('WEB_HOST', '0.0.0.0')}:{os.environ.get('PORT', '8080')}"  # noqa: S104
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "32"))  # each keeps one database connection

timeout = 60  # seconds without a sign of life before a worker is replaced
graceful_timeout = 10
keepalive = 5
backlog = 2048

# Requests are logged by the application, with their request id and without secrets.
accesslog = None
errorlog = "-"

# A worker's sign of life is a file; on a slow disk it would look dead.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    """Load the routes, and with them every view, before the first request: it would wait a tenth of a second for it."""
    from django.urls import get_resolver  # noqa: PLC0415 - Django is set up only now

    get_resolver().url_patterns  # noqa: B018 - a cached property
