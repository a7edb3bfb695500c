"""The ports that the stack listens on: free before anything is started, or one line that says what to do."""

import os
import socket

from learning247.embedded import CannotRun
from learning247.embedded.local import PORT_VARIABLES

HIGHEST = 65_535


def check() -> None:
    """Refuse ports that are none, that somebody else listens on, or that are one and the same."""
    for name in PORT_VARIABLES:
        _check(name)
    if len({int(os.environ[name]) for name in PORT_VARIABLES}) < len(PORT_VARIABLES):
        raise CannotRun(f"{' and '.join(PORT_VARIABLES)} are the same: give each its own.")


def _check(name: str) -> None:
    text = os.environ[name]
    if not text.isdecimal() or not 0 < int(text) <= HIGHEST:
        raise CannotRun(f"{name}={text} is not a port: use a number from 1 to {HIGHEST}.")
    port = int(text)
    if not is_free(port):
        other = next((number for number in range(port + 1, HIGHEST) if is_free(number)), None)
        raise CannotRun(f"Port {port} is taken: stop what uses it, or take another: make run {name}={other}")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
