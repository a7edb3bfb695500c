"""Webhook delivery: sign the raw bytes, send, retry as each provider does, and keep a log of it all."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterable

import httpx

from learning247.sandbox.agenda import Agenda
from learning247.sandbox.clock import Clock
from learning247.sandbox.config import Config
from learning247.sandbox.faults import FaultDial, FaultPlan, Target
from learning247.sandbox.signatures import paystack_signature, stripe_signature
from learning247.sandbox.state import Store
from learning247.sandbox.wire import Json

# Seconds between tries. Paystack (docs/gateways.md §1): four tries three minutes apart, then hourly for 72 hours.
PAYSTACK_WAITS = (180,) * 3 + (3600,) * 72
# Stripe (docs/gateways.md §2): up to three days with a growing distance.
STRIPE_WAITS = (300, 900, 1800, 3600, 7200, 14400, 28800, 43200, 43200, 43200, 43200)
WAITS = {"paystack": PAYSTACK_WAITS, "stripe": STRIPE_WAITS}
PATIENCE = {"paystack": 30.0, "stripe": 15.0}
"""Seconds that each provider waits for an answer."""

CONCURRENT_PER_URL = 16
KEPT_DELIVERIES = 5_000


def accepted(provider: str, status: int) -> bool:
    """Paystack counts 200 alone as received, Stripe any 2xx."""
    return status == 200 if provider == "paystack" else 200 <= status < 300


class Outbox:
    """Deliveries by id. ``status``: waiting, held (paused or reordered), delivered, failed, dropped."""

    def __init__(self, config: Config, clock: Clock, store: Store, agenda: Agenda, dial: FaultDial) -> None:
        self._config = config
        self._clock = clock
        self._store = store
        self._rows = store.table("webhooks")
        self._agenda = agenda
        self._dial = dial
        self._client: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._held_back: list[Json] = []
        self._lanes: dict[str, asyncio.Semaphore] = {}
        self.urls = {"paystack": config.paystack_webhook_url, "stripe": config.stripe_webhook_url}
        self.paused: set[str] = set()
        agenda.register("webhook.attempt", lambda arguments: self.deliver(arguments["id"]))
        agenda.register("webhook.overdue", lambda arguments: self._let_go(arguments["id"]))

    # -- making deliveries ---------------------------------------------------------------------------------

    def emit(self, provider: str, event: str, payload: Json, *, about: str) -> None:
        """Queue an event. ``about`` is the reference or object id it is about, for finding it in the log."""
        plan = self._dial.plan_event(Target(provider, event=event))
        payload = plan.distort(payload, prefix="webhook_")
        delivery = self._record(provider, event, payload, about, plan)
        if plan.get("webhook_drop"):
            delivery["status"] = "dropped"
            return
        self._queue(delivery, plan)

    def _record(self, provider: str, event: str, payload: Json, about: str, plan: FaultPlan) -> Json:
        number = str(self._store.count("webhooks"))
        indent = 2 if provider == "stripe" else None
        delivery: Json = {
            "id": number,
            "provider": provider,
            "event": event,
            "about": about,
            "url": self.urls[provider],
            "body": json.dumps(payload, indent=indent),
            "status": "waiting",
            "attempts": [],
            "failures": 0,
            "reordered": False,
            "faults": plan.kinds(),
            "created": self._clock.now(),
        }
        self._rows[number] = delivery
        while len(self._rows) > KEPT_DELIVERIES:
            del self._rows[next(iter(self._rows))]
        return delivery

    def _queue(self, delivery: Json, plan: FaultPlan) -> None:
        reorder, delay, duplicate = (
            plan.get("webhook_reorder"),
            plan.get("webhook_delay"),
            plan.get("webhook_duplicate"),
        )
        if reorder:
            # Held back until a later event has gone out, or for so long when none comes.
            delivery["reordered"] = True
            self._held_back.append(delivery)
            self._agenda.schedule("webhook.overdue", {"id": delivery["id"]}, delay=reorder.wait())
            return
        wait = delay.wait() if delay else 0.0
        for _ in range(1 + (duplicate.count if duplicate else 0)):
            self._agenda.schedule("webhook.attempt", {"id": delivery["id"]}, delay=wait)

    def _let_go(self, number: str) -> None:
        row = self._rows.get(number)
        if row is not None and row["reordered"]:
            row["reordered"] = False
            self.deliver(number)

    def _let_go_older(self, newer: Json) -> None:
        """What was held back for a later event follows once that event was sent."""
        for row in list(self._held_back):
            if row["provider"] == newer["provider"] and int(row["id"]) < int(newer["id"]):
                self._held_back.remove(row)
                self._let_go(row["id"])

    # -- sending -------------------------------------------------------------------------------------------

    def deliver(self, number: str, *, force: bool = False) -> None:
        """Try now. A paused provider's delivery is held instead, unless forced."""
        row = self._rows.get(number)
        if row is None or self._client is None:
            return
        if not force and row["provider"] in self.paused:
            row["status"] = "held"
            return
        task = asyncio.get_running_loop().create_task(self._attempt(row))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self, row: Json) -> None:
        lane = self._lanes.setdefault(row["url"], asyncio.Semaphore(CONCURRENT_PER_URL))
        async with lane:
            attempt = await self._post(row)
        row["attempts"].append(attempt)
        self._store.touch()
        if attempt["accepted"]:
            row["status"] = "delivered"
        elif row["status"] != "delivered":
            self._retry_later(row)
        self._let_go_older(row)

    async def _post(self, row: Json) -> Json:
        assert self._client is not None
        body = row["body"].encode()
        started = time.monotonic()
        status, problem = 0, ""
        try:
            answer = await self._client.post(
                row["url"],
                content=body,
                headers=self._headers(row["provider"], body),
                timeout=PATIENCE[row["provider"]],
            )
            status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            problem = f"{type(error).__name__}: {error}"
        return {
            "at": self._clock.now(),
            "status": status,
            "problem": problem,
            "accepted": accepted(row["provider"], status),
            "milliseconds": int((time.monotonic() - started) * 1000),
        }

    def _headers(self, provider: str, body: bytes) -> dict[str, str]:
        headers = {"content-type": "application/json; charset=utf-8"}
        if provider == "paystack":
            headers["user-agent"] = "Paystack/2.0"
            headers["x-paystack-signature"] = paystack_signature(body, self._config.paystack_secret_key)
        else:
            headers["user-agent"] = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
            # The real time, not the sandbox's: the receiver compares it with its own clock.
            headers["stripe-signature"] = stripe_signature(body, self._config.stripe_webhook_secrets, int(time.time()))
        return headers

    def _retry_later(self, row: Json) -> None:
        waits = WAITS[row["provider"]]
        if row["failures"] >= len(waits):
            row["status"] = "failed"
            return
        row["status"] = "waiting"
        self._agenda.schedule("webhook.attempt", {"id": row["id"]}, delay=waits[row["failures"]])
        row["failures"] += 1

    # -- the control API's levers --------------------------------------------------------------------------

    def select(self, keep: Callable[[Json], bool]) -> list[Json]:
        return [row for row in self._rows.values() if keep(row)]

    def get(self, number: str) -> Json | None:
        return self._rows.get(number)

    def pause(self, providers: Iterable[str]) -> None:
        self.paused.update(providers)

    def resume(self, providers: Iterable[str]) -> None:
        """Let deliveries go again, those held meanwhile first and in their order."""
        self.paused.difference_update(providers)
        for row in self.select(lambda row: row["status"] == "held" and row["provider"] not in self.paused):
            row["status"] = "waiting"
            self.deliver(row["id"])

    async def shuffle(self, seed: int) -> list[str]:
        """Send everything undelivered one by one in an order that the seed decides; answers that order."""
        numbers = [row["id"] for row in self.select(lambda row: row["status"] in ("held", "waiting"))]
        random.Random(seed).shuffle(numbers)  # noqa: S311 - repeatable, not secret
        for number in numbers:
            await self._attempt(self._rows[number])
        return numbers

    async def send(self, number: str) -> Json:
        """Try once and wait for the outcome, paused or not."""
        await self._attempt(self._rows[number])
        return self._rows[number]

    def idle(self) -> bool:
        """True when nothing is on the wire and nothing is due at this moment."""
        return not self._tasks and not self.select(lambda row: row["status"] == "waiting" and not row["attempts"])

    def recover(self) -> None:
        """After a restart: what was on the wire, or held by a pause that is over, gets its next try."""
        planned = self._agenda.arguments("webhook.attempt") + self._agenda.arguments("webhook.overdue")
        numbers = {arguments["id"] for arguments in planned}
        for row in self.select(lambda row: row["status"] in ("waiting", "held") and row["id"] not in numbers):
            self._agenda.schedule("webhook.attempt", {"id": row["id"]}, delay=0)

    async def open(self) -> None:
        # The provider never goes through the operator's proxy to reach a local address.
        self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None
