"""How long the webhook door takes under a steady rate while nobody works off the backlog, and how fast it drains.

A real web process, PostgreSQL and Redis; real payments at the sandbox. Every event is delivered twice. Latency counts
from the moment at which a delivery was due, so a server that falls behind cannot hide it.
"""

import argparse
import hashlib
import hmac
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import requests
from django.conf import settings

from learning247.bench import stack
from learning247.records.enums import EventStatus
from learning247.records.models import InboundEvent
from learning247.records.services.prove import checks_run
from payments.enums import PaymentStatus
from payments.models import Payment
from wallets.models import JournalEntry

SENDERS = 32
WORKERS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rate", type=int, default=200, help="deliveries per second")
    parser.add_argument("--seconds", type=int, default=10)


def run(arguments: argparse.Namespace) -> None:
    with stack.sandbox_without_webhooks() as sandbox:
        references = stack.paid_checkouts(sandbox, arguments.rate * arguments.seconds // 2)
        with stack.web(sandbox):
            bodies = [_event(number, reference) for number, reference in enumerate(references)]
            _deliver(bodies * 2, arguments.rate)
        with stack.workers(sandbox, WORKERS):
            _drain(len(references))
    print(f"journal entries: {JournalEntry.objects.count()}")  # noqa: T201
    broken = [result for result in checks_run() if not result.holds]
    print("prove: every check holds" if not broken else f"prove: {broken}")  # noqa: T201


def _event(number: int, reference: str) -> bytes:
    return json.dumps({"event": "charge.success", "data": {"id": number + 1, "reference": reference}}).encode()


def _deliver(bodies: list[bytes], rate: int) -> None:
    """At a steady rate, whatever the answers take."""
    key = settings.PAYSTACK_SECRET_KEY.encode()
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=SENDERS))
    start = time.perf_counter() + 0.5

    def send(number: int) -> tuple[int, float]:
        due = start + number / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        answer = session.post(
            f"{stack.URL}/api/webhooks/paystack",
            data=bodies[number],
            headers={
                "x-paystack-signature": hmac.new(key, bodies[number], hashlib.sha512).hexdigest(),
                "Content-Type": "application/json",
            },
            timeout=30,
        )
        return answer.status_code, time.perf_counter() - due

    with ThreadPoolExecutor(SENDERS) as senders:
        answers = list(senders.map(send, range(len(bodies))))
    took = sorted(seconds * 1000 for _, seconds in answers)
    percentile = statistics.quantiles(took, n=100)
    refused = sum(status != 200 for status, _ in answers)
    print(  # noqa: T201
        f"{len(bodies)} deliveries at {rate}/s: p50 {percentile[49]:.1f} ms, p99 {percentile[98]:.1f} ms,"
        f" longest {took[-1]:.1f} ms; {refused} not 200; {InboundEvent.objects.count()} rows kept"
    )


def _drain(number: int) -> None:
    start = time.perf_counter()
    while InboundEvent.objects.filter(status=EventStatus.PENDING).exists():
        if time.perf_counter() - start > 300:
            raise SystemExit("The backlog does not drain.")
        time.sleep(0.25)
    seconds = time.perf_counter() - start
    paid = Payment.objects.filter(status=PaymentStatus.PAID).count()
    print(  # noqa: T201
        f"backlog of {number} events worked off in {seconds:.1f} s by {WORKERS} workers ({number / seconds:.0f}/s,"
        f" their start included); {paid} payments paid"
    )
