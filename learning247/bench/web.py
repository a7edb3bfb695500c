"""A web process as production runs it, on its own core and its own database, with the yardsticks routed in it."""

import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection

import psutil
from django.conf import settings

from learning247.bench.cores import Cores, confined
from learning247.bench.stack import database_url

START_SECONDS = 60
GUNICORN = "gunicorn --log-level warning"


@dataclass(frozen=True, slots=True)
class Web:
    """A server that listens on `port` of this machine."""

    port: int
    process: psutil.Process

    def resident(self) -> list[float]:
        """MB of every worker, the supervising process last."""
        processes = [*self.process.children(recursive=True), self.process]
        return [process.memory_info().rss / 2**20 for process in processes]


@contextmanager
def web(*, cores: Cores, command: str = GUNICORN, environment: dict[str, str] | None = None) -> Iterator[Web]:
    """`command` is a module of this Python and its arguments; `{port}` in it is filled in, and PORT is set."""
    port = _free_port()
    variables = os.environ | {
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "DJANGO_SETTINGS_MODULE": "learning247.bench.settings",
        "WEB_CONCURRENCY": "1",
        "WEB_HOST": "127.0.0.1",
        "PORT": str(port),
        "LOG_LEVEL": "WARNING",
        "PYTHONWARNINGS": "ignore",
        **(environment or {}),
    }
    words: Sequence[str] = shlex.split(command.format(port=port))
    with confined(cores.web):
        process = subprocess.Popen([sys.executable, "-m", *words], env=variables)  # noqa: S603 - our own command
    try:
        _wait(process, port)
        yield Web(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _is_up(port):
            return
        time.sleep(0.05)
    raise SystemExit("The web process did not come up.")


def _is_up(port: int) -> bool:
    try:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
