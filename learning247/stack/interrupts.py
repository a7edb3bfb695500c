"""Ctrl-C and its relatives: the first one ends what is going on, further ones do not disturb the tidying."""

import atexit
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody wants us to stop."""


class Interrupts:
    """Turns the first signal into `Interrupted`, at once or at the end of a `held()` block."""

    def __init__(self) -> None:
        self._asked = False
        self._holding = False

    def install(self) -> None:
        for number in SIGNALS:
            signal.signal(number, self._ask)

    @contextmanager
    def held(self) -> Iterator[None]:
        """What must not be cut in two, such as starting a process and noting it down."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._asked:
            raise Interrupted

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        first, self._asked = not self._asked, True
        if first and not self._holding:
            raise Interrupted


def take_the_terminal() -> None:
    """Become the terminal's foreground group, until exit.

    Make dies of a Ctrl-C that reaches it, whatever its recipe does. Alone in front we can stop tidily and let
    make end well.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
        before = os.tcgetpgrp(terminal)
        if before != os.getpgrp() or os.getpid() == os.getpgrp():
            return
        os.setpgid(0, 0)
    except OSError:
        return  # no terminal: nothing to take
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # make would not notice a Ctrl-Z: a hung terminal
    os.tcsetpgrp(terminal, os.getpgrp())
    atexit.register(os.tcsetpgrp, terminal, before)
