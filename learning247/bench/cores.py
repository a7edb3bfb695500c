"""Which core does what: the web process has one to itself, so that neither load nor database take turns with it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connection
from redis import Redis

from learning247.bench.scratch import VAR


@dataclass(frozen=True, slots=True)
class Cores:
    """Numbers of cores; the same ones for both where they cannot be kept apart."""

    web: frozenset[int]
    others: frozenset[int]
    note: str


def cores_apart() -> Cores:
    if not hasattr(os, "sched_setaffinity"):
        return Cores(frozenset(), frozenset(), "nothing is pinned: this system cannot")
    mine = sorted(os.sched_getaffinity(0))
    if len(mine) == 1:
        only = frozenset(mine)
        return Cores(only, only, "one core: web, load, database and Redis share it, so ratios flatter whatever is slow")
    web, others = frozenset(mine[:1]), frozenset(mine[1:])
    return Cores(web, others, f"web process on core {mine[0]}; load, database and Redis on {_numbers(mine[1:])}")


@contextmanager
def confined(cores: frozenset[int]) -> Iterator[None]:
    """This process, and every one that it starts meanwhile, on `cores`."""
    before = affinity()
    pin(0, cores)
    try:
        yield
    finally:
        pin(0, before)


@contextmanager
def servers_confined(cores: frozenset[int]) -> Iterator[None]:
    """PostgreSQL and Redis on `cores`, where they run on this machine and are ours to move; put back afterwards."""
    before = affinity()
    moved = list(_servers())
    try:
        for process in moved:
            pin(process.pid, cores)
        yield
    finally:
        for process in moved:
            if process.is_running():
                pin(process.pid, before)
        # Backends that came meanwhile were born on the few.
        for process in _servers():
            pin(process.pid, before)


def affinity() -> frozenset[int]:
    return frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()


def pin(pid: int, cores: frozenset[int]) -> None:
    """0 is this process. Threads and processes that it starts later inherit it."""
    if cores:
        os.sched_setaffinity(pid, cores)


def _servers() -> Iterator[psutil.Process]:
    """The embedded servers of the bench; whoever brings their own pins their own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_setting('data_directory')")
        backend, folder = cursor.fetchone() or (0, "")
    if Path(folder).is_relative_to(VAR):
        postmaster = psutil.Process(backend).parent()
        assert postmaster is not None
        yield from [postmaster, *postmaster.children(recursive=True)]
    redis = Redis.from_url(settings.REDIS_URL).info("server")
    if Path(redis["config_file"]).is_relative_to(VAR):
        yield psutil.Process(redis["process_id"])


def _numbers(cores: list[int]) -> str:
    return f"core {cores[0]}" if len(cores) == 1 else f"cores {cores[0]}–{cores[-1]}"
