"""The control API, ``/control``: what a test or a person pulls to make the providers behave in a certain way.

JSON in and out. A request that makes no sense is answered 400 ``{"error": …}``, an unknown thing 404.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from learning247.sandbox.faults import FaultError
from learning247.sandbox.gateway import RequestLog
from learning247.sandbox.paystack import checkout as paystack_page
from learning247.sandbox.paystack.dialect import Paystack
from learning247.sandbox.stripe import page as stripe_page
from learning247.sandbox.stripe.dialect import Stripe
from learning247.sandbox.stripe.objects import PLATFORM
from learning247.sandbox.wire import Json, RefusalError
from learning247.sandbox.world import DEFAULT_DIALS, DialError, World

PROVIDERS = ("paystack", "stripe")
TABLES_SHOWN = 200
Lever = Callable[[Request, Json], Awaitable[Any]]


class LeverError(ValueError):
    """A control request that makes no sense."""


class NotThereError(LookupError):
    """A control request about something unknown."""


class Levers:
    """Routes of the control API."""

    def __init__(
        self,
        world: World,
        paystack: Paystack,
        stripe: Stripe,
        log: RequestLog,
        pages: tuple[paystack_page.PaymentPage, stripe_page.PaymentPage],
    ) -> None:
        self._world = world
        self._paystack = paystack
        self._stripe = stripe
        self._log = log
        self._paystack_page, self._stripe_page = pages

    def routes(self) -> list[Route]:
        table: list[tuple[str, str, Lever]] = [
            ("GET", "/health", self.health),
            ("GET", "/state", self.state),
            ("POST", "/reset", self.reset),
            ("POST", "/clock", self.clock),
            ("GET", "/behaviour", self.behaviour),
            ("POST", "/behaviour", self.behave),
            ("POST", "/balances", self.top_up),
            ("GET", "/faults", self.faults),
            ("POST", "/faults", self.add_fault),
            ("DELETE", "/faults", self.clear_faults),
            ("DELETE", "/faults/{id}", self.remove_fault),
            ("POST", "/faults/random", self.randomise_faults),
            ("GET", "/requests", self.requests),
            ("DELETE", "/requests", self.forget_requests),
            ("GET", "/webhooks", self.webhooks),
            ("POST", "/webhooks/urls", self.redirect_webhooks),
            ("POST", "/webhooks/pause", self.pause),
            ("POST", "/webhooks/resume", self.resume),
            ("POST", "/webhooks/shuffle", self.shuffle),
            ("POST", "/webhooks/deliver", self.deliver_all),
            ("GET", "/webhooks/{id}", self.webhook),
            ("POST", "/webhooks/{id}/deliver", self.deliver),
            ("POST", "/webhooks/{id}/duplicate", self.duplicate),
            ("POST", "/{provider}/checkouts/{id}", self.checkout),
            ("POST", "/{provider}/disputes", self.dispute),
            ("POST", "/{provider}/disputes/{id}", self.decide_dispute),
            ("POST", "/{provider}/refunds/{id}", self.refund),
            ("POST", "/{provider}/transfers/{id}", self.transfer),
            ("POST", "/{provider}/payouts", self.pay_out),
            ("POST", "/{provider}/payouts/{id}", self.payout),
            ("POST", "/stripe/topups", self.own_top_up),
            ("POST", "/stripe/topups/{id}", self.reverse_top_up),
            ("POST", "/stripe/accounts/{id}", self.account),
        ]
        return [Route(f"/control{path}", _endpoint(lever), methods=[method]) for method, path, lever in table]

    # -- the whole -----------------------------------------------------------------------------------------

    async def health(self, request: Request, body: Json) -> Json:
        return {"ok": True, "webhooks_idle": self._world.outbox.idle()}

    async def state(self, request: Request, body: Json) -> Json:
        """All tables, or with ``?table=`` the newest rows of one."""
        name = request.query_params.get("table")
        if name:
            rows = list(self._world.store.newest(name))[:TABLES_SHOWN]
            return {"table": name, "rows": rows}
        return {
            "tables": self._world.store.sizes(),
            "now": self._world.clock.now(),
            "behaviour": self._world.behaviour,
            "paused": sorted(self._world.outbox.paused),
        }

    async def reset(self, request: Request, body: Json) -> Json:
        """Forget everything: records, events, faults, logs, behaviour."""
        self._world.store.clear()
        self._world.agenda.resume()
        self._world.dial.clear()
        self._world.outbox.paused.clear()
        self._world.behaviour.update(DEFAULT_DIALS)
        self._log.clear()
        return {"ok": True}

    async def clock(self, request: Request, body: Json) -> Json:
        """``{"advance": seconds}``: what falls due until then happens now."""
        seconds = body.get("advance")
        if not isinstance(seconds, int | float) or seconds < 0:
            raise LeverError("advance must be a number of seconds")
        self._world.clock.advance(seconds)
        self._world.agenda.run_due()
        return {"now": self._world.clock.now()}

    async def behaviour(self, request: Request, body: Json) -> Json:
        return self._world.behaviour

    async def behave(self, request: Request, body: Json) -> Json:
        self._world.behave(body)
        return self._world.behaviour

    async def top_up(self, request: Request, body: Json) -> Json:
        """``{"provider", "currency", "amount", "account"?}``: amount in minor units, negative takes away."""
        provider, currency, amount = (
            _provider(body.get("provider")),
            str(body.get("currency", "")),
            body.get("amount"),
        )
        if not isinstance(amount, int) or len(currency) != 3:
            raise LeverError("amount must be an integer of minor units, currency a three-letter code")
        if provider == "paystack":
            self._paystack.ledger.move(currency.upper(), amount, reason="Top up", model="Topup", row=0)
            return {"balance": self._paystack.ledger.balance(currency.upper())}
        account = str(body.get("account", PLATFORM))
        self._stripe.balances.add(account, currency.lower(), amount)
        return {"balance": self._stripe.balances.available(account, currency.lower())}

    # -- faults --------------------------------------------------------------------------------------------

    async def faults(self, request: Request, body: Json) -> Json:
        return self._world.dial.describe()

    async def add_fault(self, request: Request, body: Json) -> Json:
        return {"id": self._world.dial.add(body).id}

    async def remove_fault(self, request: Request, body: Json) -> Json:
        number = request.path_params["id"]
        if not number.isdecimal() or not self._world.dial.remove(int(number)):
            raise NotThereError(f"no fault {number}")
        return {"ok": True}

    async def clear_faults(self, request: Request, body: Json) -> Json:
        self._world.dial.clear()
        return {"ok": True}

    async def randomise_faults(self, request: Request, body: Json) -> Json:
        seed, rates = body.get("seed", 0), body.get("rates", {})
        if not isinstance(seed, int) or not isinstance(rates, dict):
            raise LeverError("seed must be an integer, rates probabilities by kind")
        self._world.dial.randomise(seed, rates)
        return self._world.dial.describe()

    # -- requests ------------------------------------------------------------------------------------------

    async def requests(self, request: Request, body: Json) -> Json:
        """By ``provider``, ``method``, ``path`` (its beginning), ``after`` (an id); at most ``limit``,
        the newest.
        """
        asked = request.query_params
        records = [
            record
            for record in self._log.records()
            if asked.get("provider", record["provider"]) == record["provider"]
            and asked.get("method", record["method"]) == record["method"]
            and record["path"].startswith(asked.get("path", ""))
            and record["id"] > _number(asked.get("after", "0"))
        ]
        return {"requests": records[-_number(asked.get("limit", "1000")) :]}

    async def forget_requests(self, request: Request, body: Json) -> Json:
        self._log.clear()
        return {"ok": True}

    # -- webhooks ------------------------------------------------------------------------------------------

    async def webhooks(self, request: Request, body: Json) -> Json:
        """By ``provider``, ``event``, ``status`` and ``about``, oldest first."""
        asked = {
            name: request.query_params[name]
            for name in ("provider", "event", "status", "about")
            if name in request.query_params
        }
        rows = self._world.outbox.select(lambda row: all(row[name] == value for name, value in asked.items()))
        limit = _number(request.query_params.get("limit", "1000"))
        return {
            "webhooks": rows[-limit:],
            "paused": sorted(self._world.outbox.paused),
            "urls": self._world.outbox.urls,
        }

    async def webhook(self, request: Request, body: Json) -> Json:
        return self._delivery(request)

    async def redirect_webhooks(self, request: Request, body: Json) -> Json:
        """``{"paystack": url, "stripe": url}``: where later events go."""
        for provider, url in body.items():
            self._world.outbox.urls[_provider(provider)] = str(url)
        return self._world.outbox.urls

    async def pause(self, request: Request, body: Json) -> Json:
        self._world.outbox.pause(_providers(body))
        return {"paused": sorted(self._world.outbox.paused)}

    async def resume(self, request: Request, body: Json) -> Json:
        self._world.outbox.resume(_providers(body))
        return {"paused": sorted(self._world.outbox.paused)}

    async def shuffle(self, request: Request, body: Json) -> Json:
        """Send all undelivered ones in an order decided by ``seed``; answers when all are through."""
        return {"order": await self._world.outbox.shuffle(_number(body.get("seed", 0)))}

    async def deliver_all(self, request: Request, body: Json) -> Json:
        """Try everything undelivered once, in order; answers when all are through."""
        rows = self._world.outbox.select(lambda row: row["status"] in ("held", "waiting", "failed"))
        for row in rows:
            await self._world.outbox.send(row["id"])
        return {"delivered": [row["id"] for row in rows if row["status"] == "delivered"]}

    async def deliver(self, request: Request, body: Json) -> Json:
        return await self._world.outbox.send(self._delivery(request)["id"])

    async def duplicate(self, request: Request, body: Json) -> Json:
        """Send the same event ``count`` more times, one after another."""
        row = self._delivery(request)
        for _ in range(_number(body.get("count", 1))):
            await self._world.outbox.send(row["id"])
        return row

    def _delivery(self, request: Request) -> Json:
        row = self._world.outbox.get(request.path_params["id"])
        if row is None:
            raise NotThereError(f"no webhook {request.path_params['id']}")
        return row

    # -- people and banks ----------------------------------------------------------------------------------

    async def checkout(self, request: Request, body: Json) -> Json:
        """``{"action": "pay"|"decline"|"abandon"|…, "card"?}`` by reference, access code or session id."""
        page = self._paystack_page if _provider(request.path_params["provider"]) == "paystack" else self._stripe_page
        return page.act(request.path_params["id"], str(body.get("action", "pay")), str(body.get("card", "")))

    async def dispute(self, request: Request, body: Json) -> Json:
        """``{"payment", "amount"?, "reason"?, "inquiry"?}``: payment is a reference, or a session, intent or
        charge id; an inquiry of Stripe's moves no money.
        """
        payment, amount = str(body.get("payment", "")), body.get("amount")
        if amount is not None and not isinstance(amount, int):
            raise LeverError("amount must be an integer of minor units")
        if _provider(request.path_params["provider"]) == "paystack":
            return self._paystack.disputes.open(payment, amount)
        return self._stripe.disputes.open(
            payment, amount, str(body.get("reason", "general")), inquiry=body.get("inquiry") is True
        )

    async def decide_dispute(self, request: Request, body: Json) -> Json:
        """``{"outcome": "won"|"lost"}``; for Paystack also ``remind``, for Stripe ``prevented``,
        ``warning_closed``, and ``needs_response`` of an inquiry.
        """
        number, outcome = request.path_params["id"], str(body.get("outcome", ""))
        if _provider(request.path_params["provider"]) == "stripe":
            return self._stripe.disputes.close(number, outcome)
        if outcome == "remind":
            return self._paystack.disputes.remind(number)
        return self._paystack.disputes.resolve(number, outcome)

    async def refund(self, request: Request, body: Json) -> Json:
        """``{"status"}``. Paystack: processing, processed, failed, needs-attention. Stripe: succeeded,
        failed.
        """
        number, status = request.path_params["id"], str(body.get("status", ""))
        if _provider(request.path_params["provider"]) == "stripe":
            return self._stripe_refund(number, status)
        record = self._paystack.refunds.find(number)
        if not self._paystack.refunds.conclude(record, status):
            raise LeverError(f"a refund that is {record['status']} cannot become {status or 'nothing'}")
        return record

    def _stripe_refund(self, number: str, status: str) -> Json:
        refund = self._stripe.objects.get("refund", number)
        if status not in ("succeeded", "failed"):
            raise LeverError("status must be succeeded or failed")
        if status == "succeeded":
            self._stripe.refunds.succeed(refund)
        else:
            self._stripe.refunds.fail(refund)
        return refund

    async def transfer(self, request: Request, body: Json) -> Json:
        """``{"status"}``. Paystack: success, failed, reversed. Stripe: reversed."""
        number, status = request.path_params["id"], str(body.get("status", ""))
        if _provider(request.path_params["provider"]) == "paystack":
            record = self._paystack.transfers.find(number)
            if not self._paystack.transfers.conclude(record, status):
                raise LeverError(f"a transfer that is {record['status']} cannot become {status or 'nothing'}")
            return record
        transfer = self._stripe.objects.get("transfer", number)
        left = transfer["amount"] - transfer["amount_reversed"]
        if status != "reversed" or not left:
            raise LeverError("a Stripe transfer can be reversed, once")
        self._stripe.transfers.take_back(transfer, left, {})
        return transfer

    async def pay_out(self, request: Request, body: Json) -> Json:
        """``{"currency"}``: all that is there goes to our own bank, in an automatic payout or a settlement."""
        currency = str(body.get("currency", ""))
        if _provider(request.path_params["provider"]) == "paystack":
            return self._paystack.settlements.settle(currency.upper())
        return self._stripe.payouts.settle(currency.lower())

    async def payout(self, request: Request, body: Json) -> Json:
        """``{"status"}``. Stripe: paid, failed, canceled. Paystack: processing, success, failed."""
        number, status = request.path_params["id"], str(body.get("status", ""))
        if _provider(request.path_params["provider"]) == "paystack":
            return self._paystack.settlements.conclude(number, status)
        return self._stripe.payouts.conclude(number, status)

    async def own_top_up(self, request: Request, body: Json) -> Json:
        """``{"currency", "amount"}``: from our bank, in minor units."""
        amount = body.get("amount")
        if not isinstance(amount, int) or isinstance(amount, bool) or amount <= 0:
            raise LeverError("amount must be a positive integer of minor units")
        return self._stripe.topups.make(str(body.get("currency", "")).lower(), amount)

    async def reverse_top_up(self, request: Request, body: Json) -> Json:
        return self._stripe.topups.take_back(request.path_params["id"])

    async def account(self, request: Request, body: Json) -> Json:
        """``{"action": "onboard"|"restrict"}``."""
        action = str(body.get("action", "onboard"))
        if action not in ("onboard", "restrict"):
            raise LeverError("action must be onboard or restrict")
        change = self._stripe.accounts.onboard if action == "onboard" else self._stripe.accounts.restrict
        return change(request.path_params["id"])


def _endpoint(lever: Lever) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await lever(request, await _body(request)))
        except RefusalError as refusal:
            return JSONResponse({"error": refusal.reply.body}, 404 if refusal.reply.status == 404 else 400)
        except NotThereError as error:
            return JSONResponse({"error": str(error)}, 404)
        except (
            LeverError,
            FaultError,
            DialError,
            paystack_page.ActionError,
            stripe_page.ActionError,
        ) as error:
            return JSONResponse({"error": str(error)}, 400)

    return endpoint


async def _body(request: Request) -> Json:
    try:
        fields = json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise LeverError("the body must be JSON") from error
    if not isinstance(fields, dict):
        raise LeverError("the body must be a JSON object")
    return fields


def _number(value: object) -> int:
    if not isinstance(value, int | str) or not str(value).isdecimal():
        raise LeverError(f"{value!r} is not a whole number")
    return int(value)


def _provider(name: object) -> str:
    if name not in PROVIDERS:
        raise NotThereError(f"no provider {name}; there are {', '.join(PROVIDERS)}")
    return str(name)


def _providers(body: Json) -> tuple[str, ...]:
    return (_provider(body["provider"]),) if "provider" in body else PROVIDERS
