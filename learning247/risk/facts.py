"""What a caller tells the checker."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Subject:
    """What a decision is about, by a plain name: `Subject("payment", payment.pk)`."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known when the checker is asked; what is not known stays empty, and no rule fires for it.

    `person` pays or withdraws, `counterparty` is who is paid. `ip`, `device`, `card` and `bank` come in clear, in
    whatever spelling tells one from another (a gateway's fingerprint of the card, bank code and account number), the
    same at every call; of them a keyed hash alone is kept. `declines` is how often the gateway refused this payment
    before. Countries are ISO 3166-1 alpha-2, amounts minor units of `currency`.
    """

    person: UUID
    currency: str
    amount_minor: int
    counterparty: UUID | None = None
    account_opened_at: datetime | None = None
    account_country: str = ""
    card_country: str = ""
    declines: int = 0
    ip: str = ""
    device: str = ""
    card: str = ""
    bank: str = ""
