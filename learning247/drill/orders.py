"""One payment's six events in any order, some of them twice: whatever the order, one final state.

A sale of which a part goes back by hand, and whose rest is then disputed and decided, at both gateways. Each event is
handled as soon as it has come, and at the gateway everything happens as late as the order of its events allows: in some
orders we hear of each step at once, in others of none before all of them are over.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import orjson

from learning247.drill import stage
from learning247.drill.findings import Finding, found, measured
from learning247.integrations import paystack, stripe
from learning247.kit.clock import now
from learning247.records.enums import EventStatus
from learning247.records.models import InboundEvent
from learning247.records.services.inbox import event_handle, event_receive
from learning247.records.services.prove import checks_run
from learning247.sandbox.control import ControlClient
from payments.gateways import RefundRequest, gateway_named
from payments.models import Dispute, Entitlement, Payment
from wallets.models import JournalLine

ORDERS_QUICK = 8
SEED = 720
PART = 1_001
RIGHT, PARKED = "right", "parked"
# So many checkouts are opened at once, or the first ones would have run out before the last are played.
BATCH = 60


@dataclass(frozen=True, slots=True)
class FinalState:
    """How a payment and its dispute end, and what each kind of account holds because of them; minor units."""

    status: str
    refunded_minor: int
    dispute: str
    shares: tuple[int, int, int]
    access: bool
    books: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SixEvents:
    """What happens at a gateway, in its order, the events of each step, and how it ends."""

    name: str
    currency: str
    steps: tuple[tuple[str, tuple[str, ...]], ...]
    ends: FinalState


UNTOUCHED = FinalState("pending", 0, "", (0, 0, 0), access=False, books={})

_PAYSTACK = (
    ("pay", ("charge.success",)),
    ("give back", ("refund.pending",)),
    ("arrive", ("refund.processed",)),
    ("dispute", ("charge.dispute.create",)),
    ("remind", ("charge.dispute.remind",)),
)
_STRIPE_DISPUTE = ("dispute", ("charge.dispute.created", "charge.dispute.funds_withdrawn"))

SETS = (
    SixEvents(
        "Paystack, lost",
        "NGN",
        (*_PAYSTACK, ("lost", ("charge.dispute.resolve",))),
        FinalState(
            "disputed",
            PART,
            "lost",
            (1_999_199, 499_800, 2_498_999),
            access=False,
            # The sale is gone from all accounts; what the gateway took for it is not.
            books={"gateway-paystack": 47_500, "gateway_costs": -47_500},
        ),
    ),
    SixEvents(
        "Paystack, won",
        "NGN",
        (*_PAYSTACK, ("won", ("charge.dispute.resolve",))),
        FinalState(
            "partially_refunded",
            PART,
            "won",
            (0, 0, 0),
            access=True,
            books={
                "gateway-paystack": -2_451_499,
                "gateway_costs": -47_500,
                "available": 1_999_199,
                "fees": 499_800,
            },
        ),
    ),
    SixEvents(
        "Stripe, lost",
        "USD",
        (
            ("pay", ("checkout.session.completed", "payment_intent.succeeded")),
            ("give back", ("refund.created",)),
            _STRIPE_DISPUTE,
            ("lost", ("charge.dispute.closed",)),
        ),
        FinalState(
            "disputed",
            PART,
            "lost",
            (1_599, 400, 1_999),
            access=False,
            books={"gateway-stripe": 1_617, "gateway_costs": -117, "losses": -1_500},
        ),
    ),
    SixEvents(
        "Stripe, won",
        "USD",
        (
            ("pay", ("checkout.session.completed",)),
            ("give back", ("refund.created",)),
            _STRIPE_DISPUTE,
            ("won", ("charge.dispute.funds_reinstated", "charge.dispute.closed")),
        ),
        FinalState(
            "partially_refunded",
            PART,
            "won",
            (0, 0, 0),
            access=True,
            books={
                "gateway-stripe": -382,
                "gateway_costs": -117,
                "available": 1_599,
                "fees": 400,
                "losses": -1_500,
            },
        ),
    ),
)


def run(*, full: bool) -> list[Finding]:
    """All 720 orders of each set in full, a sample of them otherwise."""
    with stage.copied_database(), stage.gateways() as sandbox:
        return ordered(sandbox.control, 0 if full else ORDERS_QUICK, seed=SEED)


def ordered(control: ControlClient, number: int, *, seed: int) -> list[Finding]:
    """`number` orders of each set, 0 for all, on the database of now; the seed says which ones."""
    control.behave(paystack_refund_outcome="none")
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    findings = []
    for six in SETS:
        every = list(permutations(event for _, events in six.steps for event in events))
        chosen = dice.sample(every, number) if number else every
        ends = Counter(_ends(control, six, chosen, dice))
        right, parked = ends.pop(RIGHT, 0), ends.pop(PARKED, 0)
        findings.append(found(f"{six.name}: orders with one end, or parked", wanted=len(chosen), seen=right + parked))
        findings.append(measured(f"{six.name}: parked, nothing booked", f"{parked:,}"))
        findings += [Finding(f"{six.name}: another end", "0", f"{count} {end}", False) for end, count in ends.items()]
    broken = sorted({result.code for result in checks_run() if not result.holds})
    return [*findings, found("checks that do not hold", wanted="none", seen=", ".join(broken) or "none")]


def _ends(control: ControlClient, six: SixEvents, orders: Sequence[Sequence[str]], dice: random.Random) -> list[str]:
    ends = []
    for first in range(0, len(orders), BATCH):
        batch = orders[first : first + BATCH]
        for payment, order in zip(stage.checkouts(len(batch), currencies=(six.currency,)), batch, strict=True):
            events = _play(control, payment, six, order, dice)
            ends.append(_end_of(payment, six, events))
    return ends


def _end_of(payment: Payment, six: SixEvents, events: Collection[UUID]) -> str:
    """RIGHT, PARKED, or what it is instead. Parked: what made no sense any more says why, and nothing came of it."""
    end = final_state(Payment.objects.get(pk=payment.pk))
    undone = InboundEvent.objects.filter(pk__in=events).exclude(status=EventStatus.DONE)
    if not undone and end == six.ends:
        return RIGHT
    if undone and end == UNTOUCHED and all(event.status == EventStatus.PARKED and event.reason for event in undone):
        return PARKED
    return f"{end}, {len(undone)} events undone"


def _play(
    control: ControlClient, payment: Payment, six: SixEvents, order: Sequence[str], dice: random.Random
) -> set[UUID]:
    """Each step at the gateway just before the first of its events comes; then what was put off, as if it were later.
    The events' ids."""
    world = _World(control, payment)
    steps = [step for step, _ in six.steps]
    step_of = {event: place for place, (_, events) in enumerate(six.steps) for event in events}
    kept = set()
    for event in order:
        while len(world.happened) <= step_of[event]:
            world.happens(steps[len(world.happened)])
        for _ in range(dice.choice((1, 1, 2))):
            event_id = _received(payment.gateway, world.body_of(event))
            kept.add(event_id)
            event_handle(event_id)
    while waiting := _waiting():
        dice.shuffle(waiting)
        for event_id in waiting:
            event_handle(event_id)
    return kept


def _received(gateway: str, body: bytes) -> UUID:
    """Kept as the webhook keeps it."""
    wire, content = {"paystack": paystack, "stripe": stripe}[gateway], orjson.loads(body)
    event_id, _ = event_receive(
        source=gateway,
        external_id=wire.event_key(content),
        event_type=wire.event_type(content),
        headers={},
        body=body,
    )
    return event_id


def _waiting() -> list[UUID]:
    pending = InboundEvent.objects.filter(status=EventStatus.PENDING)
    pending.update(due_at=now() - timedelta(seconds=1), lease_until=None)
    return list(pending.order_by("received_at", "id").values_list("pk", flat=True))


class _World:
    """One payment's life at its gateway."""

    def __init__(self, control: ControlClient, payment: Payment) -> None:
        self._control = control
        self._payment = payment
        self._dispute = ""
        self._refund = ""
        self.happened: list[str] = []

    def happens(self, step: str) -> None:
        steps: dict[str, Callable[[], None]] = {
            "pay": self._pay,
            "give back": self._give_back,
            "arrive": lambda: self._arrive("processed"),
            "dispute": self._open_dispute,
        }
        steps.get(step, lambda: self._decide(step))()
        self.happened.append(step)

    def body_of(self, event: str) -> bytes:
        """As the gateway announces it, with how things stood when it happened; it is the newest of its kind."""
        (newest,) = self._control.webhooks(provider=self._payment.gateway, event=event, limit="1")
        return bytes(newest["body"], "utf-8")

    def _pay(self) -> None:
        self._control.pay(self._payment.gateway, stage.at_gateway(self._payment))

    def _give_back(self) -> None:
        gateway, payment = gateway_named(self._payment.gateway), self._payment
        paid_as = gateway.fetch(reference=payment.reference, gateway_reference=payment.gateway_reference)
        self._refund = gateway.create_refund(
            RefundRequest(
                reference="",
                idempotency_key=f"{payment.reference}.by-hand",
                payment_reference=payment.reference,
                gateway_payment_id=paid_as.gateway_payment_id,
                amount_minor=PART,
                currency=payment.currency,
            )
        ).gateway_refund_id

    def _arrive(self, status: str) -> None:
        self._control.conclude_refund(self._payment.gateway, self._refund, status)

    def _open_dispute(self) -> None:
        opened = self._control.open_dispute(self._payment.gateway, stage.at_gateway(self._payment))
        self._dispute = str(opened["id"])

    def _decide(self, outcome: str) -> None:
        self._control.decide_dispute(self._payment.gateway, self._dispute, outcome)


def final_state(payment: Payment) -> FinalState:
    """What the books and the tables hold of it now, without ids and times."""
    books: dict[str, int] = defaultdict(int)
    for line in JournalLine.objects.filter(entry__reference=payment.reference).select_related("account"):
        books[line.account.kind] += line.amount_minor
    dispute = Dispute.objects.filter(payment=payment).first()
    return FinalState(
        payment.status,
        payment.refunded_minor,
        dispute.status if dispute else "",
        (dispute.seller_minor, dispute.platform_minor, dispute.withdrawn_minor) if dispute else (0, 0, 0),
        access=Entitlement.objects.filter(payment=payment, revoked_at=None).exists(),
        books={kind: minor for kind, minor in sorted(books.items()) if minor},
    )
