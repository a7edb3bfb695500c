"""Idempotency keys (docs/gateways.md §2): the first outcome of a key is the outcome of all its repetitions.

Kept 24 hours per account. The same key with other parameters, or on another path, is a 400; a twin that is
still on its way a 409. What failed before execution began (wrong parameters, a gateway in front that was
away) is not kept.
"""

from __future__ import annotations

import hashlib

from learning247.sandbox.stripe.errors import refusal
from learning247.sandbox.wire import Call, Reply
from learning247.sandbox.world import World

KEPT_SECONDS = 24 * 3600
LONGEST = 255
# Answers of a proxy, not of the API: execution never began.
NOT_EXECUTED = (401, 409, 429, 502, 503, 504)


class Idempotency:
    def __init__(self, world: World) -> None:
        self._world = world
        self._rows = world.store.table("stripe.idempotency")
        self._running: set[str] = set()

    def begin(self, call: Call) -> Reply | None:
        """The stored reply of a repetition; none when the call is to be executed."""
        key = _key_of(call)
        if not key:
            return None
        if len(key) > LONGEST:
            raise refusal(f"Idempotency keys are at most {LONGEST} characters")
        place = _place(call, key)
        known = self._rows.get(place)
        if known is not None and known["created"] + KEPT_SECONDS <= self._world.clock.now():
            del self._rows[place]
            known = None
        if place in self._running:
            raise refusal(
                "There is currently another in-progress request using this key. Try again later.",
                status=409,
                kind="idempotency_error",
                code="idempotency_key_in_use",
            )
        if known is None:
            self._running.add(place)
            return None
        if known["fingerprint"] != _fingerprint(call):
            raise refusal(
                "Keys for idempotent requests can only be used with the same parameters they were first used "
                f"with: {key}",
                kind="idempotency_error",
            )
        headers = {"idempotent-replayed": "true", "original-request": known["request"]}
        return Reply(known["status"], known["body"], headers)

    def finish(self, call: Call, reply: Reply) -> None:
        """Store the outcome of an executed call and let its twins in."""
        key = _key_of(call)
        place = _place(call, key)
        if not key or place not in self._running:
            return
        self._running.discard(place)
        if reply.status in NOT_EXECUTED or _never_began(reply):
            return
        self._rows[place] = {
            "fingerprint": _fingerprint(call),
            "status": reply.status,
            "body": reply.body,
            "request": call.request_id,
            "created": self._world.clock.now(),
        }

    def release(self, call: Call) -> None:
        """Forget that a call is running, after it broke down."""
        self._running.discard(_place(call, _key_of(call)))


def _key_of(call: Call) -> str:
    return call.headers.get("idempotency-key", "") if call.method == "POST" else ""


def _place(call: Call, key: str) -> str:
    return f"{call.headers.get('stripe-account', '')} {key}"


def _fingerprint(call: Call) -> str:
    return hashlib.sha256(f"{call.method} {call.path} ".encode() + call.body).hexdigest()


def _never_began(reply: Reply) -> bool:
    """Wrong parameters are refused before anything is executed; a ``param`` in the error tells."""
    error = reply.body.get("error", {})
    return reply.status in (400, 404) and bool(error.get("param"))
