"""A warm process whose children are killed (`kill -9`, by themselves) at a named step of what they do.

`python -m learning247.drill.dying [--videos]` reads one JSON a line from its standard input, `{"what", "step",
"subject"}`, forks a child that does it until it dies, and answers each with a line: the number of the signal that ended
the child, or 0 and what went wrong. With `--videos` they are for sale and granting one does nothing, as in the tests of
payments.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

import django


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_before(place: Any, name: str) -> None:
    setattr(place, name, lambda *args, **kwargs: die())


def die_after(place: Any, name: str) -> None:
    work = getattr(place, name)

    def work_and_die(*args: Any, **kwargs: Any) -> None:
        work(*args, **kwargs)
        die()

    setattr(place, name, work_and_die)


SETTLE_STEPS = (
    "claimed",
    "asking the gateway",
    "fetched",
    "locked",
    "entitled",
    "posted",
    "granted",
    "mails queued",
    "saved",
    "committed",
    "handled",
    "stamped",
)
REFUND_STEPS = ("booked", "claimed", "taken", "sent", "answered", "recorded")


def main(arguments: list[str]) -> None:
    django.setup()
    from learning247.drill import deaths  # noqa: PLC0415 - the apps stand only now

    if "--videos" in arguments:
        deaths.sell_videos()
    for line in sys.stdin:
        print(_ended(json.loads(line), deaths.WORK, deaths.steps()), flush=True)  # noqa: T201


def _ended(order: Mapping[str, str], work: Mapping[str, Callable[[str], Any]], steps: Mapping[Any, Any]) -> str:
    child = os.fork()
    if child == 0:
        try:
            how, place, name = steps[order["what"], order["step"]]
            how(place, name)
            work[order["what"]](order["subject"])
        except Exception as error:  # noqa: BLE001 - the edge of the child: its parent is told
            sys.stderr.write(f"{error!r}\n")
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return str(os.WTERMSIG(status)) if os.WIFSIGNALED(status) else f"0 {order['what']} went past {order['step']!r}"


if __name__ == "__main__":
    main(sys.argv[1:])
