"""What signing in costs beside bcrypt alone, and whether the time tells an unknown email from a wrong password.

One request at a time, over HTTP, in turns: bcrypt in this process, the right password, a wrong one, an account's first
wrong one, which goes on record, nobody's email. So whatever else the machine does falls on all of them alike.
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator

import requests
from django.contrib.auth.hashers import check_password

from accounts.models import User
from learning247.bench import stack
from learning247.kit.ids import new_id

PASSWORD = "correct horse battery"  # noqa: S105 - of a person of the bench's
KNOWN = "known@bench.example"
ALONE, WRONG, FIRST, UNKNOWN = "bcrypt alone", "wrong password", "first wrong password", "unknown email"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tries", type=int, default=200, help="of each kind")
    parser.add_argument("--only", nargs="+", default=[], metavar="KIND", help="bcrypt alone stays in")


def run(arguments: argparse.Namespace) -> None:
    user = User.objects.create_user(KNOWN, PASSWORD, first_name="K", last_name="K")
    session = requests.Session()
    fresh = _people(arguments.tries + 1, password=user.password)

    def login(email: str, password: str, status: int) -> None:
        answer = session.post(f"{stack.URL}/auth/login", json={"email": email, "password": password}, timeout=30)
        if answer.status_code != status:
            raise SystemExit(f"Expected {status}, got {answer.status_code}: {answer.text}")

    kinds: dict[str, Callable[[], object]] = {
        ALONE: lambda: check_password(PASSWORD, user.password),
        "signed in": lambda: login(KNOWN, PASSWORD, 200),
        WRONG: lambda: login(KNOWN, "wrong horse battery", 401),
        FIRST: lambda: login(next(fresh), "wrong horse battery", 401),
        UNKNOWN: lambda: login(f"{new_id().hex}@bench.example", PASSWORD, 401),
    }
    wanted = {name: call for name, call in kinds.items() if not arguments.only or name in (ALONE, *arguments.only)}
    with stack.sandbox_without_webhooks() as sandbox, stack.web(sandbox):
        for call in wanted.values():
            call()  # connections, first imports
        times = _in_turns(wanted, arguments.tries)
    alone = statistics.median(times[ALONE])
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name:<22} {median * 1000:8.1f} ms  {median / alone:5.3f} of bcrypt")  # noqa: T201
    for name in (WRONG, FIRST):
        if name in times and UNKNOWN in times:
            ratio = statistics.median(times[UNKNOWN]) / statistics.median(times[name])
            print(f"{UNKNOWN} against {name}: {(ratio - 1) * 100:+.2f} %")  # noqa: T201


def _people(number: int, *, password: str) -> Iterator[str]:
    """Emails of accounts that nobody has knocked at yet."""
    emails = [f"fresh-{index}@bench.example" for index in range(number)]
    User.objects.bulk_create(User(email=email, password=password, first_name="F", last_name="F") for email in emails)
    return iter(emails)


def _in_turns(kinds: dict[str, Callable[[], object]], tries: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in kinds}
    names, shuffled = list(kinds), random.Random(247)  # noqa: S311 - an order, no secret
    for _ in range(tries):
        # In an order that moves on in a circle each would always follow the same one.
        shuffled.shuffle(names)
        for name in names:
            begun = time.perf_counter()
            kinds[name]()
            times[name].append(time.perf_counter() - begun)
    return times
