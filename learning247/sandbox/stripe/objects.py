"""Stripe's objects: stored as they appear on the wire, found by id, expanded and listed on the way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from learning247.sandbox.stripe.errors import no_such, refusal
from learning247.sandbox.stripe.parameters import Parameters
from learning247.sandbox.wire import Json, Reply
from learning247.sandbox.world import World

PLATFORM = ""
"""The account of the platform itself in balances and events; connected accounts go by ``acct_…``."""

TABLES = {
    "checkout.session": "stripe.sessions",
    "payment_intent": "stripe.intents",
    "charge": "stripe.charges",
    "balance_transaction": "stripe.balance_transactions",
    "refund": "stripe.refunds",
    "account": "stripe.accounts",
    "transfer": "stripe.transfers",
    "transfer_reversal": "stripe.reversals",
    "payout": "stripe.payouts",
    "topup": "stripe.topups",
    "event": "stripe.events",
    "dispute": "stripe.disputes",
}
# Fields that hold the id of another object and can be expanded.
REFERENCES = {
    "payment_intent": "payment_intent",
    "latest_charge": "charge",
    "charge": "charge",
    "balance_transaction": "balance_transaction",
    "transfer": "transfer",
    "failure_balance_transaction": "balance_transaction",
}
# Balance transactions know their source only by its prefix.
SOURCES = {
    "ch_": "charge",
    "re_": "refund",
    "tr_": "transfer",
    "trr": "transfer_reversal",
    "po_": "payout",
    "tu_": "topup",
    "dp_": "dispute",
}
NAMES = {"checkout.session": "checkout session", "balance_transaction": "balance transaction"}
DEPTH = 4


class Objects:
    def __init__(self, world: World) -> None:
        self._world = world

    def table(self, kind: str) -> dict[str, Json]:
        return self._world.store.table(TABLES[kind])

    def keep(self, thing: Json) -> Json:
        self.table(thing["object"])[thing["id"]] = thing
        return thing

    def get(self, kind: str, identifier: str, param: str = "id") -> Json:
        thing = self.table(kind).get(identifier)
        if thing is None:
            raise no_such(NAMES.get(kind, kind), identifier, param)
        return thing

    def reply(self, thing: Json, parameters: Parameters) -> Reply:
        """The object with what the caller wanted expanded."""
        return Reply(200, self.expanded(thing, parameters.expand))

    def expanded(self, thing: Json, paths: list[str]) -> Json:
        result = dict(thing)
        for path in paths:
            steps = path.split(".")
            if len(steps) > DEPTH:
                raise refusal(f"You cannot expand more than {DEPTH} levels of a property", param="expand")
            self._expand(result, steps, path)
        return result

    def _expand(self, thing: Json, steps: list[str], path: str) -> None:
        name = steps[0]
        if name == "data" and isinstance(thing.get("data"), list):
            thing["data"] = [self.expanded(item, [".".join(steps[1:])]) for item in thing["data"]]
            return
        if name not in thing:
            if name == "line_items" and thing["object"] == "checkout.session":
                thing[name] = self._world.store.table("stripe.line_items")[thing["id"]]
                return
            raise refusal(f"This property cannot be expanded ({path}).", param="expand")
        value = thing[name]
        if isinstance(value, str):
            value = self._referenced(name, value, path)
        if isinstance(value, dict):
            thing[name] = dict(value)
            if len(steps) > 1:
                self._expand(thing[name], steps[1:], path)

    def _referenced(self, name: str, identifier: str, path: str) -> Json:
        kind = SOURCES.get(identifier[:3]) if name == "source" else REFERENCES.get(name)
        if kind is None:
            raise refusal(f"This property cannot be expanded ({path}).", param="expand")
        return self.get(kind, identifier)

    def listing(self, kind: str, url: str, parameters: Parameters, keep: Callable[[Json], bool]) -> Reply:
        """Newest first, at most ``limit`` after ``starting_after`` or before ``ending_before``."""
        limit = parameters.optional_whole("limit") or 10
        after, before = parameters.optional_text("starting_after"), parameters.optional_text("ending_before")
        created = parameters.mapping("created")
        parameters.finish()
        rows = [row for row in reversed(list(self.table(kind).values())) if keep(row) and _created(row, created)]
        chosen, more = _window(rows, min(limit, 100), after, before)
        body = {"object": "list", "url": url, "has_more": more, "data": chosen}
        return Reply(200, self.expanded(body, parameters.expand))


def _created(row: Json, bounds: Json) -> bool:
    if not all(isinstance(value, str) and value.isdecimal() for value in bounds.values()):
        raise refusal("Invalid timestamp", code="parameter_invalid_integer", param="created")
    tests: dict[str, Callable[[int, int], bool]] = {
        "gt": int.__gt__,
        "gte": int.__ge__,
        "lt": int.__lt__,
        "lte": int.__le__,
    }
    return all(tests[name](row["created"], int(value)) for name, value in bounds.items() if name in tests)


def _window(rows: list[Json], limit: int, after: str, before: str) -> tuple[list[Json], bool]:
    ids = [row["id"] for row in rows]
    if after:
        rows = rows[_place(ids, after, "starting_after") + 1 :]
    if before:
        rows = rows[: _place(ids, before, "ending_before")]
        return rows[-limit:], len(rows) > limit
    return rows[:limit], len(rows) > limit


def _place(ids: list[str], identifier: str, param: str) -> int:
    if identifier not in ids:
        raise no_such("object", identifier, param)
    return ids.index(identifier)


def empty_list(url: str) -> Json:
    return {"object": "list", "data": [], "has_more": False, "url": url}


def address(**known: Any) -> Json:
    """An address with nulls for what is not known."""
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    return {name: known.get(name) for name in names}
