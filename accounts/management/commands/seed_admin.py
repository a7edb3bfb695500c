"""Make the platform's administrator: from ADMIN_EMAIL and ADMIN_PASSWORD, or by asking."""

import os
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from accounts.errors import PasswordTooWeak
from accounts.management.prompts import at_a_terminal, new_password_ask
from accounts.services.admins import admin_seed


class Command(BaseCommand):
    help = "Make the administrator, or give an existing person the rights; safe to run on every deployment."

    def handle(self, *args: Any, **options: Any) -> None:
        email = _answer("ADMIN_EMAIL", lambda: input("Email: "))
        try:
            validate_email(email)
            user, done = admin_seed(email=email, password=_answer("ADMIN_PASSWORD", new_password_ask))
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
