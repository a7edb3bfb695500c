"""Who uses an embedded server. Every user holds a locked file; the keeper stops the server when none is left.

A user is counted by its lock and never by a number in a file: whoever is killed stops counting at once.
"""

import atexit
import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learning247.embedded.locks import CannotRun, is_locked, locked, try_lock

START_SECONDS = 120  # crash recovery of a large database takes a while; a fresh start takes two seconds
STOP_SECONDS = 40
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Room:
    """The files by which the users of one server (`postgres`, `redis`) and its keeper find each other."""

    kind: str
    var: Path

    @property
    def _path(self) -> Path:
        return self.var / "run" / self.kind

    @property
    def gate(self) -> Path:
        """Held while somebody joins, and while the keeper decides that nobody is left."""
        return self._path / "gate.lock"

    @property
    def keeper(self) -> Path:
        """Held by the keeper as long as it lives."""
        return self._path / "keeper.lock"

    @property
    def users(self) -> Path:
        return self._path / "users"

    @property
    def log(self) -> Path:
        return self.var / "log" / f"{self.kind}-keeper.log"

    @property
    def _state(self) -> Path:
        return self._path / "state.json"

    def publish(self, **state: Any) -> None:
        """Say where the server is (`url`) or why it cannot run (`error`), with `notes` of what was mended."""
        staged = self._state.with_suffix(".new")
        staged.unlink(missing_ok=True)
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(state, file)
        staged.replace(self._state)

    def state(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._state.read_text()))
        except FileNotFoundError:
            return {}

    def forget_state(self) -> None:
        self._state.unlink(missing_ok=True)

    def has_users(self) -> bool:
        """Whether a living process holds a lease. Removes the files of the dead; call it at the gate."""
        living = False
        for path in self.users.glob("*.lock"):
            if is_locked(path):
                living = True
            else:
                path.unlink(missing_ok=True)
        return living


class Lease:
    """This process's use of one server: from construction, which starts or joins it, to `leave()` or exit."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._owner = os.getpid()
        self._path = room.users / f"{self._owner}-{secrets.token_hex(4)}.lock"
        self._keeper: subprocess.Popen[bytes] | None = None
        with locked(room.gate):
            self._descriptor: int | None = try_lock(self._path)
            self._start_keeper_unless_running()
        atexit.register(self.leave)

    def url(self) -> str:
        """The server's URL, as soon as it answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with locked(self.room.gate):
                state = self.room.state()
                if is_locked(self.room.keeper):
                    if "url" in state:
                        self._tell(state)
                        return str(state["url"])
                else:
                    self._raise_if_failed(state)
                    self._start_keeper_unless_running()
            time.sleep(POLL_SECONDS)
        raise CannotRun(f"{self.room.kind} did not start within {START_SECONDS} s: see {self.room.log}")

    def leave(self) -> None:
        """Give the lease back. The last one out waits until the server has stopped: nothing is left."""
        if self._descriptor is None or os.getpid() != self._owner:
            return
        try:
            with locked(self.room.gate):
                self._path.unlink(missing_ok=True)
                os.close(self._descriptor)
                self._descriptor = None
            self._wait_for_keeper_when_last()
        except KeyboardInterrupt:
            return  # the keeper stops the server without us
        finally:
            atexit.unregister(self.leave)

    def _start_keeper_unless_running(self) -> None:
        if self._keeper is not None and self._keeper.poll() is None:
            return
        if is_locked(self.room.keeper):
            return
        self.room.forget_state()
        self.room.log.parent.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        with self.room.log.open("ab") as log:
            self._keeper = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "learning247.embedded.keeper", self.room.kind, str(self.room.var)],
                cwd=Path(__file__).resolve().parent.parent.parent,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C at the terminal is for the user, not for the server
            )

    def _raise_if_failed(self, state: dict[str, Any]) -> None:
        if self._keeper is None or self._keeper.poll() in (None, 0):
            return  # still coming up, or another keeper was first
        raise CannotRun(state.get("error") or f"{self.room.kind} did not start: see {self.room.log}")

    def _tell(self, state: dict[str, Any]) -> None:
        if self._keeper is not None:  # whoever joins later need not hear it again
            for note in state.get("notes", []):
                sys.stderr.write(f"{note}\n")

    def _wait_for_keeper_when_last(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and is_locked(self.room.keeper):
            with locked(self.room.gate):
                if self.room.has_users():
                    return
            time.sleep(POLL_SECONDS)
        if self._keeper is not None:
            self._keeper.poll()  # no zombie of it
