"""The fault dial: what shall go wrong, for which call or event, how often.

A rule names its target by provider, method and path pattern (calls) or event pattern (webhooks), and how many
times it applies. Beside the rules, seeded rates make faults by chance: the fate of the n-th call of a route
depends on the seed, the route and n alone, so the same run meets the same faults.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from learning247.sandbox.wire import Json

CALL_KINDS = ("delay", "drop", "error", "timeout", "late", "wrong_amount", "wrong_currency", "wrong_reference")
EVENT_KINDS = (
    "webhook_duplicate",
    "webhook_reorder",
    "webhook_drop",
    "webhook_delay",
    "webhook_wrong_amount",
    "webhook_wrong_currency",
)
TRANSFER_KINDS = ("transfer_reversal",)
KINDS = CALL_KINDS + EVENT_KINDS + TRANSFER_KINDS

DEFAULT_SECONDS = {
    "delay": 1.0,
    "timeout": 60.0,
    "late": 35.0,
    "webhook_delay": 30.0,
    "webhook_reorder": 5.0,
    "transfer_reversal": 60.0,
}
# Fields that hold money in either provider's objects; a wrong amount changes them all alike.
AMOUNT_FIELDS = (
    "amount",
    "requested_amount",
    "amount_total",
    "amount_subtotal",
    "amount_received",
    "amount_captured",
)
# Where either provider says which payment of ours it speaks of.
REFERENCE_FIELDS = ("reference", "client_reference_id")


class FaultError(ValueError):
    """A rule that makes no sense."""


@dataclass
class Rule:
    """One planned fault. ``times`` counts down; none means for ever. ``amount`` is a difference in minor
    units.
    """

    kind: str
    provider: str = "*"
    method: str = "*"
    path: str = "*"
    event: str = "*"
    times: int | None = 1
    seconds: float | None = None
    status: int = 503
    amount: int = -100
    currency: str = "XXX"
    reference: str = "L247-another"
    count: int = 1
    id: int = 0

    def wait(self) -> float:
        return DEFAULT_SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds


@dataclass(frozen=True)
class Target:
    """What a fault may fall on: an API call, or an event (then ``event`` is its type)."""

    provider: str
    method: str = ""
    path: str = ""
    route: str = ""
    event: str = ""


class FaultPlan:
    """The faults chosen for one target, by kind."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = dict(rules)

    def get(self, kind: str) -> Rule | None:
        return self._rules.get(kind)

    def kinds(self) -> list[str]:
        return list(self._rules)

    def distort(self, body: Json, *, prefix: str = "") -> Json:
        """The body with wrong money or of another payment, where that is planned; otherwise the body itself."""
        amount, currency = self.get(f"{prefix}wrong_amount"), self.get(f"{prefix}wrong_currency")
        reference = self.get("wrong_reference")
        if amount is None and currency is None and reference is None:
            return body
        lies = _Lies(
            amount.amount if amount else 0,
            currency.currency if currency else "",
            reference.reference if reference else "",
        )
        distorted = _distorted(body, lies)
        assert isinstance(distorted, dict)
        return distorted


class FaultDial:
    """All rules and rates now in force."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._numbered = 0
        self._seed = 0
        self._rates: dict[str, float] = {}
        self._seen: dict[str, int] = {}

    def add(self, fields: Mapping[str, Any]) -> Rule:
        """Add a rule from the control API's JSON."""
        if fields.get("kind") not in KINDS:
            raise FaultError(f"kind must be one of {', '.join(KINDS)}")
        try:
            rule = Rule(**{name: value for name, value in fields.items() if name != "id"})
        except TypeError as error:
            raise FaultError(str(error)) from error
        self._numbered += 1
        rule.id = self._numbered
        self._rules.append(rule)
        return rule

    def remove(self, number: int) -> bool:
        kept = [rule for rule in self._rules if rule.id != number]
        found = len(kept) != len(self._rules)
        self._rules = kept
        return found

    def randomise(self, seed: int, rates: Mapping[str, float]) -> None:
        """Faults by chance: a probability between 0 and 1 for each kind."""
        unknown = sorted(set(rates) - set(KINDS))
        if unknown or any(not 0 <= rate <= 1 for rate in rates.values()):
            raise FaultError(f"rates are probabilities by kind; not understood: {unknown or dict(rates)}")
        self._seed, self._rates, self._seen = seed, dict(rates), {}

    def clear(self) -> None:
        self._rules.clear()
        self.randomise(0, {})

    def describe(self) -> Json:
        return {"rules": [asdict(rule) for rule in self._rules], "seed": self._seed, "rates": self._rates}

    def plan_call(self, target: Target) -> FaultPlan:
        return self._plan(target, CALL_KINDS)

    def plan_event(self, target: Target) -> FaultPlan:
        return self._plan(target, EVENT_KINDS)

    def plan_transfer(self, target: Target) -> FaultPlan:
        return self._plan(target, TRANSFER_KINDS)

    def _plan(self, target: Target, kinds: tuple[str, ...]) -> FaultPlan:
        chosen: dict[str, Rule] = self._chance(target, kinds)
        for rule in list(self._rules):
            if rule.kind in kinds and rule.kind not in chosen and _matches(rule, target):
                chosen[rule.kind] = rule
                self._use_up(rule)
        return FaultPlan(chosen)

    def _use_up(self, rule: Rule) -> None:
        if rule.times is None:
            return
        rule.times -= 1
        if rule.times <= 0:
            self._rules.remove(rule)

    def _chance(self, target: Target, kinds: tuple[str, ...]) -> dict[str, Rule]:
        if not any(kind in self._rates for kind in kinds):
            return {}
        place = f"{target.provider} {target.method} {target.route} {target.event} {kinds[0]}"
        self._seen[place] = self._seen.get(place, 0) + 1
        draw = random.Random(f"{self._seed} {place} {self._seen[place]}")  # noqa: S311 - repeatable, not secret
        return {kind: Rule(kind) for kind in kinds if draw.random() < self._rates.get(kind, 0.0)}


def _matches(rule: Rule, target: Target) -> bool:
    return (
        rule.provider in ("*", target.provider)
        and rule.method.upper() in ("*", target.method)
        and fnmatchcase(target.path, rule.path)
        and fnmatchcase(target.event, rule.event)
    )


@dataclass(frozen=True, slots=True)
class _Lies:
    """By how much amounts are wrong, and what stands for the currency and for our reference; "" is the truth."""

    difference: int
    currency: str
    reference: str


def _distorted(value: Any, lies: _Lies) -> Any:
    if isinstance(value, list):
        return [_distorted(item, lies) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _distorted_field(name, item, lies) for name, item in value.items()}


def _distorted_field(name: str, value: Any, lies: _Lies) -> Any:
    if name in AMOUNT_FIELDS and isinstance(value, int) and not isinstance(value, bool):
        return max(0, value + lies.difference)
    if name == "currency" and lies.currency and isinstance(value, str):
        return lies.currency.lower() if value.islower() else lies.currency.upper()
    if name in REFERENCE_FIELDS and lies.reference and isinstance(value, str):
        return lies.reference
    return _distorted(value, lies)
