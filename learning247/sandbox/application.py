"""All parts put together as one ASGI application, with the tasks that run beside the requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from learning247.sandbox.clock import Clock
from learning247.sandbox.config import Config
from learning247.sandbox.gateway import Gateway, RequestLog, Severer
from learning247.sandbox.google.dialect import AUTHORIZE, Google
from learning247.sandbox.google.page import ConsentPage
from learning247.sandbox.levers import Levers
from learning247.sandbox.pages import index_page
from learning247.sandbox.paystack import checkout as paystack_page
from learning247.sandbox.paystack.dialect import Paystack
from learning247.sandbox.state import StateFile
from learning247.sandbox.stripe import page as stripe_page
from learning247.sandbox.stripe.dialect import Stripe
from learning247.sandbox.web_client import WebClient
from learning247.sandbox.world import DEFAULT_DIALS, World

SAVE_SECONDS = 2.0


class Application:
    """One sandbox, as an ASGI application."""

    def __init__(self, config: Config, sever: Severer) -> None:
        self._file = StateFile(config.state_path) if config.state_path else None
        snapshot = self._file.read() if self._file else None
        self.world = World(config, Clock(snapshot["offset"] if snapshot else 0.0))
        paystack, stripe, google = Paystack(self.world), Stripe(self.world), Google(self.world)
        log = RequestLog()
        if snapshot:
            self.world.store.load(snapshot)
            known = {name: value for name, value in snapshot["behaviour"].items() if name in DEFAULT_DIALS}
            self.world.behave(known)
        pages = (
            paystack_page.PaymentPage(paystack.transactions),
            stripe_page.PaymentPage(stripe.sessions, stripe.disputes, stripe.objects),
        )
        setup = stripe_page.SetupPage(stripe.accounts, stripe.objects)
        both = ["GET", "POST"]
        self._starlette = Starlette(
            lifespan=self._lifespan,
            routes=[
                Route("/", self._index),
                Route("/paystack/checkout/{access_code}", pages[0].serve, methods=both),
                Route("/stripe/c/pay/{session}", pages[1].serve, methods=both),
                Route("/stripe/setup/{account}/{token}", setup.serve, methods=both),
                Route(f"/google{AUTHORIZE}", ConsentPage(google, config).serve, methods=both),
                *WebClient(config.paystack_webhook_url).routes(),
                *Levers(self.world, paystack, stripe, log, pages).routes(),
                Mount("/paystack", Gateway(self.world, paystack, log, sever)),
                Mount("/stripe", Gateway(self.world, stripe, log, sever)),
                Mount("/google", Gateway(self.world, google, log, sever)),
            ],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        looking = scope["type"] != "http" or (scope["method"] == "GET" and scope["path"].startswith("/control"))
        if not looking:
            self.world.store.touch()
        await self._starlette(scope, receive, send)

    async def _index(self, request: Request) -> Response:
        config, outbox = self.world.config, self.world.outbox
        return HTMLResponse(index_page(config.public_url, outbox.urls, self.world.store.sizes()))

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await self.world.outbox.open()
        self.world.agenda.resume()
        self.world.outbox.recover()
        tasks = [asyncio.create_task(self.world.agenda.run())]
        if self._file:
            tasks.append(asyncio.create_task(self._save_now_and_then()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            await self.world.outbox.close()
            if self._file:
                self._file.write(self._serialised())

    async def _save_now_and_then(self) -> None:
        assert self._file is not None
        saved = self.world.store.changes
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            if self.world.store.changes == saved:
                continue
            saved = self.world.store.changes
            # Serialised in the loop, where nothing else runs meanwhile; written outside it.
            await asyncio.to_thread(self._file.write, self._serialised())

    def _serialised(self) -> str:
        state = self.world.store.dump() | {
            "offset": self.world.clock.offset,
            "behaviour": self.world.behaviour,
        }
        return json.dumps(state)
