"""The database and the Redis: there before anything uses them, or one line that says which variable is wrong."""

import os
import warnings
from typing import Any

import psycopg
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from learning247.embedded import CannotRun
from learning247.settings.env import env

SECONDS = 5
INSTEAD = "or unset {name} to have one started for you"
DJANGO_ALONE = {"pool", "isolation_level", "assume_role", "server_side_binding"}  # options that libpq does not know


def check() -> None:
    """Refuse addresses that are none, and those where nobody answers."""
    _check_database()
    _check_redis()


def _check_database() -> None:
    name, instead = "DATABASE_URL", INSTEAD.format(name="DATABASE_URL")
    settings = _database_settings(os.environ[name])
    if not settings:
        raise CannotRun(f"{name} is no address: use postgres://user:password@host:5432/name, {instead}.")
    options = {key: value for key, value in settings.get("OPTIONS", {}).items() if key not in DJANGO_ALONE}
    parts = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    given = {key: settings[part] for key, part in parts.items() if settings[part]}
    try:
        psycopg.connect(**{"connect_timeout": SECONDS, **given, **options}).close()
    except psycopg.Error as error:
        raise CannotRun(f"{name} leads to no database ({_first_line(error)}): correct it, {instead}.") from None


def _check_redis() -> None:
    name, instead = "REDIS_URL", INSTEAD.format(name="REDIS_URL")
    try:
        client = Redis.from_url(os.environ[name], socket_connect_timeout=SECONDS, retry=Retry(NoBackoff(), 0))
    except ValueError:
        raise CannotRun(f"{name} is no address: use redis://host:6379/0, {instead}.") from None
    try:
        client.ping()
    except RedisError as error:
        raise CannotRun(f"{name} leads to no Redis ({_first_line(error)}): correct it, {instead}.") from None
    finally:
        client.close()


def _database_settings(url: str) -> dict[str, Any] | None:
    """What Django will read from the address; None where that is no PostgreSQL database."""
    try:
        with warnings.catch_warnings(action="ignore"):
            settings: dict[str, Any] = env.db_url_config(url)
    except ValueError:
        return None
    return settings if str(settings.get("ENGINE", "")).endswith("postgresql") and settings["NAME"] else None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
