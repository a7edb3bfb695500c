"""`python -m learning247.demo`, which is what `make demo` runs beside the stack."""

import os
import subprocess
import sys
import time

import requests

from learning247.demo.http import NotAsExpected
from learning247.demo.mailbox import latest_mail
from learning247.demo.story import Story
from learning247.demo.telling import Teller
from learning247.embedded import VAR, local_environment
from learning247.sandbox.control import ControlClient, ControlError, WaitExpiredError


def main() -> int:
    """0 when everything was as it should be; 1, with one sentence that says what was not, otherwise."""
    os.environ.update(local_environment(VAR))
    web, sandbox = (f"http://127.0.0.1:{os.environ[name]}" for name in ("PORT", "SANDBOX_PORT"))
    teller = Teller(_say)
    story = Story(web, ControlClient(sandbox), teller, latest_mail, _seed_staff, _prove)
    started = time.monotonic()
    teller.title("Sales, end to end, and what comes after them")
    teller.note(f"API {web}, gateways {sandbox}")
    try:
        story.tell()
    except NotAsExpected as problem:
        teller.text(f"\nNot as expected: {problem}\n")
        return 1
    except (ControlError, WaitExpiredError) as problem:
        teller.text(f"\nThe sandbox did not do its part: {problem}\n")
        return 1
    except requests.RequestException:
        teller.text(f"\nNothing answers at {web} or {sandbox}. Start the stack with `make run`, then try again.\n")
        return 1
    teller.text(f"\nEverything was as it should be. {time.monotonic() - started:.0f} seconds.\n")
    return 0


def _seed_staff(email: str, password: str) -> None:
    """As an operator makes the first administrator."""
    environment = os.environ | {"ADMIN_EMAIL": email, "ADMIN_PASSWORD": password}
    made = subprocess.run(
        [sys.executable, "manage.py", "seed_admin"], env=environment, check=False, capture_output=True
    )
    if made.returncode:
        raise NotAsExpected("`manage.py seed_admin` made no administrator.")


def _prove() -> bool:
    """In a process of its own, as an operator runs it; its table is the end of the story."""
    return subprocess.run([sys.executable, "manage.py", "prove"], check=False).returncode == 0


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
