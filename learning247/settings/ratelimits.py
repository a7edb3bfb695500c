"""How often what may be asked: the rates of the limits that learning247.kit.api.throttles names."""

import re

from django.core.exceptions import ImproperlyConfigured

from learning247.settings.env import env

# Number of requests per time: s, m, h, d are seconds, minutes, hours, days. Each has a variable, RATELIMIT_GENERAL.
DEFAULTS = {
    "general": "100/15m",
    "payments": "10/15m",
    "coupons": "30/15m",
    "refunds": "10/15m",
    "wallet": "10/15m",
    "admin": "200/15m",
    "register": "20/15m",
    "sign_in": "30/15m",
    "sign_in_crowd": "300/15m",
    "sign_in_account": "10/15m",
    "sign_in_everywhere": "100/1h",
    "sign_in_slowed": "1/15m",
    "reset": "10/15m",
    "reset_account": "3/15m",
    "codes": "10/15m",
    "heartbeats": "600/15m",
}
_RATE = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,4})([smhd])", re.ASCII)


def ratelimits(*, times: int = 1) -> dict[str, str]:
    """Name -> rate, as the environment says or else `times` the default. Raises ImproperlyConfigured."""
    rates = {}
    for name, default in DEFAULTS.items():
        number, per = default.split("/")
        variable = f"RATELIMIT_{name.upper()}"
        rates[name] = env(variable, default="") or f"{int(number) * times}/{per}"
        if not _RATE.fullmatch(rates[name]):
            raise ImproperlyConfigured(f"{variable}={rates[name]!r}: write it as {default}, with s, m, h or d.")
    return rates
