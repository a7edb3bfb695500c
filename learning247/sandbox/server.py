"""The sandbox as a server: in its own process, or in a background thread of a test."""

from __future__ import annotations

import socket
import threading
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, cast

import uvicorn
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from learning247.sandbox.application import Application
from learning247.sandbox.config import Config
from learning247.sandbox.control import ControlClient

START_SECONDS = 10.0
BACKLOG = 2048


class PortTakenError(OSError):
    """Somebody else listens on the port."""


def sever(scope: Scope) -> None:
    """Close the connection of a request without an answer."""
    transport = _transports.get((scope["client"], scope["server"]))
    if transport is not None:
        transport.abort()


_transports: MutableMapping[tuple[Any, ...], Any] = {}


class SeverableProtocol(H11Protocol):
    """Uvicorn's protocol that lets :func:`sever` find the connection of a request."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        _transports[(self.client, self.server)] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        _transports.pop((self.client, self.server), None)
        super().connection_lost(exc)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, so that the port is known (and known to be ours) before anything else starts."""
    # The protocol by name: asyncio sets TCP_NODELAY only on sockets that say they are TCP, and without it every answer
    # on a kept-alive connection waits 40 ms for an acknowledgement.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PortTakenError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


def build_server(config: Config) -> uvicorn.Server:
    """A server that answers on sockets given to it; it stops on SIGTERM and SIGINT when run in the main
    thread.
    """
    settings = uvicorn.Config(
        Application(config, sever),
        http=SeverableProtocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,
        server_header=False,
    )
    return uvicorn.Server(settings)


class Sandbox:
    """A sandbox in a background thread, on a free port unless one is given.

    ``with Sandbox(paystack_webhook_url=…) as sandbox:`` gives ``url``, ``paystack_url``, ``stripe_url``,
    ``google_url`` and ``control``. Keyword arguments are the fields of :class:`Config`.
    """

    def __init__(self, **settings: Any) -> None:
        self._wanted = Config(**({"port": 0} | settings))
        self.config = self._wanted
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._listener: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"http://{self.config.host}:{self.config.port}"

    @property
    def paystack_url(self) -> str:
        return f"{self.url}/paystack"

    @property
    def stripe_url(self) -> str:
        return f"{self.url}/stripe"

    @property
    def google_url(self) -> str:
        return f"{self.url}/google"

    @property
    def control(self) -> ControlClient:
        return ControlClient(self.url)

    def start(self) -> Sandbox:
        self._listener = listen(self._wanted.host, self._wanted.port)
        self.config = self._wanted.with_port(self._listener.getsockname()[1])
        self._server = build_server(self.config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, name="sandbox", daemon=True
        )
        self._thread.start()
        self.control.wait_until(lambda: cast(uvicorn.Server, self._server).started, seconds=START_SECONDS)
        return self

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(timeout=START_SECONDS)
        if self._listener is not None:
            self._listener.close()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
