"""The processes of a Procfile: started together, their output merged, stopped to the last one."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, TextIO

from honcho.colour import get_colours
from honcho.environ import parse_procfile
from honcho.printer import Message, Printer

from learning247.stack.interrupts import Interrupted, Interrupts

ROOT = Path(__file__).resolve().parent.parent.parent
GRACE_SECONDS = 12


class Processes:
    """What `honcho start` does, save that a Ctrl-C is safe at any moment and leaves no grandchild behind."""

    def __init__(self, procfile: Path, output: TextIO, interrupts: Interrupts) -> None:
        self._commands: Mapping[str, str] = parse_procfile(procfile.read_text()).processes
        self._printer = Printer(output, width=max(map(len, self._commands)))
        self._printing = threading.Lock()
        self._interrupts = interrupts
        self._readers: list[threading.Thread] = []
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        for (name, command), colour in zip(self._commands.items(), get_colours(), strict=False):
            with self._interrupts.held():
                self.running[name] = process = subprocess.Popen(  # noqa: S603
                    ["/bin/sh", "-c", f"exec {command}"],
                    cwd=ROOT,
                    env=environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            assert process.stdout is not None
            reader = threading.Thread(target=self._print, args=(name, colour, process.stdout), daemon=True)
            reader.start()
            self._readers.append(reader)

    def ended(self) -> str | None:
        """The first process found to have ended by itself, and how."""
        for name, process in self.running.items():
            if process.poll() is not None:
                return f"{name} ended with {_exit(process.returncode)}"
        return None

    def stop(self) -> None:
        """Ask each one, give them time, then end whatever is left in their groups."""
        for process in self.running.values():
            process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for process in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        for process in self.running.values():
            kill_group(process)
        for reader in self._readers:
            reader.join(1)

    def _print(self, name: str, colour: str, lines: IO[bytes]) -> None:
        for line in lines:
            now = datetime.now().astimezone()
            message = Message(type="line", data=line, time=now, name=name, colour=colour)
            with self._printing, suppress(OSError):  # no terminal any more: read on, or the process would block
                self._printer.write(message)


def environment() -> dict[str, str]:
    """Ours, with the programs of this venv first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}


def run(
    command: Sequence[str], interrupts: Interrupts, *, capture: bool = False, folder: Path = ROOT
) -> tuple[int, str]:
    """Run one command to its end, or end it when we are interrupted; return exit code and captured output."""
    process = None
    try:
        with interrupts.held():
            process = subprocess.Popen(  # noqa: S603
                command,
                cwd=folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if capture else None,
                start_new_session=True,  # the terminal's Ctrl-C is ours, and ours alone
            )
        output, _ = process.communicate()
    except Interrupted:
        if process is not None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
            kill_group(process)
        raise
    return process.returncode, (output or b"").decode()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _exit(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
