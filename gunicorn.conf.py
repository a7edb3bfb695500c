"""The web process: a few threads per worker, which take turns while one waits for the database or a gateway."""

import gc
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

wsgi_app = "learning247.wsgi"
bind = f"{os.environ.get('WEB_HOST', '0.0.0.0')}:{os.environ.get('PORT', '8080')}"  # noqa: S104
worker_class = "learning247.web_worker.WebWorker"  # gthread, with JSON for what gunicorn itself refuses
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# Each keeps one database connection. Enough that a gateway that hangs does not stop the site; more would only fight for
# the interpreter (docs/performance.md). More workers is what makes use of more cores.
threads = int(os.environ.get("WEB_THREADS", "16"))

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

# Every worker counts in files of its own here, and whichever is asked for /metrics adds them up (kit/metrics.py). Made
# before the workers are forked; where it is named from outside, what an earlier run left there is taken away.
_metrics_are_ours = "PROMETHEUS_MULTIPROC_DIR" not in os.environ
if _metrics_are_ours:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="learning247-metrics-", dir=worker_tmp_dir)


def on_starting(server: Any) -> None:
    directory = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    directory.mkdir(parents=True, exist_ok=True)
    for left in directory.glob("*.db"):
        left.unlink()


def on_exit(server: Any) -> None:
    if _metrics_are_ours:
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


def post_worker_init(worker: Any) -> None:
    """Load the routes, and with them every view, before the first request: it would wait a tenth of a second for it.

    What is there then stays: the garbage collector need not walk through it again and again, for 50 ms each time.
    """
    from django.urls import get_resolver  # noqa: PLC0415 - Django is set up only now

    get_resolver().url_patterns  # noqa: B018 - a cached property
    gc.collect()
    gc.freeze()
