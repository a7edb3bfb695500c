"""Webhooks one to five times, shuffled, late, one in twenty forged: the same books as once and in order.

Sales, declines, expired checkouts, wrong captures, refunds and disputes that end well or badly happen at both gateways
first. Their events are then played to two copies of the same database: to one once and in order, to the other as they
come.
"""

import json
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from threading import local
from uuid import UUID

import requests
from django.conf import settings
from django.db import connections

from learning247.drill import stage
from learning247.drill.books import books_digest
from learning247.drill.findings import Finding, found, measured
from learning247.kit.clock import now
from learning247.records.enums import EventStatus
from learning247.records.models import InboundEvent
from learning247.records.services.inbox import event_handle
from learning247.records.services.prove import checks_run
from learning247.sandbox.control import ControlClient
from learning247.sandbox.signatures import paystack_signature, stripe_signature
from payments.gateways import RefundRequest, gateway_named
from payments.models import Payment, Refund
from payments.services.refunds import refund_start
from payments.services.settlement import payment_settle

SALES, SALES_QUICK = 1_230, 40
MOST_OFTEN = 5
FORGED = 0.05
WAVES = 10
SENDERS, WORKERS = 16, 4
ROUNDS = 12
# The sandbox shows its newest 200 events; a sale makes fewer than ten.
HARVEST_EVERY = 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event as it is sent once; `forgery` says how its signature is wrong, "" is genuine."""

    provider: str
    body: bytes
    forgery: str = ""


def run(*, full: bool) -> list[Finding]:
    with stage.copied_database(), stage.gateways() as sandbox:
        events = history(sandbox.control, SALES if full else SALES_QUICK, seed=1)
        return compared(events, seed=1)


def compared(events: Sequence[Delivery], *, seed: int, url: str = "") -> list[Finding]:
    """`events` once and in order against the same as they come, each on a copy of the database of now.

    `url` is where the API listens; without one a web process is started for each.
    """
    with stage.copied_database():
        in_order = played(events, url=url, seed=0, waves=1, share=1)
        wanted, breaches_in_order = books_digest(), _breaches()
        undone = InboundEvent.objects.exclude(status=EventStatus.DONE).count()
    deliveries = storm(events, seed=seed)
    forged = sum(bool(delivery.forgery) for delivery in deliveries)
    with stage.copied_database():
        start = now()
        answers = played(deliveries, url=url, seed=seed, waves=WAVES, share=2)
        took = (now() - start).total_seconds()
        statuses = Counter(InboundEvent.objects.values_list("status", flat=True))
        return [
            measured("unique events", f"{len(events):,}"),
            measured("deliveries", f"{len(deliveries):,}, {len(deliveries) / took:.0f}/s with their handling"),
            found("genuine ones answered 200", wanted=len(deliveries) - forged, seen=answers[False, 200]),
            found("forged ones answered 401", wanted=forged, seen=answers[True, 401]),
            found("rows kept", wanted=len(events), seen=sum(statuses.values())),
            found("events that are done", wanted=len(events), seen=statuses[EventStatus.DONE]),
            found("the books, as once and in order", wanted=wanted[:12], seen=books_digest()[:12]),
            found("checks that do not hold", wanted="none", seen=_breaches()),
            found("once and in order: answered 200", wanted=len(events), seen=in_order[False, 200]),
            found("once and in order: events that are not done", wanted=0, seen=undone),
            found("once and in order: checks that do not hold", wanted="none", seen=breaches_in_order),
        ]


def history(control: ControlClient, number: int, *, seed: int) -> list[Delivery]:
    """What happened at the gateways to `number` checkouts, as the events that they would send, in order."""
    control.behave(paystack_refund_outcome="none", stripe_refund_outcome="pending")
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    seen: dict[str, Delivery] = {}
    for turn, payment in enumerate(stage.checkouts(number)):
        _play(control, payment, turn, dice)
        if turn % HARVEST_EVERY == 0:
            _harvest(control, seen)
    _harvest(control, seen)
    return list(seen.values())


def _harvest(control: ControlClient, seen: dict[str, Delivery]) -> None:
    for row in control.rows("webhooks"):
        seen[row["id"]] = Delivery(row["provider"], row["body"].encode())


def _play(control: ControlClient, payment: Payment, turn: int, dice: random.Random) -> None:
    """Each kind of fate by turns."""
    gateway, there, fate = payment.gateway, stage.at_gateway(payment), turn % 10
    if fate == 0:
        control.checkout(gateway, there, "expire" if gateway == "stripe" else "abandon")
        return
    if fate == 1:
        control.decline(gateway, there)
    if fate == 2 and turn < 200:
        control.fault("wrong_amount", provider=gateway, path=f"*{there}*", method="GET", times=1_000, amount=-1)
    control.pay(gateway, there)
    if fate in (3, 4):
        _give_back_by_hand(control, payment, dice)
    if fate in (5, 6):
        _give_back(control, payment, fails=fate == 5)
    if fate in (7, 8):
        _dispute(control, payment, "lost" if fate == 7 else "won")
    if fate == 9 and turn // 20 % 2:
        _dispute(control, payment, "")


def _give_back_by_hand(control: ControlClient, payment: Payment, dice: random.Random) -> None:
    """Two parts, on the gateway's own pages, before anybody here knows of the sale."""
    gateway = gateway_named(payment.gateway)
    paid_as = gateway.fetch(reference=payment.reference, gateway_reference=payment.gateway_reference).gateway_payment_id
    for part in range(2):
        made = gateway.create_refund(
            RefundRequest(
                reference="",
                idempotency_key=f"{payment.reference}.{part}",
                payment_reference=payment.reference,
                gateway_payment_id=paid_as,
                amount_minor=dice.randrange(payment.amount_minor // 4, payment.amount_minor // 3),
                currency=payment.currency,
            )
        )
        control.conclude_refund(payment.gateway, made.gateway_refund_id, _DONE[payment.gateway])


_DONE = {"paystack": "processed", "stripe": "succeeded"}


def _give_back(control: ControlClient, payment: Payment, *, fails: bool) -> None:
    """All of it, by its buyer, here; the gateway carries it out, or sends it back."""
    payment_settle(reference=payment.reference)
    refund_start(
        reference=payment.reference,
        requested_by=payment.buyer,
        amount_minor=None,
        reason="A drill.",
        ends_access=None,
        operation="drill",
        idempotency_key=payment.reference,
    )
    made = Refund.objects.get(payment=payment).gateway_refund_id
    control.conclude_refund(payment.gateway, made, "failed" if fails else _DONE[payment.gateway])


def _dispute(control: ControlClient, payment: Payment, outcome: str) -> None:
    """The buyer's bank asks it back, and decides unless the outcome is "". One that is lost comes when we know of the
    sale, as in life; the drill of orders has it earlier too."""
    if outcome == "lost":
        payment_settle(reference=payment.reference)
    opened = control.open_dispute(payment.gateway, stage.at_gateway(payment))["id"]
    if outcome:
        control.decide_dispute(payment.gateway, str(opened), outcome)


def storm(events: Sequence[Delivery], *, seed: int) -> list[Delivery]:
    """Each of `events` one to five times and forgeries among them, in an order that the seed decides."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    deliveries = [event for event in events for _ in range(dice.randint(1, MOST_OFTEN))]
    for number in range(round(len(deliveries) * FORGED / (1 - FORGED))):
        deliveries.append(_forged(dice.choice(events), number))
    dice.shuffle(deliveries)
    return deliveries


FORGERIES = ("another key", "another body", "no signature", "an old one", "nonsense")


def _forged(event: Delivery, number: int) -> Delivery:
    """An event that nobody sent, under a name of its own, so that a row of it would be seen."""
    content = json.loads(event.body)
    about = content["data"] if event.provider == "paystack" else content
    about["id"] = f"forged_{number}"
    about.pop("refund_reference", None)
    return Delivery(event.provider, json.dumps(content).encode(), FORGERIES[number % len(FORGERIES)])


def _headers(delivery: Delivery) -> dict[str, str]:
    body, forgery = delivery.body, delivery.forgery
    signed = b"{}" if forgery == "another body" else body
    if delivery.provider == "paystack":
        key = settings.PAYSTACK_SECRET_KEY if forgery in ("", "another body") else "sk_test_somebody_elses"
        name, signature = "x-paystack-signature", paystack_signature(signed, key)
    else:
        secrets = ("whsec_somebody_elses",) if forgery == "another key" else tuple(settings.STRIPE_WEBHOOK_SECRETS)
        age = settings.STRIPE_WEBHOOK_TOLERANCE + 60 if forgery == "an old one" else 0
        name, signature = "stripe-signature", stripe_signature(signed, secrets, int(now().timestamp()) - age)
    if forgery == "no signature":
        return {}
    return {name: "t=1,v1=0" if forgery == "nonsense" else signature}


def played(deliveries: Sequence[Delivery], *, url: str, seed: int, waves: int, share: int) -> Counter[tuple[bool, int]]:
    """Deliver all, in so many waves, each of which is handled by workers while the next is still to come; how often
    each status was answered to (forged, genuine). `share`: in how many workers' hands each event is at once."""
    if not url:
        with stage.web() as url:
            return played(deliveries, url=url, seed=seed, waves=waves, share=share)
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    answers: Counter[tuple[bool, int]] = Counter()
    kept = local()

    def send(delivery: Delivery) -> tuple[bool, int]:
        if not hasattr(kept, "session"):
            kept.session = requests.Session()
        answer = kept.session.post(
            f"{url}/api/webhooks/{delivery.provider}",
            data=delivery.body,
            headers={"Content-Type": "application/json", **_headers(delivery)},
            timeout=60,
        )
        return bool(delivery.forgery), answer.status_code

    size = -(-len(deliveries) // waves)
    with ThreadPoolExecutor(SENDERS if waves > 1 else 1) as senders:
        for first in range(0, len(deliveries), size):
            answers.update(senders.map(send, deliveries[first : first + size]))
            handle(_fresh(), dice if waves > 1 else None, share=share)
    for _ in range(ROUNDS):
        if not (waiting := _waiting()):
            break
        handle(waiting, dice if waves > 1 else None, share=share)
    return answers


def _fresh() -> list[UUID]:
    untried = InboundEvent.objects.filter(status=EventStatus.PENDING, attempts=0)
    return list(untried.order_by("received_at", "id").values_list("pk", flat=True))


def _waiting() -> list[UUID]:
    """Those put off until later, as if it were later."""
    pending = InboundEvent.objects.filter(status=EventStatus.PENDING)
    pending.update(due_at=now() - timedelta(seconds=1), lease_until=None)
    return list(pending.order_by("received_at", "id").values_list("pk", flat=True))


def handle(event_ids: Sequence[UUID], dice: random.Random | None, *, share: int) -> None:
    """Handle these events, each by `share` workers at the same time; shuffled where there is a `dice`."""
    hands = [list(event_ids) for _ in range(share)]
    for hand in hands:
        if dice is not None:
            dice.shuffle(hand)
    parts = [hand[number::WORKERS] for hand in hands for number in range(WORKERS)] if share > 1 else hands

    def work(part: list[UUID]) -> None:
        try:
            for event_id in part:
                event_handle(event_id)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(parts)) as workers:
        list(workers.map(work, parts))


def _breaches() -> str:
    broken = sorted({result.code for result in checks_run() if not result.holds})
    return ", ".join(broken) or "none"
