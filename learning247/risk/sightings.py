"""One thing that is seen: what it is about, and by what it is counted, with keyed hashes in the place of whatever tells
who or which it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self
from uuid import UUID

from learning247.kit.encryption import keyed_digest
from learning247.risk.enums import By, Counting, Purpose
from learning247.risk.facts import Facts, Subject
from learning247.risk.models import DIGEST_LENGTH

HASHED: Final = (By.IP, By.DEVICE, By.CARD, By.BANK)
_LATEST: Final = timedelta(days=3_650)


@dataclass(frozen=True, slots=True)
class Sighting:
    """`by` has what is known alone. `until` bounds what is counted: nothing, where it happens now."""

    purpose: Purpose
    subject: Subject
    person: UUID
    counterparty: UUID | None
    currency: str
    by: Mapping[str, str]
    moment: datetime
    until: datetime

    @classmethod
    def of(cls, purpose: Purpose, subject: Subject, facts: Facts, moment: datetime) -> Self:
        clear = {By.IP: facts.ip, By.DEVICE: facts.device, By.CARD: facts.card, By.BANK: facts.bank}
        hashed = {by.value: digest_of(by, text) for by, text in clear.items() if text}
        return cls(
            purpose=purpose,
            subject=subject,
            person=facts.person,
            counterparty=facts.counterparty,
            currency=facts.currency,
            by={By.PERSON.value: str(facts.person), **hashed},
            moment=moment,
            # Others that run now may have read the clock after us and been counted before us.
            until=moment + _LATEST,
        )

    def digest(self, by: By) -> str:
        return self.by.get(by, "")

    def member(self, counting: str) -> str:
        """What a counter counts of it, once however often it is seen."""
        return str(self.person if counting == Counting.PEOPLE else self.subject.id)


def digest_of(by: By, text: str) -> str:
    """The keyed hash by which the same card, account, address or device is known again."""
    return keyed_digest(text, purpose=f"risk-{by.value}")[:DIGEST_LENGTH]
