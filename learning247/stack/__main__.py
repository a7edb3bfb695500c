"""`python -m learning247.stack run|demo|watch|stop`, which is what the Makefile calls."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO
from urllib.error import URLError
from urllib.request import urlopen

from learning247.embedded import VAR, CannotRun, ensure_running, local_environment, only_one
from learning247.embedded.locks import is_locked
from learning247.stack import addresses, ports, record, watching
from learning247.stack.interrupts import Interrupted, Interrupts, take_the_terminal
from learning247.stack.processes import ROOT, Processes, run

LOCK = VAR / "run" / "stack.lock"
READY_SECONDS = 180
STOP_SECONDS = 60
POLL_SECONDS = 0.2
MANAGE = [sys.executable, "manage.py"]

BANNER = """
  Learning247 is running.  Ctrl-C stops it.

    API        {web}
    API docs   {web}/api/docs
    Admin      {web}/admin
    Mailbox    {web}/dev/mailbox   (every mail that it sends)
    Sandbox    {sandbox}   (offline Paystack, Stripe and Google)

{sign_ins}

  Try next, in another terminal:
    make demo                            sales, a refund, a dispute, a review, withdrawals, told step by step
    make test                            the whole suite on real PostgreSQL and Redis
    .venv/bin/python manage.py prove     no money was made or lost
"""


def run_stack(interrupts: Interrupts, _arguments: list[str]) -> int:
    """Everything in the foreground until Ctrl-C, which is a good end."""
    try:
        with stack(interrupts, sys.stdout) as processes:
            print_banner(interrupts)
            while (ended := processes.ended()) is None:
                time.sleep(POLL_SECONDS)
            say(f"{ended}: stopping the others.")
            return 1
    except Interrupted:
        return 0


def demo(interrupts: Interrupts, arguments: list[str]) -> int:
    """The demo against the stack that runs from this checkout, or against one of its own."""
    command = [sys.executable, "-m", "learning247.demo", *arguments]
    with ExitStack() as context:
        if is_locked(LOCK):
            ensure_running()
            wait_until_ready(lambda: None if is_locked(LOCK) else "the running stack was stopped")
        else:
            log = context.enter_context((log_folder() / "stack.log").open("w"))
            say(f"Starting the stack (its output goes to {log.name}) ...")
            context.enter_context(stack(interrupts, log))
        return run(command, interrupts)[0]


def watch(interrupts: Interrupts, arguments: list[str]) -> int:
    """The tests again on every change, while the servers stay up in between."""
    ensure_running()
    try:
        watching.watch(ROOT, lambda: run([sys.executable, "-m", "pytest", *arguments], interrupts))
    except Interrupted:
        return 0


def stop(_interrupts: Interrupts, _arguments: list[str]) -> int:
    """Stop the stack that runs from this checkout, and wait until it and its servers are gone."""
    if is_locked(LOCK):
        os.kill(int(LOCK.read_text()), signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while in_use := [path for path in (LOCK, *VAR.glob("run/*/keeper.lock")) if is_locked(path)]:
        if time.monotonic() > deadline:
            raise CannotRun(f"Still in use after {STOP_SECONDS} s ({in_use[0]}): end what uses the servers.")
        time.sleep(POLL_SECONDS)
    return 0


COMMANDS: dict[str, Callable[[Interrupts, list[str]], int]] = {
    "run": run_stack,
    "demo": demo,
    "watch": watch,
    "stop": stop,
}


@contextmanager
def stack(interrupts: Interrupts, output: TextIO) -> Iterator[Processes]:
    """The whole stack, ready to be used within the block and gone after it."""
    if os.environ.get("DJANGO_ENV") == "production":
        raise CannotRun("The local stack makes up its own secrets: unset DJANGO_ENV, or see Procfile.")
    only_one(LOCK, "It runs from this checkout already (process {pid}): use it, or stop it with Ctrl-C.")
    record.end_survivors(VAR)
    os.environ.update(local_environment(VAR))
    os.environ.setdefault("WEB_HOST", "127.0.0.1")  # demo passwords are not for the whole network
    ports.check()
    say("Starting PostgreSQL and Redis, preparing the database ...")
    ensure_running()
    addresses.check()
    set_up(interrupts, output)
    processes = Processes(ROOT / "Procfile.local", output, interrupts)
    try:
        processes.start()
        record.write(VAR, [process.pid for process in processes.running.values()])
        wait_until_ready(processes.ended)
        yield processes
    finally:
        say("\nStopping ...")
        processes.stop()
        record.remove(VAR)


def set_up(interrupts: Interrupts, output: TextIO) -> None:
    """The tables, and people and courses to try things with; both do nothing when they are there."""
    for command in ("migrate", "load_demo"):
        code, said = run([*MANAGE, command, "--verbosity", "0"], interrupts, capture=True)
        output.write(said)
        if code != 0:
            raise CannotRun(f"`manage.py {command}` failed with exit code {code}.")


def wait_until_ready(ended: Callable[[], str | None]) -> None:
    """Until the web process says that it, its database and Redis are ready for requests."""
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready():
        reason = ended()
        if reason is None and time.monotonic() > deadline:
            reason = f"{local_address('PORT')}/health/ready did not answer well within {READY_SECONDS} s"
        if reason is not None:
            raise CannotRun(f"The stack did not come up: {reason}.")
        time.sleep(POLL_SECONDS)


def is_ready() -> bool:
    try:
        with urlopen(f"{local_address('PORT')}/health/ready", timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def print_banner(interrupts: Interrupts) -> None:
    _, sign_ins = run([*MANAGE, "load_demo", "--print"], interrupts, capture=True)
    indented = "\n".join(f"    {line}".rstrip() for line in sign_ins.strip().splitlines())
    say(BANNER.format(web=local_address("PORT"), sandbox=local_address("SANDBOX_PORT"), sign_ins=indented))


def local_address(variable: str) -> str:
    return f"http://127.0.0.1:{os.environ[variable]}"


def log_folder() -> Path:
    folder = VAR / "log"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone; whatever we are doing goes on
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in COMMANDS:
        raise CannotRun(f"Use: python -m learning247.stack {'|'.join(COMMANDS)}")
    take_the_terminal()
    interrupts = Interrupts()
    interrupts.install()
    try:
        return COMMANDS[arguments[0]](interrupts, arguments[1:])
    except Interrupted:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
