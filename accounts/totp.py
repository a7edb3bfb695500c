"""Time-based one-time passwords (RFC 6238): what an authenticator app and we compute from the same secret and clock.

Six digits of HMAC-SHA-1, a step of 30 seconds: what every app knows. SHA-1 is sound within an HMAC (RFC 4226, B.2).
"""

import base64
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

from django_otp.oath import hotp

ISSUER = "Learning247"
DIGITS = 6
STEP_SECONDS = 30
# How many steps a clock may be ahead or behind (RFC 6238, 5.2: one for the time that typing and the network take).
DRIFT = 1


def totp_secret() -> str:
    """160 random bits, as long as RFC 4226, 4, recommends, in the base32 that people can type into an app."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def totp_uri(*, secret: str, account: str) -> str:
    """What the QR code says that an app scans (https://github.com/google/google-authenticator/wiki/Key-Uri-Format)."""
    parameters = {"secret": secret, "issuer": ISSUER, "algorithm": "SHA1", "digits": DIGITS, "period": STEP_SECONDS}
    return f"otpauth://totp/{quote(ISSUER)}:{quote(account)}?{urlencode(parameters)}"


def totp_code(*, secret: str, step: int) -> str:
    """The six digits of that time step."""
    return f"{hotp(base64.b32decode(secret), step, digits=DIGITS):0{DIGITS}}"


def totp_step(at: datetime) -> int:
    """The number of the time step since 1970."""
    return int(at.timestamp()) // STEP_SECONDS


def totp_steps_of(code: str, *, secret: str, at: datetime) -> list[int]:
    """The time steps within DRIFT of `at` whose code this is, the earliest first; none for a wrong one.

    Every step is computed and compared whole: how long it takes tells nothing of how near a guess is.
    """
    here = totp_step(at)
    given = code.encode()
    steps = range(here - DRIFT, here + DRIFT + 1)
    return [step for step in steps if secrets.compare_digest(totp_code(secret=secret, step=step).encode(), given)]
