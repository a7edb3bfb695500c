"""Where a drill is played: databases of its own, the offline gateways, a real web process, and sales to play with."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import requests
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from accounts.models import User
from courses.services.courses import course_create, course_publish
from courses.services.departments import department_ensure
from learning247.bench.stack import database_url
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from learning247.sandbox.server import Sandbox
from payments.enums import ProductKind
from payments.models import Payment
from payments.services.checkout import checkout_start

CURRENCIES = ("NGN", "USD")
PRICES = (Money(2_500_000, "NGN"), Money(3_000, "USD"))
CREATORS = 10


@contextmanager
def scratch_database() -> Iterator[str]:
    """A migrated, empty database that the connections lead to; the one before is there again afterwards."""
    with _database("") as name:
        call_command("migrate", verbosity=0)
        yield name


@contextmanager
def copied_database() -> Iterator[str]:
    """A copy of the database that the connections lead to, in its place. Nobody else may be connected to that."""
    with _database(connection.settings_dict["NAME"]) as name:
        yield name


@contextmanager
def _database(template: str) -> Iterator[str]:
    before = connection.settings_dict["NAME"]
    name = f"drill_learning247_{new_id().hex[-12:]}"
    connections.close_all()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
    _connect_to(name)
    try:
        yield name
    finally:
        _connect_to(before)
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _connect_to(name: str) -> None:
    connections.close_all()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


@contextmanager
def gateways() -> Iterator[Sandbox]:
    """Paystack and Stripe, which tell nobody anything by themselves."""
    with Sandbox(
        paystack_secret_key=settings.PAYSTACK_SECRET_KEY,
        stripe_secret_key=settings.STRIPE_SECRET_KEY,
        stripe_webhook_secrets=tuple(settings.STRIPE_WEBHOOK_SECRETS),
    ) as sandbox:
        settings.PAYSTACK_BASE_URL = sandbox.paystack_url
        settings.STRIPE_API_BASE = sandbox.stripe_url
        sandbox.control.pause_webhooks()
        yield sandbox


@contextmanager
def web() -> Iterator[str]:
    """The web process as production runs it, on the database of now; yields its address."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "PAYSTACK_SECRET_KEY": settings.PAYSTACK_SECRET_KEY,
        "PORT": str(port),
        "WEB_HOST": "127.0.0.1",
        "LOG_LEVEL": "CRITICAL",
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-m", "gunicorn", "--log-level", "warning"]
    process = subprocess.Popen(command, env=environment)  # noqa: S603 - our own command
    try:
        deadline = time.monotonic() + 30
        while not _is_up(url):
            if time.monotonic() > deadline or process.poll() is not None:
                raise SystemExit("The web process did not come up.")
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/health/live", timeout=2).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


def checkouts(number: int, *, currencies: Sequence[str] = CURRENCIES) -> list[Payment]:
    """Open checkouts in these currencies in turn, by default at both gateways, for creators' courses, none of them
    twice for the same person."""
    creators = [_person("creator") for _ in range(CREATORS)]
    User.objects.bulk_create(creators)
    department = department_ensure(name="Drill")
    courses = []
    for creator in creators:
        link = "https://classroom.example/drill"
        course = course_create(creator=creator, title="Drill", department=department, prices=list(PRICES), link=link)
        courses.append(course_publish(course_id=course.pk, actor=creator))
    buyers = [_person("buyer") for _ in range(-(-number // CREATORS))]
    User.objects.bulk_create(buyers)
    return [
        checkout_start(
            buyer=buyers[turn // CREATORS],
            product_kind=ProductKind.COURSE,
            item_id=courses[turn % CREATORS].pk,
            currency=currencies[turn // CREATORS % len(currencies)],
            details={},
            operation="drill",
            idempotency_key=str(turn),
        )
        for turn in range(number)
    ]


def _person(what: str) -> User:
    return User(email=f"{new_id().hex}@drill.example", first_name="Drill", last_name=what, email_verified_at=now())


def at_gateway(payment: Payment) -> str:
    """What the gateway's pages know the checkout by."""
    return payment.reference if payment.gateway == "paystack" else payment.gateway_reference
