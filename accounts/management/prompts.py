"""Asking whoever sits at the terminal."""

import sys
from getpass import getpass

from django.core.management.base import CommandError


def at_a_terminal() -> bool:
    return sys.stdin.isatty()


def new_password_ask() -> str:
    """A password, typed blind and therefore twice. Raises CommandError where nobody can be asked or the two differ."""
    if not at_a_terminal():
        raise CommandError("Run this in a terminal: it asks for the new password.")
    password = getpass("New password: ")
    if password != getpass("Once more: "):
        raise CommandError("The two differ. Nothing was changed.")
    return password
