"""A pytest plugin (`-p`): the embedded servers stand before Django's settings are read, and every run of the suite
has a database and a numbered Redis database of its own, so that two runs at once do not disturb each other."""

import os

import psycopg
import pytest
import redis

from learning247 import embedded

RUN_DATABASE = "test_learning247_{pid}"
_REDIS_DATABASES = range(1, 16)  # 0 is `make run`'s
_CLAIM = "learning247:test-run:{number}"


def _claim_redis_database(server: redis.Redis) -> int:
    """The number of a Redis database that no living run uses."""
    for number in _REDIS_DATABASES:
        claim = _CLAIM.format(number=number)
        holder = server.get(claim)
        if holder is not None and not _is_running(int(holder)):
            server.delete(claim)
        if server.set(claim, os.getpid(), nx=True):
            return number
    raise pytest.UsageError("15 runs of the suite are going on already; end one, or set REDIS_URL to another Redis.")


def _drop_databases_of_dead_runs(url: str) -> None:
    """A killed run leaves its database behind, and the clones of its tests."""
    with psycopg.connect(url, autocommit=True) as server:
        rows = server.execute("SELECT datname FROM pg_database WHERE datname ~ '^test_learning247_[0-9]+(_|$)'")
        for (name,) in rows.fetchall():
            if not _is_running(int(name.split("_")[2])):
                server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


_addresses = embedded.ensure_running()
_drop_databases_of_dead_runs(_addresses.database_url.replace("postgres://", "postgresql://", 1))
os.environ["TEST_DATABASE_NAME"] = RUN_DATABASE.format(pid=os.getpid())
os.environ["TEST_REDIS_DATABASE"] = str(_claim_redis_database(redis.Redis.from_url(_addresses.redis_url)))


def pytest_unconfigure() -> None:
    server = redis.Redis.from_url(_addresses.redis_url)
    server.delete(_CLAIM.format(number=os.environ["TEST_REDIS_DATABASE"]))
