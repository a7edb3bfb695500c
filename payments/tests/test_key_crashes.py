"""A web process killed (`kill -9`) in the middle of a request: its Idempotency-Key waits for the lease, no longer."""

import json
import signal
from collections import Counter

import pytest
import requests

from accounts.tests.builders import build_user
from learning247.drill.warm import warm_process
from learning247.kit.clock import now
from learning247.records.models import IdempotencyRecord
from learning247.records.services.idempotency import LEASE
from learning247.records.tests.races import at_once
from payments.models import Payment, Refund
from payments.services.refunds import refunds_sweep
from payments.tests.builders import build_product
from payments.tests.buying import GROSS, buy
from payments.tests.test_crashes import refunds_at_gateway
from payments.tests.wire import TIMEOUT, code_of, signed_in
from wallets.models import JournalEntry

pytestmark = pytest.mark.crash


@pytest.fixture
def killed(worker_environment):
    """`killed(step, path, body, headers)` lets a web process die at that step of answering a POST."""
    with warm_process(worker_environment(), "--videos") as kill:

        def run(step, path, body, headers):
            order = json.dumps({"path": path, "body": json.dumps(body), "headers": headers})
            assert kill("request", step, order) == signal.SIGKILL

        yield run


def asking(gateways, killed, step, path, body, headers):
    """What asks once more, with the same key and the same bytes, after a process died of it."""
    headers = headers | {"Idempotency-Key": "one key"}
    killed(step, path, body, headers)

    def ask(number=0):
        return requests.post(
            f"{gateways.url}{path}",
            data=json.dumps(body),
            headers=headers | {"Content-Type": "application/json"},
            timeout=TIMEOUT,
        )

    return ask


def assert_blocked_for_the_lease_and_no_longer(ask):
    """All wait while it holds; of 32 that come when it is over, one does the work and nobody gets anything else."""
    record = IdempotencyRecord.objects.get()
    assert (record.answer_status, record.lease_until) == (None, record.created_at + LEASE)
    blocked = ask()
    assert (blocked.status_code, code_of(blocked)) == (409, "idempotency_in_progress")
    assert 1 <= int(blocked.headers["Retry-After"]) <= 5

    IdempotencyRecord.objects.update(lease_until=now())
    answers = at_once(32, ask)

    seen = Counter(
        (answer.status_code, answer.headers.get("Idempotency-Replayed", ""))
        if answer.status_code < 400
        else (answer.status_code, code_of(answer))
        for answer in answers
    )
    assert set(seen) <= {(201, ""), (201, "true"), (409, "idempotency_in_progress")}
    assert seen[201, ""] == 1
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    again = ask()
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")


@pytest.mark.parametrize(("currency", "step"), [("NGN", "checkout begun"), ("NGN", "done"), ("USD", "done")])
def test_a_checkout(gateways, killed, currency, step):
    product, path = build_product(), "/api/payments/initialize"
    wanted = {"item_type": "video", "item_id": str(product.item_id), "currency": currency}
    ask = asking(gateways, killed, step, path, wanted, signed_in(build_user()))
    reference = Payment.objects.get().reference

    assert_blocked_for_the_lease_and_no_longer(ask)

    assert Payment.objects.get().reference == reference == ask().json()["reference"]
    table = "paystack.transactions" if currency == "NGN" else "stripe.sessions"
    assert len(gateways.control.rows(table)) == 1


@pytest.mark.parametrize(("currency", "step"), [("USD", "refund answered"), ("NGN", "done")])
def test_a_refund(gateways, killed, currency, step):
    payment = buy(gateways, currency=currency)
    path = f"/api/payments/{payment.reference}/refunds"
    ask = asking(gateways, killed, step, path, {"reason": "Not for me."}, signed_in(payment.buyer))

    assert_blocked_for_the_lease_and_no_longer(ask)

    # The dead one's hold on the refund itself is the sweeper's to end.
    Refund.objects.update(due_at=now(), lease_until=None)
    refunds_sweep()
    assert Refund.objects.get().reference == ask().json()["reference"]
    assert [made.amount_minor for made in refunds_at_gateway(payment)] == [GROSS[currency]]
    assert JournalEntry.objects.filter(kind="refund").count() == 1
