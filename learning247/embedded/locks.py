"""File locks between processes. The kernel drops them with their holder: who is killed leaves no claim."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CannotRun(SystemExit):
    """What stands in the way and what to do about it, in one line: no traceback, exit code 1."""


def try_lock(path: Path) -> int | None:
    """Take the lock and return its descriptor, or None when somebody else holds it."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock."""
    descriptor = try_lock(path)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock for a moment; wait for whoever holds it now."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except PermissionError:
        raise CannotRun(f"{path} belongs to another user: run as that user, or remove `var` and start again.") from None


def only_one(path: Path, refusal: str) -> None:
    """Hold the lock until this process ends, or say that another one does; `{pid}` in the text is its id."""
    descriptor = try_lock(path)
    if descriptor is None:
        raise CannotRun(refusal.format(pid=path.read_text().strip()))
    os.ftruncate(descriptor, 0)
    os.write(descriptor, str(os.getpid()).encode())
    _held.append(descriptor)


_held: list[int] = []
