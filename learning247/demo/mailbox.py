"""A person's mailbox, for the demo: locally mails go to the console, so the latest one is read where it was queued.

`python -m learning247.demo.mailbox ADDRESS` prints its text. It is the one place of the demo that looks behind the
API, in a process of its own, and it refuses where mails are real.
"""

import os
import subprocess
import sys

import django

from learning247.embedded import ensure_running
from learning247.settings.env import settings_module


def latest_mail(address: str) -> str:
    """The text of the latest mail to this address; empty when none has come."""
    command = [sys.executable, "-m", "learning247.demo.mailbox", address]
    read = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    return read.stdout if read.returncode == 0 else ""


def _read(address: str) -> str:
    from learning247.records.models import OutboundMail  # noqa: PLC0415 - models exist only after django.setup()

    return OutboundMail.objects.filter(to=address).values_list("text", flat=True).first() or ""


def main(arguments: list[str]) -> int:
    if os.environ.get("DJANGO_ENV", "local") == "production":
        sys.stderr.write("Nobody's mail is read in production.\n")
        return 1
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings_module())
    ensure_running()
    django.setup()
    sys.stdout.write(_read(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
