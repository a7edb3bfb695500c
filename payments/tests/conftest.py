"""In these tests videos are sold, and granting one does nothing: the content apps have tests of their own.

Every test that commits ends with the proof: all checks hold, unless the test says that it breaks the books.
"""

import csv
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management import call_command

from learning247.kit.clock import now
from learning247.records.services.prove import checks_run
from payments import kinds
from payments.enums import ProductKind
from payments.tests.wire import poll

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def sellable_videos(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
    kinds.register_product_kind(
        ProductKind.VIDEO, on_granted=nothing_to_do, on_revoked=nothing_to_do, on_restored=nothing_to_do
    )
    yield


def nothing_to_do(*_: Any) -> None:
    """What a content app does that keeps no rows of its own."""


@pytest.fixture
def breaks_the_books() -> None:
    """For a test that takes a guard away to see the fault: nothing is proved after it."""


@pytest.fixture(autouse=True)
def books_are_proved(request: pytest.FixtureRequest) -> Iterator[None]:
    if "committed_db" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("committed_db")
    yield
    if "breaks_the_books" not in request.fixturenames:
        assert [result for result in checks_run() if not result.holds] == []


@pytest.fixture
def reconcile(tmp_path: Path) -> Callable[..., tuple[int, list[tuple[str, str, str]]]]:
    """`reconcile(gateway)` compares yesterday to tomorrow: exit code, and the file's lines as (class, kind, key)."""

    def run(gateway: str, *options: str) -> tuple[int, list[tuple[str, str, str]]]:
        today, report = now().date(), tmp_path / "report.csv"
        since, until = today - timedelta(days=1), today + timedelta(days=1)
        code = 0
        try:
            call_command(
                "reconcile", gateway, f"--from={since}", f"--to={until}", f"--report={report}", *options,
                stdout=StringIO(),
            )  # fmt: skip
        except SystemExit as ended:
            code = int(str(ended.code))
        with report.open(newline="") as file:
            return code, [(row["class"], row["kind"], row["key"]) for row in csv.DictReader(file)]

    return run


@pytest.fixture
def serve(gateways: Any, worker_environment: Any, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """`serve(**environment)` starts the API as in production, gunicorn with its processes; returns its address."""
    running: list[subprocess.Popen[bytes]] = []

    def start(**environment: str) -> str:
        port = free_port()
        place = {"WEB_HOST": "127.0.0.1", "PORT": str(port)}
        log = (tmp_path / f"web-{port}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "payments.tests.web"],
            cwd=ROOT,
            env=worker_environment() | place | environment,
            stdout=log,
            stderr=log,
        )
        running.append(process)
        url = f"http://127.0.0.1:{port}"
        assert poll(lambda: answers(f"{url}/health/live"), seconds=30), Path(log.name).read_text()
        return url

    yield start
    for process in running:
        process.terminate()
        process.wait(timeout=60)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.ConnectionError:
        return False
