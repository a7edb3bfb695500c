"""The tests again on every change. By looking once a second: no limit of the system on watched folders can be hit."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

SECONDS = 1.0
LEFT_OUT = {"var", "__pycache__", "node_modules"}  # and whatever starts with a dot, .venv above all


def watch(folder: Path, run_tests: Callable[[], object], seconds: float = SECONDS) -> NoReturn:
    """Run the tests now, and again whenever a Python file in the folder was changed, added or removed."""
    while True:
        before = times(folder)  # from before the run: what changes meanwhile counts too
        run_tests()
        sys.stdout.write("\nWaiting for a change ... (Ctrl-C ends it)\n")
        sys.stdout.flush()
        while times(folder) == before:
            time.sleep(seconds)


def times(folder: Path) -> dict[str, int]:
    """Every Python file and when it was last written, in nanoseconds."""
    found: dict[str, int] = {}
    for path in _files(folder):
        with suppress(FileNotFoundError):  # removed this moment, or a dangling link
            found[path] = os.stat(path).st_mtime_ns  # noqa: PTH116 - a thousand times a second
    return found


def _files(folder: Path) -> Iterator[str]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in LEFT_OUT and not name.startswith(".")]
        yield from (os.path.join(root, name) for name in names if name.endswith(".py"))  # noqa: PTH118
