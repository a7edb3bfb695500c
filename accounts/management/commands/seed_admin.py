"""Make the platform's administrator: from ADMIN_EMAIL and ADMIN_PASSWORD, or by asking."""

import os
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from accounts.errors import AdminEmailTaken, PasswordTooWeak
from accounts.management.prompts import at_a_terminal, new_password_ask
from accounts.services.admins import admin_seed


class Command(BaseCommand):
    help = "Make the administrator; safe to run on every deployment. Whoever is one already is left as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--take-over",
            action="store_true",
            help="also where somebody else's account has this email: it gets the rights and the new password",
        )

    def handle(self, *args: Any, take_over: bool, **options: Any) -> None:
        email = _answer("ADMIN_EMAIL", lambda: input("Email: "))
        try:
            validate_email(email)
            password = _answer("ADMIN_PASSWORD", new_password_ask)
            try:
                user, done = admin_seed(email=email, password=password, take_over=take_over)
            except AdminEmailTaken as taken:
                if not (at_a_terminal() and input(f"{taken.detail} Make it one? [yes/no] ").strip() == "yes"):
                    raise CommandError(f"{taken.detail} With --take-over it is made one.") from None
                user, done = admin_seed(email=email, password=password, take_over=True)
        except ValidationError:
            raise CommandError(f"{email!r} is not an email address.") from None
        except PasswordTooWeak as error:
            raise CommandError(f"Choose another password. {error.detail}") from None
        self.stdout.write(f"{user.email} is administrator{'' if done else ' already; nothing was changed'}.")


def _answer(variable: str, ask: Callable[[], str]) -> str:
    """The variable's value, or what the person at the terminal says."""
    value = os.environ.get(variable, "")
    if not value and at_a_terminal():
        value = ask()
    if not value:
        raise CommandError(f"Set {variable}, or run this in a terminal to be asked.")
    return value
