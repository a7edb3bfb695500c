"""What the measurements over HTTP share: real web and worker processes on this run's database, paid checkouts."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import requests
from django.conf import settings
from django.db import connection

from accounts.models import User
from courses.models import Course, Department
from courses.services.courses import course_create, course_publish
from courses.services.departments import department_ensure
from learning247.bench.ledger import creators_with_accounts
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.kit.money import Money
from learning247.sandbox.server import Sandbox
from payments.enums import ProductKind
from payments.services.checkout import checkout_start

PORT = 8188
URL = f"http://127.0.0.1:{PORT}"


@contextmanager
def sandbox_without_webhooks() -> Iterator[Sandbox]:
    """A gateway that captures payments and tells nobody."""
    with Sandbox(paystack_secret_key=settings.PAYSTACK_SECRET_KEY) as sandbox:
        settings.PAYSTACK_BASE_URL = sandbox.paystack_url
        sandbox.control.pause_webhooks()
        yield sandbox


def paid_checkouts(sandbox: Sandbox, number: int) -> list[str]:
    """References of payments for 20 creators' courses that the gateway captured."""
    sellers = User.objects.filter(pk__in=creators_with_accounts(20))
    sellers.update(email_verified_at=now())
    department = department_ensure(name="Bench")
    courses = [_course_on_sale(seller, department) for seller in sellers]
    buyers = [
        User(email=f"{new_id().hex}@bench.example", first_name="B", last_name="B")
        for _ in range(-(-number // len(courses)))
    ]
    User.objects.bulk_create(buyers)
    references = []
    for turn in range(number):
        payment = checkout_start(
            buyer=buyers[turn // len(courses)],
            product_kind=ProductKind.COURSE,
            item_id=courses[turn % len(courses)].pk,
            currency="NGN",
            details={},
            operation="bench",
            idempotency_key=str(turn),
        )
        sandbox.control.pay("paystack", payment.reference)
        references.append(payment.reference)
    return references


def _course_on_sale(creator: User, department: Department) -> Course:
    course = course_create(
        creator=creator,
        title="Bench",
        department=department,
        prices=[Money(2_500_000, "NGN")],
        link="https://classroom.example/bench",
    )
    return course_publish(course_id=course.pk, actor=creator)


@contextmanager
def web(sandbox: Sandbox) -> Iterator[None]:
    """The web process as production runs it, listening."""
    with _process(sandbox, "gunicorn", "--log-level", "warning"):
        deadline = time.perf_counter() + 30
        while not _is_up():
            if time.perf_counter() > deadline:
                raise SystemExit("The web process did not come up.")
            time.sleep(0.1)
        yield


def _is_up() -> bool:
    try:
        return requests.get(f"{URL}/health/live", timeout=2).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


@contextmanager
def workers(sandbox: Sandbox, number: int) -> Iterator[None]:
    queues = "money,default,mail,webhooks"
    with _process(sandbox, "celery", "--quiet", "-A", "learning247", "worker", "-Q", queues, "-c", str(number)):
        yield


@contextmanager
def _process(sandbox: Sandbox, *command: str) -> Iterator[None]:
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL.rsplit("/", 1)[0] + "/14",
        "PAYSTACK_SECRET_KEY": settings.PAYSTACK_SECRET_KEY,
        "PAYSTACK_BASE_URL": sandbox.paystack_url,
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
        "PORT": str(PORT),
        "WEB_HOST": "127.0.0.1",
        "LOG_LEVEL": "WARNING",
        "PYTHONWARNINGS": "ignore",
    }
    process = subprocess.Popen([sys.executable, "-m", *command], env=environment)  # noqa: S603 - our own command
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def database_url() -> str:
    """This run's database, as the environment names it."""
    database = connection.settings_dict
    host = quote(str(database.get("OPTIONS", {}).get("host") or database["HOST"]), safe="")
    return f"postgres://{database['USER']}@:{database['PORT']}/{database['NAME']}?host={host}"
