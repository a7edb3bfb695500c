"""Reasons that are kept: why something failed, and why somebody did something."""

from typing import Any

from learning247.kit.logs import mask_secrets
from learning247.records.errors import ReasonRequired

LONGEST = 500


def reason_of(error: Exception) -> str:
    """`ConnectTimeout: gateway did not answer` in one line of bounded length, without NUL characters, with keys, tokens
    and passwords masked; never empty."""
    masked: Any = mask_secrets(None, "", {"reason": f"{type(error).__name__}: {error}"})["reason"]
    return str(masked).replace("\x00", "").strip()[:LONGEST]


def required_reason(reason: str) -> str:
    """What somebody gives as the reason of what they do, without the space around it. Raises ReasonRequired."""
    given = reason.strip()
    if not given:
        raise ReasonRequired
    return given
