"""What every part of a sandbox shares: settings, clock, records, identifiers, jobs, faults and the outbox."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from learning247.sandbox.agenda import Agenda
from learning247.sandbox.clock import Clock
from learning247.sandbox.config import Config
from learning247.sandbox.faults import FaultDial
from learning247.sandbox.identifiers import Identifiers
from learning247.sandbox.state import Store
from learning247.sandbox.webhooks import Outbox
from learning247.sandbox.wire import Json

DEFAULT_DIALS: Json = {
    "paystack_transfer_outcome": "success",
    "paystack_transfer_seconds": 2,
    "paystack_transfer_otp": False,
    "paystack_refund_outcome": "processed",
    "paystack_refund_seconds": 2,
    "paystack_customer_pays_fees": False,
    "stripe_refund_outcome": "succeeded",
    "stripe_payout_outcome": "paid",
    "stripe_payout_seconds": 2,
    "google_id_token": "genuine",
}
"""How things turn out when nobody intervenes. Outcome ``none`` leaves a thing pending until the control
API acts.
"""

DIAL_CHOICES = {
    "paystack_transfer_outcome": ("success", "failed", "reversed", "none"),
    "paystack_refund_outcome": ("processed", "failed", "needs-attention", "none"),
    "stripe_refund_outcome": ("succeeded", "pending", "failed"),
    "stripe_payout_outcome": ("paid", "failed", "none"),
    "google_id_token": (
        "genuine",
        "missing",
        "wrong_issuer",
        "wrong_audience",
        "wrong_party",
        "wrong_nonce",
        "expired",
        "without_expiry",
    ),
}


class DialError(ValueError):
    """A behaviour that does not exist, or a value it cannot take."""


@dataclass
class World:
    """The shared ground. Everything here is touched from the event loop's thread alone."""

    config: Config
    clock: Clock = field(default_factory=Clock)
    store: Store = field(default_factory=Store)
    dial: FaultDial = field(default_factory=FaultDial)
    behaviour: Json = field(default_factory=lambda: dict(DEFAULT_DIALS))
    ids: Identifiers = field(init=False)
    agenda: Agenda = field(init=False)
    outbox: Outbox = field(init=False)

    def __post_init__(self) -> None:
        self.ids = Identifiers(self.store)
        self.agenda = Agenda(self.clock, self.store, self.config.time_scale)
        self.outbox = Outbox(self.config, self.clock, self.store, self.agenda, self.dial)

    def behave(self, changes: dict[str, Any]) -> None:
        """Change how things turn out; all or nothing."""
        for name, value in changes.items():
            if name not in DEFAULT_DIALS or not isinstance(value, type(DEFAULT_DIALS[name])):
                raise DialError(f"{name} cannot be {value!r}; known: {', '.join(DEFAULT_DIALS)}")
            if name in DIAL_CHOICES and value not in DIAL_CHOICES[name]:
                raise DialError(f"{name} must be one of {', '.join(DIAL_CHOICES[name])}")
        self.behaviour.update(changes)
