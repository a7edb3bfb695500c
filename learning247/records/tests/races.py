"""Threads that start at the same moment, each with a database connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

Answer = TypeVar("Answer")


def at_once(threads: int, work: Callable[[int], Answer]) -> list[Answer]:
    """Run `work(0) … work(threads - 1)` at once; their answers in order. The first exception is raised again."""
    barrier = Barrier(threads)

    def run(number: int) -> Answer:
        barrier.wait()
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(threads)))
