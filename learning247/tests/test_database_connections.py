"""Connections that outlive a request: one that the server ended is replaced before anybody notices."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

pytestmark = pytest.mark.django_db


@contextmanager
def kept_between_requests() -> Iterator[BaseDatabaseWrapper]:
    """A connection as a thread of the web process keeps it, with one request behind it."""
    kept = connection.copy()
    kept.settings_dict["CONN_MAX_AGE"] = 60
    try:
        with kept.cursor() as cursor:
            cursor.execute("SELECT 247")
        yield kept
    finally:
        kept.close()


def backend_of(kept: BaseDatabaseWrapper) -> int:
    return int(kept.connection.info.backend_pid)


def end(backend: int) -> None:
    """As a restart of the server does; the time limit waits until it is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [backend])
        assert cursor.fetchone() == (True,)


def test_a_connection_that_the_server_ended_is_replaced_at_the_next_request():
    with kept_between_requests() as kept:
        ended = backend_of(kept)
        end(ended)

        kept.close_if_unusable_or_obsolete()  # what the beginning of a request does
        with kept.cursor() as cursor:
            cursor.execute("SELECT 1")

        assert backend_of(kept) != ended


def test_without_the_beginning_of_a_request_the_end_is_noticed_the_hard_way():
    with kept_between_requests() as kept:
        end(backend_of(kept))

        with pytest.raises(OperationalError), kept.cursor() as cursor:
            cursor.execute("SELECT 1")


def test_a_good_connection_is_not_asked_whether_it_is():
    with kept_between_requests() as kept:
        kept.close_if_unusable_or_obsolete()
        with kept.cursor():
            pass

        with connection.cursor() as cursor:
            cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [backend_of(kept)])
            assert cursor.fetchone() == ("SELECT 247",)
