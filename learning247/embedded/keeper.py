"""The process that owns one embedded server: starts it, and stops it when its last user is gone.

A process of its own, because whoever starts the server may be killed, and others may still be using it then.
`python -m learning247.embedded.keeper postgres|redis VAR`; `leases.Lease` starts it.
"""

import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Protocol

from learning247.embedded.leases import Room
from learning247.embedded.locks import CannotRun, locked, try_lock
from learning247.embedded.postgres import PostgresServer
from learning247.embedded.redis import RedisServer

POLL_SECONDS = 0.1


class Server(Protocol):
    """What a keeper asks of a server."""

    notes: list[str]

    def start(self) -> str:
        """Start it, or take over one that an earlier keeper left running; return its URL."""

    def is_alive(self) -> bool: ...

    def stop(self) -> None: ...


def main(kind: str, var: Path) -> int:
    """Keep the server for as long as it is used. 0: done, or somebody else keeps it; 1: it could not run."""
    room = Room(kind, var)
    if try_lock(room.keeper) is None:  # held until this process is gone, for the last user waits for that
        return 0
    signal.signal(signal.SIGTERM, _stop_now)
    try:
        return _run(_server(kind, var), room)
    except CannotRun as refusal:
        room.publish(error=str(refusal))
        sys.stderr.write(f"{refusal}\n")
        return 1


def _server(kind: str, var: Path) -> Server:
    return PostgresServer(var) if kind == "postgres" else RedisServer(var)


def _run(server: Server, room: Room) -> int:
    try:
        room.publish(url=server.start(), notes=server.notes)
        return _keep(server, room)
    finally:
        server.stop()


def _keep(server: Server, room: Room) -> int:
    while server.is_alive():
        with locked(room.gate):
            if not room.has_users():
                room.forget_state()
                return 0
        time.sleep(POLL_SECONDS)
    room.forget_state()
    sys.stderr.write(f"The embedded {room.kind} ended by itself.\n")
    return 1


def _stop_now(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
