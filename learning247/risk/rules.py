"""The kinds of rules: what their parameters are, and when they fire. Pure: the same inputs give the same finding.

Parameters are plain data that the database keeps with each version. Amounts are minor units by currency; a rule never
fires for a currency that it does not name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, Final, Self

from learning247.kit.money import EXPONENTS, MAX_MINOR, Money
from learning247.risk.enums import By, Counting, Outcome, Purpose, RuleKind
from learning247.risk.errors import RuleUnreadable

# For how long counters are kept.
LONGEST_WINDOW: Final = timedelta(days=30)
# For how long two people who used the same card, bank account or device count as linked, and sales as the source of a
# withdrawal.
LINKED_FOR: Final = timedelta(days=90)
LINKS: Final = (By.CARD, By.BANK, By.DEVICE)
_DAY: Final = 86_400
_MOST: Final = 1_000_000


class NotMeasured(Exception):
    """The stored inputs do not say what this rule asks for."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many of `of` there were by the same `by` within `seconds`, this one among them."""

    of: str
    by: str
    counting: str
    seconds: int

    @property
    def key(self) -> str:
        return f"{self.of} by {self.by}, {self.counting} in {self.seconds}s"


@dataclass(frozen=True, slots=True)
class Linked:
    """What of a creator's recent sales was paid by people who are linked to them in one way."""

    people: int
    minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that rules are given, and that is stored with a decision. No identity is in it.

    `given` names what was known to count by. `shared` is what the person has in common with who is paid, None where
    nobody else is; `earlier` the outcome of the checkout's decision about the same payment, "" where there is none.
    """

    currency: str
    amount_minor: int
    account_seconds: int | None = None
    account_country: str = ""
    card_country: str = ""
    declines: int = 0
    same_person: bool = False
    given: tuple[str, ...] = ()
    shared: tuple[str, ...] | None = None
    earlier: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    round_trip: Mapping[str, Linked] | None = None

    def count(self, count: Count) -> int:
        """Raises NotMeasured."""
        if count.by not in self.given:
            return 0
        try:
            return self.counts[count.key]
        except KeyError:
            raise NotMeasured(count.key) from None

    def as_data(self) -> dict[str, Any]:
        """As it is stored."""
        trip = self.round_trip
        return {
            "currency": self.currency,
            "amount_minor": self.amount_minor,
            "account_seconds": self.account_seconds,
            "account_country": self.account_country,
            "card_country": self.card_country,
            "declines": self.declines,
            "same_person": self.same_person,
            "given": list(self.given),
            "shared": None if self.shared is None else list(self.shared),
            "earlier": self.earlier,
            "counts": dict(self.counts),
            "round_trip": None
            if trip is None
            else {by: {"people": linked.people, "minor": linked.minor} for by, linked in trip.items()},
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        shared, trip = data["shared"], data["round_trip"]
        return cls(
            **{
                **data,
                "given": tuple(data["given"]),
                "shared": None if shared is None else tuple(shared),
                "round_trip": None if trip is None else {by: Linked(**linked) for by, linked in trip.items()},
            }
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a rule fired, and for staff what it saw: `7 of 6`."""

    fired: bool
    saw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Velocity:
    """At least `at_least` of `of` by the same `by` within `seconds`; or, by `counting`, of different people."""

    of: str
    by: str
    seconds: int
    at_least: int
    counting: str = Counting.EVENTS

    @property
    def counts(self) -> tuple[Count, ...]:
        return (Count(self.of, self.by, self.counting, self.seconds),)

    def judge(self, inputs: Inputs) -> Finding:
        seen = inputs.count(self.counts[0])
        return Finding(seen >= self.at_least, f"{seen} of {self.at_least}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """At least so much of a currency."""

    at_least: Mapping[str, int]
    counts = ()

    def judge(self, inputs: Inputs) -> Finding:
        return _reaches(inputs, self.at_least)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account younger than `seconds`, and at least so much."""

    seconds: int
    at_least: Mapping[str, int]
    counts = ()

    def judge(self, inputs: Inputs) -> Finding:
        if inputs.account_seconds is None:
            return Finding(False, "not known since when there is the account")
        new, amount = inputs.account_seconds < self.seconds, _reaches(inputs, self.at_least)
        return Finding(new and amount.fired, f"{inputs.account_seconds} s old of {self.seconds} s; {amount.saw}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryMismatch:
    """The card's country is not the account's, and at least so much."""

    at_least: Mapping[str, int]
    counts = ()

    def judge(self, inputs: Inputs) -> Finding:
        if not inputs.account_country or not inputs.card_country:
            return Finding(False, "not both countries known")
        amount, other = _reaches(inputs, self.at_least), inputs.account_country != inputs.card_country
        return Finding(
            other and amount.fired, f"card {inputs.card_country}, account {inputs.account_country}; {amount.saw}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyMismatch:
    """A currency that is paid with by cards of some countries, by one of another country, and at least so much."""

    countries: Mapping[str, tuple[str, ...]]
    at_least: Mapping[str, int]
    counts = ()

    def judge(self, inputs: Inputs) -> Finding:
        usual = self.countries.get(inputs.currency)
        if usual is None or not inputs.card_country:
            return Finding(False, "any card is usual" if usual is None else "card's country not known")
        amount = _reaches(inputs, self.at_least)
        return Finding(inputs.card_country not in usual and amount.fired, f"card {inputs.card_country}; {amount.saw}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declines:
    """The gateway declined this payment at least so often before it took it."""

    at_least: int
    counts = ()

    def judge(self, inputs: Inputs) -> Finding:
        return Finding(inputs.declines >= self.at_least, f"{inputs.declines} of {self.at_least}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfPurchase:
    """Who pays is who is paid, or has one of `shared` in common with them."""

    shared: tuple[str, ...] = ()
    counts = ()

    def judge(self, inputs: Inputs) -> Finding:
        if inputs.same_person:
            return Finding(True, "the same person")
        if inputs.shared is None:
            return Finding(False, "nobody else is paid")
        common = [by for by in self.shared if by in inputs.shared]
        return Finding(bool(common), f"in common: {', '.join(common) or 'nothing'}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """Of what is withdrawn at least `share_bps` was paid, in the last 90 days, by people who have one of `shared` in
    common with the creator. Where they have several in common, the way by which most came counts."""

    shared: tuple[str, ...]
    share_bps: int
    counts = ()

    def judge(self, inputs: Inputs) -> Finding:
        if inputs.round_trip is None:
            raise NotMeasured("round trip")
        linked = max((inputs.round_trip[by] for by in self.shared), key=lambda linked: linked.minor)
        fired = linked.minor > 0 and linked.minor * 10_000 >= inputs.amount_minor * self.share_bps
        return Finding(fired, f"{_money(linked.minor, inputs.currency)} from {linked.people} linked people")


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The decision about the same payment when its purchase began asked people."""

    counts = ()

    def judge(self, inputs: Inputs) -> Finding:
        return Finding(inputs.earlier in (Outcome.REVIEW, Outcome.BLOCK), inputs.earlier or "none")


Rule = (
    Velocity | Amount | NewAccount | CountryMismatch | CurrencyMismatch | Declines | SelfPurchase | RoundTrip | Earlier
)
KINDS: Final[dict[str, type[Rule]]] = {
    RuleKind.VELOCITY: Velocity,
    RuleKind.AMOUNT: Amount,
    RuleKind.NEW_ACCOUNT: NewAccount,
    RuleKind.COUNTRY_MISMATCH: CountryMismatch,
    RuleKind.CURRENCY_MISMATCH: CurrencyMismatch,
    RuleKind.DECLINES: Declines,
    RuleKind.SELF_PURCHASE: SelfPurchase,
    RuleKind.ROUND_TRIP: RoundTrip,
    RuleKind.EARLIER: Earlier,
}


def rule_read(kind: str, parameters: Mapping[str, Any]) -> Rule:
    """The rule that `parameters` describe. Raises RuleUnreadable, which says what is wrong with them."""
    made = KINDS.get(kind)
    if made is None:
        raise RuleUnreadable(f"There is no kind of rule {kind!r}.")
    known = {one.name: one for one in fields(made)}
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise RuleUnreadable(f"A rule of the kind {kind} has no {', '.join(unknown)}.")
    missing = sorted(name for name, one in known.items() if name not in parameters and _is_required(one))
    if missing:
        raise RuleUnreadable(f"A rule of the kind {kind} needs {', '.join(missing)}.")
    return made(**{name: _READERS[kind, name](name, value) for name, value in parameters.items()})


def reason_told(kind: str) -> str:
    """What a person may be told whose business this rule held up: that it is looked at and what it is about, nothing
    that says how to pass next time."""
    return _TOLD[RuleKind(kind)]


_TOLD: Final[Mapping[RuleKind, str]] = {
    RuleKind.VELOCITY: "There was unusually much activity in a short time.",
    RuleKind.AMOUNT: "The amount is large, so a person looks at it.",
    RuleKind.NEW_ACCOUNT: "The account is new, so a person looks at it.",
    RuleKind.COUNTRY_MISMATCH: "The card and the account are from different countries.",
    RuleKind.CURRENCY_MISMATCH: "The card is from a country that usually pays in another currency.",
    RuleKind.DECLINES: "The bank declined this payment several times.",
    RuleKind.SELF_PURCHASE: "Buyer and seller seem to be the same.",
    RuleKind.ROUND_TRIP: "Some of this money was paid by people who seem to be linked to you.",
    RuleKind.EARLIER: "This payment was noticed when it began.",
}


def _is_required(one: Any) -> bool:
    return bool(one.default is one.default_factory)  # both MISSING


def _reaches(inputs: Inputs, at_least: Mapping[str, int]) -> Finding:
    least = at_least.get(inputs.currency)
    if least is None:
        return Finding(False, f"no threshold in {inputs.currency}")
    seen, of = _money(inputs.amount_minor, inputs.currency), _money(least, inputs.currency)
    return Finding(inputs.amount_minor >= least, f"{seen} of {of}")


def _money(minor: int, currency: str) -> str:
    return str(Money(minor, currency)) if currency in EXPONENTS else f"{currency} {minor}"


def _whole(name: str, value: Any, most: int = _MOST) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise RuleUnreadable(f"{name} is a whole number from 1 to {most:,}.")
    return value


def _seconds(name: str, value: Any) -> int:
    return _whole(name, value, int(LONGEST_WINDOW.total_seconds()))


def _age(name: str, value: Any) -> int:
    return _whole(name, value, 3_650 * _DAY)


def _basis_points(name: str, value: Any) -> int:
    return _whole(name, value, 10_000)


def _one_of(values: tuple[str, ...]) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        if value not in values:
            raise RuleUnreadable(f"{name} is one of {', '.join(values)}.")
        return str(value)

    return read


def _some_of(values: tuple[str, ...]) -> Callable[[str, Any], tuple[str, ...]]:
    def read(name: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not value or any(one not in values for one in value):
            raise RuleUnreadable(f"{name} is a list of some of {', '.join(values)}.")
        return tuple(value)

    return read


def _amounts(name: str, value: Any) -> dict[str, int]:
    if not isinstance(value, dict) or not value:
        raise RuleUnreadable(f'{name} is minor units by currency, as {{"NGN": 50000000}}.')
    unknown = sorted(set(value) - set(EXPONENTS))
    if unknown:
        raise RuleUnreadable(f"{name} names currencies that the platform does not know: {', '.join(unknown)}.")
    return {currency: _whole(f"{name}.{currency}", minor, MAX_MINOR) for currency, minor in value.items()}


def _countries(name: str, value: Any) -> dict[str, tuple[str, ...]]:
    wrong = not isinstance(value, dict) or not value
    if wrong or any(not isinstance(codes, list) or not codes for codes in value.values()):
        raise RuleUnreadable(f'{name} is lists of countries by currency, as {{"NGN": ["NG"]}}.')
    if set(value) - set(EXPONENTS) or any(not _is_country(code) for codes in value.values() for code in codes):
        raise RuleUnreadable(f"{name} takes currencies of the platform, and countries as two capital letters.")
    return {currency: tuple(codes) for currency, codes in value.items()}


def _is_country(code: Any) -> bool:
    return isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha() and code.isupper()


_LINK = _some_of(tuple(LINKS))
_READERS: Final[dict[tuple[str, str], Callable[[str, Any], Any]]] = {
    (RuleKind.VELOCITY, "of"): _one_of(tuple(Purpose.values)),
    (RuleKind.VELOCITY, "by"): _one_of(tuple(By.values)),
    (RuleKind.VELOCITY, "counting"): _one_of(tuple(Counting.values)),
    (RuleKind.VELOCITY, "seconds"): _seconds,
    (RuleKind.VELOCITY, "at_least"): _whole,
    (RuleKind.AMOUNT, "at_least"): _amounts,
    (RuleKind.NEW_ACCOUNT, "seconds"): _age,
    (RuleKind.NEW_ACCOUNT, "at_least"): _amounts,
    (RuleKind.COUNTRY_MISMATCH, "at_least"): _amounts,
    (RuleKind.CURRENCY_MISMATCH, "countries"): _countries,
    (RuleKind.CURRENCY_MISMATCH, "at_least"): _amounts,
    (RuleKind.DECLINES, "at_least"): _whole,
    (RuleKind.SELF_PURCHASE, "shared"): _LINK,
    (RuleKind.ROUND_TRIP, "shared"): _LINK,
    (RuleKind.ROUND_TRIP, "share_bps"): _basis_points,
}
