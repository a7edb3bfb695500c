"""`manage.py changepassword EMAIL`, in the place of Django's, which would leave every session of the API open."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.management.people import person_named
from accounts.management.prompts import new_password_ask
from accounts.services.passwords import password_set
from learning247.kit.errors import DomainError


class Command(BaseCommand):
    help = "Give somebody another password. Ends all their sessions and mailed links, tells them, and is on record."

    def add_arguments(self, parser: ArgumentParser) -> None:
        # Django's name for it: call_command(…, username=…) goes on working.
        parser.add_argument("username", metavar="email")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = person_named(username)
        try:
            ended = password_set(user=user, password=new_password_ask())
        except DomainError as error:
            raise CommandError(f"Nothing was changed. {error.detail}") from None
        self.stdout.write(f"{user.email} has the new password; sessions ended: {ended}.")
