"""Server processes: is the number in a pid file really that server, and stopping it with patience."""

import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil


def find(pid: int, name: str, folder: Path) -> psutil.Process | None:
    """The living process with this id, if it is called `name` and works in `folder`.

    After a crash or a restart of the machine the id in a pid file may belong to anything.
    """
    try:
        process = psutil.Process(pid)
        return process if name in process.name() and Path(process.cwd()) == folder.resolve() else None
    except psutil.Error:
        return None


def any_in(folder: Path) -> bool:
    """Whether any process works in the folder."""
    return any(process.info["cwd"] == str(folder.resolve()) for process in psutil.process_iter(["cwd"]))


def lives(process: psutil.Process) -> bool:
    """Whether it still runs; one that ended and was not waited for does not."""
    if isinstance(process, psutil.Popen):
        return process.poll() is None
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def stop(process: psutil.Process, steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn, waiting that many seconds for the process to end."""
    for number, seconds in steps:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        deadline = time.monotonic() + seconds
        while lives(process):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return
