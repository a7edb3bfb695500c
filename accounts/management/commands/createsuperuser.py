"""Django's command of this name made superusers that no record knows of; `seed_admin` is the door."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Not here: use seed_admin, which puts on record who became administrator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        # Whatever Django's would take, so that the answer is ours and not "unrecognized arguments".
        for name in ("--email", "--first_name", "--last_name", "--database"):
            parser.add_argument(name)
        parser.add_argument("--noinput", "--no-input", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError("Use `manage.py seed_admin`: it puts on record who became administrator. Nobody was made.")
