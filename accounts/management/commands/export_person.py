"""`manage.py export_person EMAIL --reason … --output FILE`: all that is held about a person, for who asks by letter."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.management.people import person_named, reason_given
from accounts.services.personal_data import personal_data_export_by_operator

_OWNER_ALONE = 0o600


class Command(BaseCommand):
    help = "Write everything that is held about a person into a file that its owner alone can read. On record."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="why, such as the number of the request; for the audit")
        parser.add_argument("--output", type=Path, required=True, help="a file that does not exist yet")

    def handle(self, *args: Any, email: str, reason: str, output: Path, **options: Any) -> None:
        user, reason = person_named(email), reason_given(reason)
        try:
            handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ALONE)
        except OSError as error:
            raise CommandError(f"{output} cannot be made: {error.strerror}.") from None
        with os.fdopen(handle, "wb") as file:
            for piece in personal_data_export_by_operator(user=user, reason=reason):
                file.write(piece)
        self.stdout.write(f"Wrote {output} ({output.stat().st_size:,} bytes).")
