"""A warm process, and how to have its children killed: see `learning247.drill.dying`."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

Kill = Callable[[str, str, str], int]


@contextmanager
def warm_process(environment: Mapping[str, str], *arguments: str) -> Iterator[Kill]:
    """`kill(what, step, subject)` lets a child of a warm process do it until it dies there; the signal's number."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "learning247.drill.dying", *arguments],
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    orders, answers = process.stdin, process.stdout

    def kill(what: str, step: str, subject: str) -> int:
        orders.write(json.dumps({"what": what, "step": step, "subject": subject}) + "\n")
        orders.flush()
        number, _, problem = answers.readline().strip().partition(" ")
        if not number or problem:
            sys.stderr.write(f"{problem or 'The warm process has ended.'}\n")
        return int(number or 0)

    try:
        yield kill
    finally:
        orders.close()
        process.wait(timeout=30)
        answers.close()
