"""What the checker holds about people: what they did when, what it thought of that; and how it is forgotten."""

from typing import Final

from learning247.records.personal_tables import (
    ErasureSubject,
    PersonalTable,
    register_impersonal,
    register_personal_data,
)
from learning247.risk.models import Decision
from learning247.risk.sightings import HASHED

_FRAUD: Final = "By what fraud is noticed: it would help those who try."
_HASH: Final = "A keyed hash that tells nobody anything."


def register_tables() -> None:
    """Called from `apps.ready()`."""
    register_personal_data(
        PersonalTable(
            "risk_decisions",
            Decision,
            lambda user: [Decision.objects.filter(person_id=user.pk)],
            withheld={
                "results": _FRAUD,
                "inputs.counts": _FRAUD,
                "inputs.shared": _FRAUD,
                "inputs.round_trip": _FRAUD,
                "counterparty_id": "Somebody else.",
                **{by.value: _HASH for by in HASHED},
            },
            forget=decisions_forget,
            kept="That your purchases and withdrawals were checked, and with what result, without cards, addresses and "
            "devices: a part of their evidence.",
        )
    )
    register_impersonal(
        {
            "risk.RuleVersion": "The rules of the checker.",
            "risk.CounterState": "Which counters are good.",
        }
    )


def decisions_forget(erasure: ErasureSubject) -> None:
    """Nobody is known again by their card, address, device or bank account. What Redis still counts by them, it lets go
    of within 30 days."""
    Decision.objects.filter(person_id=erasure.user.pk).update(**{by.value: "" for by in HASHED})
