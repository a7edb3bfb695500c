"""The embedded PostgreSQL and Redis, and what else a fresh machine lacks: local secrets and addresses.

Nothing here imports Django: it runs before the settings are read.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from learning247.embedded.leases import Lease, Room
from learning247.embedded.local import local_environment
from learning247.embedded.locks import CannotRun, only_one

__all__ = ["VAR", "Addresses", "CannotRun", "ensure_running", "local_environment", "only_one"]

VAR = Path(__file__).resolve().parent.parent.parent / "var"
VARIABLES = {"DATABASE_URL": "postgres", "REDIS_URL": "redis"}


@dataclass(frozen=True)
class Addresses:
    """Where the database and Redis are."""

    database_url: str
    redis_url: str


def ensure_running(var: Path = VAR) -> Addresses:
    """See to a database, a Redis and the local environment; they stand in `os.environ` afterwards.

    A server whose variable is set is used as it is. The others run until the last process of this checkout
    that uses them has ended. In production nothing is started and nothing is made up.
    """
    if os.environ.get("DJANGO_ENV") != "production":
        os.environ.update(local_environment(var))
        missing = {variable: kind for variable, kind in VARIABLES.items() if not os.environ.get(variable)}
        leases = {variable: Lease(Room(kind, var)) for variable, kind in missing.items()}
        os.environ.update({variable: lease.url() for variable, lease in leases.items()})
    return Addresses(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])
