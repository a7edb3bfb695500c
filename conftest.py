"""Fixtures for the whole suite: databases that are really committed to, a real HTTP server, the sandbox gateways.

`db` (pytest-django's) is enough for most tests: a transaction that is rolled back. Where commits, threads, processes
or deferred constraints matter, `committed_db` gives a database of the test's own, cloned from the migrated one and
dropped afterwards; never a flush, whose TRUNCATE the ledger refuses.
"""

import os
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer
from django.db import connection, connections
from django.test.testcases import LiveServerThread, _StaticFilesHandler
from django.test.utils import setup_databases, teardown_databases
from kombu.simple import SimpleQueue

from learning247.kit.api.answers import forget_in_process
from learning247.kit.ids import new_id
from learning247.kit.jobs import QUEUES
from learning247.kit.redis_pause import redis_resume


@pytest.fixture(autouse=True)
def empty_redis() -> None:
    """Every test starts with no cached answer, no queued job and no counter."""
    forget_in_process()
    redis_resume()
    redis.Redis.from_url(settings.REDIS_URL).flushdb()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """The migrated database of this run. Made here and not by pytest-django, which would make it only for tests with
    its own mark; `committed_db` clones it too."""
    with django_db_blocker.unblock():
        databases = setup_databases(verbosity=0, interactive=False, aliases={"default": set()})
    yield
    with django_db_blocker.unblock():
        teardown_databases(databases, verbosity=0)


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A migrated, empty database of this test alone, in which commits are real. Yields its name."""
    with django_db_blocker.unblock():
        template = connection.settings_dict["NAME"]
        clone = f"{template}_{new_id().hex[-12:]}"
        connection.close()
        _run_on_server(f'CREATE DATABASE "{clone}" TEMPLATE "{template}"')
        _use_database(clone)
        try:
            yield clone
        finally:
            connections.close_all()
            _use_database(template)
            _run_on_server(f'DROP DATABASE "{clone}" WITH (FORCE)')


def _use_database(name: str) -> None:
    settings.DATABASES["default"]["NAME"] = name
    for wrapper in connections.all(initialized_only=True):
        wrapper.settings_dict["NAME"] = name


def _run_on_server(sql: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def run_jobs() -> Callable[[], list[str]]:
    """Runs what was enqueued, in this process, until the queues are empty; returns the names of the tasks run."""

    current_app.loader.import_default_modules()  # a worker would; it finds each app's tasks

    def run() -> list[str]:
        names: list[str] = []
        with current_app.connection_for_write() as broker:
            while True:
                ran = [name for queue in QUEUES if (name := _run_next(broker.SimpleQueue(queue)))]
                if not ran:
                    return names
                names.extend(ran)

    return run


def _run_next(queue: SimpleQueue) -> str | None:
    try:
        message = queue.get_nowait()
    except queue.Empty:
        return None
    finally:
        queue.close()
    message.ack()
    args, kwargs, _ = message.payload
    name: str = message.headers["task"]
    current_app.tasks[name](*args, **kwargs)
    return name


class _ApiServer(ThreadedWSGIServer):
    request_queue_size = 1_024  # Django's 10 drops connections when a hundred clients come at once

    def get_request(self) -> tuple[socket.socket, Any]:
        connected, address = super().get_request()
        # Or every answer on a kept-alive connection waits 40 ms for an acknowledgement.
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected, address

    def serve_forever(self, poll_interval: float = 0.02) -> None:
        super().serve_forever(poll_interval)


class _ApiServerThread(LiveServerThread):
    server_class = _ApiServer


@pytest.fixture
def api_server(committed_db: str) -> Iterator[str]:
    """The application behind a real HTTP server with a thread per request. Yields its base URL."""
    server = _ApiServerThread("127.0.0.1", _StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    if server.error:
        raise server.error
    yield f"http://127.0.0.1:{server.port}"
    server.terminate()


@pytest.fixture
def gateways(api_server: str, settings: Any) -> Iterator[SimpleNamespace]:
    """The sandbox beside the API: `.sandbox`, its `.control` client, and the API's `.url`. Webhooks come in by HTTP."""
    from learning247.sandbox.server import Sandbox  # noqa: PLC0415 - only these tests need the servers

    with Sandbox(
        paystack_secret_key=settings.PAYSTACK_SECRET_KEY,
        stripe_secret_key=settings.STRIPE_SECRET_KEY,
        stripe_webhook_secrets=tuple(settings.STRIPE_WEBHOOK_SECRETS),
        paystack_webhook_url=f"{api_server}/api/webhooks/paystack",
        stripe_webhook_url=f"{api_server}/api/webhooks/stripe",
        google_client_id=settings.GOOGLE_CLIENT_ID,
        google_client_secret=settings.GOOGLE_CLIENT_SECRET,
        google_redirect_uris=(f"{api_server}/auth/google/callback",),
    ) as sandbox:
        settings.PAYSTACK_BASE_URL = sandbox.paystack_url
        settings.STRIPE_API_BASE = sandbox.stripe_url
        settings.GOOGLE_CALLBACK_URL = f"{api_server}/auth/google/callback"
        settings.GOOGLE_AUTHORIZE_URL = f"{sandbox.google_url}/o/oauth2/v2/auth"
        settings.GOOGLE_TOKEN_URL = f"{sandbox.google_url}/token"
        settings.GOOGLE_ISSUER = sandbox.google_url
        yield SimpleNamespace(sandbox=sandbox, control=sandbox.control, url=api_server)


@pytest.fixture
def worker_environment(committed_db: str, settings: Any) -> Callable[[], dict[str, str]]:
    """What another process of the platform needs to work on this test's database, Redis and gateways."""

    def build() -> dict[str, str]:
        database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{committed_db}")
        return os.environ | {
            "DJANGO_ENV": "test",
            "DJANGO_SETTINGS_MODULE": "learning247.settings.test",
            "DATABASE_URL": database.geturl(),
            "PAYSTACK_BASE_URL": settings.PAYSTACK_BASE_URL,
            "STRIPE_API_BASE": settings.STRIPE_API_BASE,
        }

    return build
