"""References of withdrawals: how ours are written, and told from what others do at the same gateway."""

from typing import Final

from learning247.kit.ids import new_id

REFERENCE_PREFIX: Final = "l247w-"


def new_reference() -> str:
    """Unique for ever, in Paystack's alphabet for transfers: 16 to 50 of a–z, 0–9, `-` and `_`
    (paystack.com/docs/transfers/creating-transfers)."""
    return f"{REFERENCE_PREFIX}{new_id().hex}"


def reference_is_ours(reference: str) -> bool:
    """Whether it is written as ours are; there may be no such withdrawal."""
    return reference.startswith(REFERENCE_PREFIX)
