"""Why something failed, in one line fit to be kept: no secrets, no NUL characters, bounded length."""

from typing import Any

from learning247.kit.logs import mask_secrets

LONGEST = 500


def reason_of(error: Exception) -> str:
    """`ConnectTimeout: gateway did not answer`, with keys, tokens and passwords masked; never empty."""
    masked: Any = mask_secrets(None, "", {"reason": f"{type(error).__name__}: {error}"})["reason"]
    return str(masked).replace("\x00", "").strip()[:LONGEST]
