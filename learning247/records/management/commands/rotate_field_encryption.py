"""`manage.py rotate_field_encryption`: after a new key was put in front of FIELD_ENCRYPTION_KEY."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from learning247.records.sealed_columns import sealed_columns
from learning247.records.services.sealed_columns import sealed_column_rotate


class Command(BaseCommand):
    help = "Seal everything that is encrypted at rest by the first key of FIELD_ENCRYPTION_KEY. Safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count only; nothing is changed")
        parser.add_argument("--batch", type=int, default=500, metavar="N", help="values per transaction (500)")

    def handle(self, *args: Any, dry_run: bool, batch: int, **options: Any) -> None:
        if batch < 1:
            raise CommandError("A batch has one value at least.")
        unreadable = 0
        for column in sealed_columns():
            done = sealed_column_rotate(column=column, batch=batch, dry_run=dry_run)
            anew = f"{done.sealed_anew} {'to be sealed' if dry_run else 'sealed'} anew"
            self.stdout.write(f"{column.name}: {done.looked_at} looked at, {anew}, {len(done.unreadable)} unreadable")
            for pk in done.unreadable:
                self.stderr.write(f"  {column.name} of {pk}: no key of FIELD_ENCRYPTION_KEY opens it")
            unreadable += len(done.unreadable)
        if unreadable:
            raise CommandError(f"{unreadable} cannot be read. Put the key that sealed them behind the others.")
        if not dry_run:
            self.stdout.write("All of it opens by the first key. The others can be taken away.")
