"""`python -m learning247.bench ledger|prove|webhooks|settlements`, on a database made for the run and dropped after."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

import django

from learning247 import embedded

DATABASE = "bench_learning247"


@contextmanager
def scratch_database() -> Iterator[None]:
    """A migrated, empty database; the one that people use is left alone."""
    from django.conf import settings  # noqa: PLC0415 - see main()
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    name = f"{DATABASE}_{os.getpid()}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connection.close()
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def main() -> None:
    # The servers stand before the settings are read, and Django before any model is imported.
    embedded.ensure_running()
    django.setup()
    from learning247.bench import ledger, proof, settlements, webhooks  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m learning247.bench", description=__doc__)
    kinds = parser.add_subparsers(required=True)
    modules = {"ledger": ledger, "prove": proof, "webhooks": webhooks, "settlements": settlements}
    for name, module in modules.items():
        kind = kinds.add_parser(name, help=(module.__doc__ or "").splitlines()[0])
        module.add_arguments(kind)
        kind.set_defaults(run=module.run)
    arguments = parser.parse_args()
    with scratch_database():
        arguments.run(arguments)


if __name__ == "__main__":
    main()
