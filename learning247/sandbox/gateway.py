"""One provider's API behind its prefix: routing, faults, the request log. An ASGI application."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from learning247.sandbox.faults import FaultPlan, Target
from learning247.sandbox.wire import Call, Handler, Json, RefusalError, Reply
from learning247.sandbox.world import World

KEPT_REQUESTS = 10_000
SECRET_HEADERS = ("authorization", "cookie")
Severer = Callable[[Scope], None]
"""Closes the connection of a request without a word."""


@dataclass(frozen=True)
class Route:
    """A method and a path template such as ``/transaction/verify/{reference}``."""

    method: str
    template: str
    handler: Handler

    def match(self, path: str) -> dict[str, str] | None:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template)
        found = re.fullmatch(pattern, path)
        return found.groupdict() if found else None


class Dialect(Protocol):
    """What differs between providers around a handler."""

    provider: str
    routes: list[Route]

    def authenticate(self, call: Call) -> None:
        """Raise the provider's refusal of a wrong or missing key."""

    def missing(self, call: Call) -> Reply:
        """The answer for a path that is not there."""

    def broken(self, call: Call, status: int) -> Reply:
        """The answer of a gateway in trouble, before any effect."""

    def begin(self, call: Call) -> Reply | None:
        """Look at an idempotency key before the effect; a reply here is the final one."""

    def execute(self, call: Call, handler: Handler) -> Reply:
        """Run a handler."""

    def finish(self, call: Call, reply: Reply) -> None:
        """Remember an outcome under its idempotency key."""

    def release(self, call: Call) -> None:
        """The call is over, also when it broke down half-way."""

    def stamp(self, call: Call, reply: Reply) -> Reply:
        """Add the headers that every answer has."""


class RequestLog:
    """The last calls and answers, without secrets, newest last."""

    def __init__(self) -> None:
        self._records: deque[Json] = deque(maxlen=KEPT_REQUESTS)
        self._numbered = 0

    def add(self, call: Call, reply: Reply | None, faults: list[str], milliseconds: int) -> None:
        self._numbered += 1
        self._records.append(
            {
                "id": self._numbered,
                "provider": call.provider,
                "method": call.method,
                "path": call.path,
                "route": call.route,
                "query": [list(pair) for pair in call.query],
                "headers": _public(call.headers),
                "body": call.body.decode("utf-8", "replace"),
                "faults": faults,
                "milliseconds": milliseconds,
                "response": None
                if reply is None
                else {"status": reply.status, "headers": reply.headers, "body": reply.body},
            }
        )

    def records(self) -> list[Json]:
        return list(self._records)

    def clear(self) -> None:
        self._records.clear()


class Gateway:
    """Serves one dialect. Handlers are synchronous: within one, nothing else happens in the world."""

    def __init__(self, world: World, dialect: Dialect, log: RequestLog, sever: Severer) -> None:
        self._world = world
        self._dialect = dialect
        self._log = log
        self._sever = sever

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        started = time.monotonic()
        call, handler = self._understand(request, await request.body())
        target = Target(call.provider, call.method, call.path, call.route)
        plan = self._world.dial.plan_call(target) if handler else FaultPlan({})
        reply = await self._answer(call, handler, plan)
        self._log.add(call, reply, plan.kinds(), int((time.monotonic() - started) * 1000))
        if reply is not None and await self._in_time(plan, receive):
            await _response(reply)(scope, receive, send)
        else:
            self._sever(scope)
            await _gone(receive)

    def _understand(self, request: Request, body: bytes) -> tuple[Call, Handler | None]:
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        query = parse_qsl(request.url.query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in request.headers.items()}
        for route in self._dialect.routes:
            arguments = route.match(path) if route.method == request.method else None
            if arguments is not None:
                return self._call(request.method, path, route.template, arguments, query, headers, body), route.handler
        return self._call(request.method, path, "", {}, query, headers, body), None

    def _call(
        self,
        method: str,
        path: str,
        route: str,
        arguments: Mapping[str, str],
        query: list[tuple[str, str]],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Call:
        return Call(
            self._dialect.provider,
            method,
            path,
            route,
            arguments,
            tuple(query),
            headers,
            body,
            f"req_{secrets.token_urlsafe(10)}",
        )

    async def _answer(self, call: Call, handler: Handler | None, plan: FaultPlan) -> Reply | None:
        """The reply, or none when the connection is to be dropped before any effect."""
        if plan.get("drop"):
            return None
        try:
            self._dialect.authenticate(call)
            known = self._dialect.begin(call)
        except RefusalError as refusal:
            return self._dialect.stamp(call, refusal.reply)
        if known is not None:
            return known
        try:
            return await self._execute(call, handler, plan)
        finally:
            self._dialect.release(call)

    async def _execute(self, call: Call, handler: Handler | None, plan: FaultPlan) -> Reply:
        delay, error = plan.get("delay"), plan.get("error")
        if delay:
            await asyncio.sleep(delay.wait())
        reply = self._dialect.broken(call, error.status) if error else self._handle(call, handler)
        self._dialect.finish(call, reply)
        return self._dialect.stamp(call, Reply(reply.status, plan.distort(reply.body), reply.headers))

    def _handle(self, call: Call, handler: Handler | None) -> Reply:
        if handler is None:
            return self._dialect.missing(call)
        try:
            return self._dialect.execute(call, handler)
        except RefusalError as refusal:
            return refusal.reply

    async def _in_time(self, plan: FaultPlan, receive: Receive) -> bool:
        """Hold an answer back whose effect has happened; false when it shall never come."""
        timeout, late = plan.get("timeout"), plan.get("late")
        rule = timeout or late
        if rule is None:
            return True
        return not await _gone(receive, seconds=rule.wait()) and timeout is None


async def _gone(receive: Receive, seconds: float = 5.0) -> bool:
    """Wait until the client has hung up; false when it still holds the line after that time."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                continue
    except TimeoutError:
        return False
    return True


def _response(reply: Reply) -> Response:
    return Response(
        json.dumps(reply.body, separators=(",", ":")),
        status_code=reply.status,
        headers=reply.headers,
        media_type="application/json",
    )


def _public(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: "Bearer ***" if name in SECRET_HEADERS else value for name, value in headers.items()}
