"""References of payments: how ours are written, and told from what other systems do at the same gateway."""

from typing import Final

from learning247.kit.ids import new_id

REFERENCE_PREFIX: Final = "L247-"


def new_reference() -> str:
    """Unique for ever at both gateways, in the alphabet that both allow (Paystack: alphanumerics and `-` `.` `=`)."""
    return f"{REFERENCE_PREFIX}{new_id().hex}"


def new_refund_reference() -> str:
    """Unique for ever; what a refund of ours is found by at a gateway."""
    return f"{REFERENCE_PREFIX}R{new_id().hex}"


def reference_is_ours(reference: str) -> bool:
    """Whether it is written as ours are; there may be no such payment."""
    return reference.startswith(REFERENCE_PREFIX)


def reference_beginning(text: str) -> str:
    """How the references begin that somebody looks for by `text`: with or without the prefix, in either case."""
    return f"{REFERENCE_PREFIX}{text.lower().removeprefix(REFERENCE_PREFIX.lower())}"
