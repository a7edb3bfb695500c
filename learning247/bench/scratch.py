"""Databases of a run's own, made for it and dropped after, on servers that nobody else uses meanwhile."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from learning247 import embedded

# Beside the embedded servers of `make run`, not on them: they may be busy.
VAR = embedded.VAR / "bench"


@contextmanager
def scratch_database(name: str = "main") -> Iterator[None]:
    """A migrated, empty database that the connection leads to; the one before is there again afterwards."""
    before = connection.settings_dict["NAME"]
    scratch = f"bench_learning247_{os.getpid()}_{name}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{scratch}"')
    connect_to(scratch)
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connect_to(before)
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{scratch}" WITH (FORCE)')


def connect_to(name: str) -> None:
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
