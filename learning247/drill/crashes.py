"""Workers killed at named steps of settling and of refunding: the sweepers finish all of it, once."""

import json
import os
import signal
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count

from learning247.bench.stack import database_url
from learning247.drill import stage
from learning247.drill.deaths import refund_by_buyer
from learning247.drill.dying import REFUND_STEPS, SETTLE_STEPS
from learning247.drill.findings import Finding, found, measured
from learning247.drill.warm import Kill, warm_process
from learning247.kit.clock import now
from learning247.records.models import InboundEvent
from learning247.records.services.inbox import event_handle, event_receive
from learning247.records.services.prove import checks_run
from learning247.sandbox.control import ControlClient
from payments.gateways import gateway_named
from payments.models import Entitlement, Payment, Refund
from payments.services.refunds import SEND_AGAIN_AFTER, refunds_sweep
from payments.services.settlement import payment_settle, unsettled_sweep
from wallets.enums import EntryKind
from wallets.models import JournalEntry

CRASHES, CRASHES_QUICK = 1_000, 54
STEPS = tuple([("settle", step) for step in SETTLE_STEPS] + [("refund", step) for step in REFUND_STEPS])
ROUNDS = 6


def run(*, full: bool) -> list[Finding]:
    with stage.copied_database(), stage.gateways() as sandbox:
        environment = os.environ | {
            "DATABASE_URL": database_url(),
            "PAYSTACK_SECRET_KEY": settings.PAYSTACK_SECRET_KEY,
            "PAYSTACK_BASE_URL": settings.PAYSTACK_BASE_URL,
            "STRIPE_API_BASE": settings.STRIPE_API_BASE,
        }
        with warm_process(environment) as kill:
            return crashed(sandbox.control, kill, CRASHES if full else CRASHES_QUICK)


def crashed(control: ControlClient, kill: Kill, number: int) -> list[Finding]:
    """`number` sales at both gateways, each with one death on its way; then the sweepers; then what there is."""
    ends: Counter[int] = Counter()
    refunded: list[Payment] = []
    for turn, payment in enumerate(stage.checkouts(number)):
        what, step = STEPS[turn % len(STEPS)]
        control.pay(payment.gateway, stage.at_gateway(payment))
        if what == "settle":
            ends[kill(what, step, str(_announced(payment)))] += 1
            continue
        payment_settle(reference=payment.reference)
        refunded.append(payment)
        ends[kill(what, step, payment.reference)] += 1
        # Nothing of it was kept; or the buyer asks once more although it was.
        if step == "booked" or turn // len(STEPS) % 2:
            refund_by_buyer(payment.reference)
    for _ in range(ROUNDS):
        _sweep(control)
    return [found("killed (signal 9)", wanted=number, seen=ends[signal.SIGKILL]), *_outcome(number, refunded)]


def _announced(payment: Payment) -> UUID:
    """The gateway's event about it, kept as the webhook keeps it."""
    if payment.gateway == "paystack":
        kind, data = "charge.success", {"event": "charge.success", "data": {"reference": payment.reference}}
    else:
        kind = "checkout.session.completed"
        session = {"id": payment.gateway_reference, "client_reference_id": payment.reference}
        data = {"type": kind, "data": {"object": session}}
    event_id, _ = event_receive(
        source=payment.gateway,
        external_id=payment.reference,
        event_type=kind,
        headers={},
        body=json.dumps(data).encode(),
    )
    return event_id


def _sweep(control: ControlClient) -> None:
    """As if so much time had passed that every lease is over and everything is due."""
    past = now() - timedelta(seconds=1)
    control.advance(60)
    pending = InboundEvent.objects.filter(status="pending")
    pending.update(due_at=past, lease_until=None)
    for event_id in list(pending.values_list("pk", flat=True)):
        event_handle(event_id)
    Refund.objects.update(due_at=past, lease_until=None)
    Refund.objects.filter(sent_at__isnull=False).update(sent_at=past - SEND_AGAIN_AFTER)
    refunds_sweep(limit=10_000)
    unsettled_sweep(limit=10_000)


def _outcome(number: int, refunded: Sequence[Payment]) -> list[Finding]:
    sales = JournalEntry.objects.filter(kind=EntryKind.SALE)
    back = JournalEntry.objects.filter(kind=EntryKind.REFUND)
    twice = sales.values("source_id").annotate(times=Count("pk")).filter(times__gt=1).count()
    at_gateways = [_refunds_at_gateway(payment) for payment in refunded]
    broken = sorted({result.code for result in checks_run() if not result.holds})
    return [
        found("sales lost", wanted=0, seen=number - Payment.objects.filter(settled_at__isnull=False).count()),
        found("sales doubled", wanted=0, seen=twice + sales.count() - number),
        found("rights", wanted=number, seen=Entitlement.objects.count()),
        found("refunds lost", wanted=0, seen=len(refunded) - Refund.objects.filter(status="done").count()),
        found("refunds doubled in the books", wanted=0, seen=back.count() - len(refunded)),
        found("refunds at the gateways, one each", wanted=len(refunded), seen=at_gateways.count(1)),
        found("events that are not done", wanted=0, seen=InboundEvent.objects.exclude(status="done").count()),
        found("checks that do not hold", wanted="none", seen=", ".join(broken) or "none"),
        measured("steps", f"{len(STEPS)}"),
    ]


def _refunds_at_gateway(payment: Payment) -> int:
    payment.refresh_from_db()
    listed = gateway_named(payment.gateway).list_refunds(
        payment_reference=payment.reference,
        gateway_payment_id=payment.gateway_payment_id,
        since=payment.created_at,
    )
    return len(list(listed))
