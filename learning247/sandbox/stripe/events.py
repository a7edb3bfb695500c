"""Events: what happened, with the object as it was then. Stored, listed and sent to the webhook endpoint."""

from __future__ import annotations

import copy

from learning247.sandbox.stripe.objects import PLATFORM, Objects
from learning247.sandbox.stripe.parameters import Parameters
from learning247.sandbox.wire import Call, Json, Reply
from learning247.sandbox.world import World

API_VERSION = "2026-10-28.endive"


class Events:
    def __init__(self, world: World, objects: Objects) -> None:
        self._world = world
        self._objects = objects
        self._cause: Call | None = None

    def caused_by(self, call: Call | None) -> None:
        """Name the API call on whose behalf the next events happen; none for what comes by itself."""
        self._cause = call

    def emit(self, kind: str, thing: Json, *, account: str = PLATFORM, previous: Json | None = None) -> None:
        """Record an event about an object and queue its webhook. ``previous`` holds the changed fields'
        old values.
        """
        data: Json = {"object": copy.deepcopy(thing)}
        if previous is not None:
            data["previous_attributes"] = previous
        key = self._cause.headers.get("idempotency-key") if self._cause else None
        event: Json = {
            "id": self._world.ids.mixed("evt_"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self._world.clock.seconds(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": self._cause.request_id if self._cause else None, "idempotency_key": key},
            "type": kind,
        }
        if account:
            event["account"] = account
        self._objects.keep(event)
        self._world.outbox.emit("stripe", kind, event, about=thing["id"])

    def retrieve(self, call: Call) -> Reply:
        """GET /v1/events/{id}."""
        parameters = Parameters(call)
        parameters.finish()
        return self._objects.reply(self._objects.get("event", call.arguments["id"]), parameters)

    def index(self, call: Call) -> Reply:
        """GET /v1/events, by type or types; a pattern such as ``charge.*`` is allowed."""
        parameters = Parameters(call)
        account = call.headers.get("stripe-account", PLATFORM)
        kinds = [str(kind) for kind in parameters.items("types")]
        kind = parameters.optional_text("type")
        wanted = kinds + ([kind] if kind else [])
        return self._objects.listing(
            "event",
            "/v1/events",
            parameters,
            lambda row: (
                (not wanted or any(_is(row["type"], pattern) for pattern in wanted))
                and (not account or row.get("account") == account)
            ),
        )


def _is(kind: str, pattern: str) -> bool:
    return kind == pattern or (pattern.endswith("*") and kind.startswith(pattern[:-1]))
