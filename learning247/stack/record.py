"""What others know of the running stack: its ports, and whom to end when it was killed."""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from learning247.embedded.local import PORT_VARIABLES, stack_file

END_SECONDS = 5


def write(var: Path, pids: list[int]) -> None:
    ports = {name: os.environ[name] for name in PORT_VARIABLES}
    started = {str(pid): psutil.Process(pid).create_time() for pid in pids if psutil.pid_exists(pid)}
    staged = stack_file(var).with_suffix(".new")
    staged.write_text(json.dumps({"ports": ports, "processes": started}))
    staged.replace(stack_file(var))


def remove(var: Path) -> None:
    stack_file(var).unlink(missing_ok=True)


def end_survivors(var: Path) -> None:
    """End what a killed stack left running: it would hold the ports. Call it holding the stack's lock."""
    with suppress(FileNotFoundError):
        record = json.loads(stack_file(var).read_text())
        survivors = [int(pid) for pid, started in record["processes"].items() if _is(int(pid), started)]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in survivors:
                with suppress(ProcessLookupError):
                    os.killpg(pid, number)
            left = [psutil.Process(pid) for pid in survivors if psutil.pid_exists(pid)]
            psutil.wait_procs(left, END_SECONDS)
    remove(var)


def _is(pid: int, started: float) -> bool:
    try:
        return bool(psutil.Process(pid).create_time() == started)
    except psutil.NoSuchProcess:
        return False
