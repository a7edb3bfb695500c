"""What is left to everybody else while people sign in without a pause, as a share of what there is without them.

The web process has its core, as for `http`. A few clients, each with its own account, sign in again as soon as they are
in; beside them `me` and the catalogue are asked. With and without follow each other within seconds, in an order that
moves on.
"""

import argparse
import multiprocessing
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from multiprocessing.connection import Connection
from threading import Thread

import requests

from accounts.models import User
from learning247.bench.cores import confined, cores_apart, servers_confined
from learning247.bench.data import content_build
from learning247.bench.http import Endpoint, endpoints_of
from learning247.bench.load import Slice, drive, request_bytes
from learning247.bench.web import web

PASSWORD = "correct horse battery"  # noqa: S105 - of people of the bench's
PATIENCE = 30.0  # seconds
ASKED = ("me", "departments", "transactions page of 20")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clients", type=int, default=8, help="that sign in without a pause")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="per endpoint and round, each with and without")


def run(arguments: argparse.Namespace) -> None:
    cores = cores_apart()
    print(f"{cores.note}; one worker, 8 connections beside {arguments.clients} that sign in")  # noqa: T201
    endpoints = [one for one in endpoints_of(content_build(courses=1_000, entries=1_000)) if one.name in ASKED]
    emails = [f"client-{number}@bench.example" for number in range(arguments.clients)]
    for email in emails:
        User.objects.create_user(email, PASSWORD, first_name="C", last_name="C")
    rates: dict[tuple[str, bool], list[float]] = {(one.name, with_): [] for one in endpoints for with_ in (False, True)}
    signed_in: list[float] = []
    with web(cores=cores) as server, servers_confined(cores.others), confined(cores.others):
        for number in range(arguments.rounds):
            for one in endpoints:
                for crowded in (False, True) if number % 2 else (True, False):
                    if crowded:
                        with _signing_in(server.port, emails) as times:
                            rates[one.name, True].append(_slice(server.port, one, arguments.seconds).rate)
                        signed_in += times
                    else:
                        rates[one.name, False].append(_slice(server.port, one, arguments.seconds).rate)
    for one in endpoints:
        alone, beside = rates[one.name, False], rates[one.name, True]
        ratios = [there / here for there, here in zip(beside, alone, strict=True)]
        print(  # noqa: T201
            f"{one.name:24}{statistics.median(alone):8.0f}/s alone {statistics.median(beside):8.0f}/s beside"
            f"   {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
        )
    print(f"{len(signed_in)} sign-ins, median {statistics.median(signed_in):.2f} s")  # noqa: T201


def _slice(port: int, endpoint: Endpoint, seconds: float) -> Slice:
    request = request_bytes(endpoint.paths[0], port=port, headers=endpoint.headers())
    return drive(repeat(request), port=port, connections=8, seconds=seconds, status=endpoint.status)


@contextmanager
def _signing_in(port: int, emails: list[str]) -> Iterator[list[float]]:
    """Other processes' work, so that it does not disturb the one that measures. The seconds of each, at the end."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    crowd = context.Process(target=_crowd, args=(theirs, port, emails), daemon=True)
    crowd.start()
    if not ours.poll(PATIENCE):
        raise SystemExit("Nobody signed in.")
    ours.recv()
    times: list[float] = []
    try:
        yield times
    finally:
        ours.send("enough")
        times += ours.recv()
        crowd.join()


def _crowd(pipe: Connection, port: int, emails: list[str]) -> None:
    times: list[float] = []
    enough = False

    def sign_in(session: requests.Session, email: str) -> None:
        answer = session.post(
            f"http://127.0.0.1:{port}/auth/login", json={"email": email, "password": PASSWORD}, timeout=60
        )
        answer.raise_for_status()
        times.append(answer.elapsed.total_seconds())

    def go_on(session: requests.Session, email: str) -> None:
        while not enough:
            sign_in(session, email)

    clients = [(requests.Session(), email) for email in emails]
    for client in clients:  # from here on they are known, and have places of their own
        sign_in(*client)
    threads = [Thread(target=go_on, args=client) for client in clients]
    for thread in threads:
        thread.start()
    pipe.send("begun")
    pipe.recv()
    enough = True
    for thread in threads:
        thread.join()
    pipe.send(times)
