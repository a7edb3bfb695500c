"""The ports that the stack listens on: free before anything is started, or one line that says what to do."""

import os
import socket

from learning247.embedded import CannotRun

HIGHEST = 65_535


def check(name: str) -> None:
    """Refuse a port that is none, or that somebody else listens on."""
    text = os.environ[name]
    if not text.isdecimal() or not 0 < int(text) <= HIGHEST:
        raise CannotRun(f"{name}={text} is not a port: use a number from 1 to {HIGHEST}.")
    port = int(text)
    if not is_free(port):
        other = next((number for number in range(port + 1, HIGHEST) if is_free(number)), None)
        raise CannotRun(f"Port {port} ({name}) is taken: stop what uses it, or choose another: make run {name}={other}")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
