"""Load over plain sockets that stay open: the next request follows the answer at once, on every connection.

One process with one selector. An answer costs it a twentieth of what it costs the server (`ceiling`), so that the
server is what is measured.
"""

import multiprocessing
import re
import selectors
import socket
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import repeat

from learning247.bench.cores import pin

WARM_UP = 0.15  # seconds at the start of every slice that do not count
PATIENCE = 30.0  # seconds without any answer
_CHUNK = 262_144
_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)", re.IGNORECASE)
_BODILESS = (b"204", b"304")


class Unexpected(Exception):
    """An answer that the measurement did not ask for: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What one endpoint did for about a second: answers, seconds, each answer's seconds, the last answer's bytes."""

    answers: int
    seconds: float
    latencies: list[float]
    size: int

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    received: bytes = b""
    awaited: int = 0  # bytes of the whole answer, once its head is there
    sent_at: float = 0.0
    open: bool = field(default=False)  # a request is under way


def request_bytes(path: str, *, port: int, headers: dict[str, str]) -> bytes:
    """A GET as it goes over the wire."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Accept: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def drive(requests: Iterable[bytes], *, port: int, connections: int, seconds: float, status: int = 200) -> Slice:
    """Send `requests`, which must not run out, over that many connections for that long.

    Raises Unexpected for any other status, a closed connection, or an answer without a length.
    """
    ahead = iter(requests)
    with selectors.DefaultSelector() as selector:
        opened = [_Connection(socket.create_connection(("127.0.0.1", port))) for _ in range(connections)]
        try:
            for connection in opened:
                connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.socket.setblocking(False)
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            return _drive(selector, opened, ahead, seconds, str(status).encode())
        finally:
            for connection in opened:
                connection.socket.close()


def _drive(
    selector: selectors.BaseSelector, opened: list[_Connection], ahead: Iterator[bytes], seconds: float, status: bytes
) -> Slice:
    clock = time.perf_counter
    latencies: list[float] = []
    size = 0
    start = clock() + WARM_UP
    end = start + seconds
    for connection in opened:
        _send(connection, next(ahead))
    under_way = len(opened)
    while under_way:
        ready = selector.select(PATIENCE)
        if not ready:
            raise Unexpected(f"no answer for {PATIENCE:.0f} s")
        for key, _ in ready:
            connection = key.data
            if not _receive(connection, status):
                continue
            at = clock()
            size = connection.awaited
            if start <= at < end:
                latencies.append(at - connection.sent_at)
            if at < end:
                _send(connection, next(ahead))
            else:
                connection.open = False
                under_way -= 1
    return Slice(len(latencies), seconds, latencies, size)


def _send(connection: _Connection, request: bytes) -> None:
    connection.received, connection.awaited, connection.open = b"", 0, True
    connection.sent_at = time.perf_counter()
    connection.socket.sendall(request)


def _receive(connection: _Connection, status: bytes) -> bool:
    """Whether the answer is there as a whole."""
    chunk = connection.socket.recv(_CHUNK)
    if not chunk:
        raise Unexpected(f"the server closed the connection after {connection.received[:200]!r}")
    connection.received += chunk
    if not connection.awaited:
        head = connection.received.find(b"\r\n\r\n")
        if head < 0:
            return False
        if connection.received[9:12] != status:
            raise Unexpected(f"{status.decode()} was expected: {connection.received[:1000].decode(errors='replace')}")
        length = _LENGTH.search(connection.received, 0, head)
        if length is None and status not in _BODILESS:
            raise Unexpected("the answer has no Content-Length")
        connection.awaited = head + 4 + (int(length[1]) if length and status not in _BODILESS else 0)
    return len(connection.received) >= connection.awaited


def ceiling(*, cores: frozenset[int], connections: int, seconds: float = 0.5) -> float:
    """Requests per second of this generator against a server that does nothing, which runs on `cores`."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    server = context.Process(target=_answer_at_once, args=(theirs, cores), daemon=True)
    server.start()
    try:
        port = ours.recv()
        return drive(
            repeat(request_bytes("/", port=port, headers={})), port=port, connections=connections, seconds=seconds
        ).rate
    finally:
        server.terminate()
        server.join()


def _answer_at_once(pipe: "multiprocessing.connection.Connection", cores: frozenset[int]) -> None:
    pin(0, cores)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    pipe.send(listening.getsockname()[1])
    with selectors.DefaultSelector() as selector:
        selector.register(listening, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listening:
                    selector.register(listening.accept()[0], selectors.EVENT_READ, answer)
                    continue
                assert isinstance(key.fileobj, socket.socket)
                if key.fileobj.recv(4096):
                    key.fileobj.sendall(answer)
                else:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
