"""The rules that a new database begins with: they leave ordinary sales alone, and are data from then on."""

from typing import Any, Final

HOUR: Final = 3_600
DAY: Final = 24 * HOUR


def _amounts(ngn: int, usd: int) -> dict[str, int]:
    """Minor units, in every currency that is charged by default; the others by about what they are worth."""
    return {
        "NGN": ngn * 100,
        "USD": usd * 100,
        "GBP": usd * 100,
        "EUR": usd * 100,
        "GHS": usd * 1_200,
        "KES": usd * 13_000,
        "ZAR": usd * 1_800,
        "JPY": usd * 150,
        "KWD": usd * 300,
    }


# name, purpose, kind, outcome, parameters, and whether it is live or in shadow.
DEFAULTS: Final[tuple[tuple[str, str, str, str, dict[str, Any], str], ...]] = (
    (
        "checkouts-by-person",
        "checkout",
        "velocity",
        "block",
        {"of": "checkout", "by": "person", "seconds": HOUR, "at_least": 60},
        "live",
    ),
    (
        "checkouts-by-device",
        "checkout",
        "velocity",
        "review",
        {"of": "checkout", "by": "device", "counting": "people", "seconds": DAY, "at_least": 30},
        "shadow",
    ),
    (
        "checkouts-by-address",
        "checkout",
        "velocity",
        "review",
        {"of": "checkout", "by": "ip", "counting": "people", "seconds": HOUR, "at_least": 200},
        "live",
    ),
    (
        "declines-by-person",
        "checkout",
        "velocity",
        "block",
        {"of": "decline", "by": "person", "seconds": DAY, "at_least": 8},
        "live",
    ),
    (
        "declines-by-address",
        "checkout",
        "velocity",
        "review",
        {"of": "decline", "by": "ip", "counting": "people", "seconds": DAY, "at_least": 20},
        "live",
    ),
    ("amount", "checkout", "amount", "review", {"at_least": _amounts(3_000_000, 2_500)}, "live"),
    (
        "new-account-amount",
        "checkout",
        "new_account",
        "review",
        {"seconds": DAY, "at_least": _amounts(750_000, 750)},
        "live",
    ),
    ("buying-from-oneself", "checkout", "self_purchase", "block", {"shared": ["card"]}, "shadow"),
    ("noticed-at-checkout", "settlement", "earlier", "review", {}, "live"),
    ("sold-to-oneself", "settlement", "self_purchase", "review", {"shared": ["card", "bank"]}, "live"),
    ("sold-to-the-same-device", "settlement", "self_purchase", "review", {"shared": ["device"]}, "shadow"),
    (
        "payments-by-card",
        "settlement",
        "velocity",
        "review",
        {"of": "settlement", "by": "card", "seconds": DAY, "at_least": 15},
        "live",
    ),
    (
        "people-by-card",
        "settlement",
        "velocity",
        "review",
        {"of": "settlement", "by": "card", "counting": "people", "seconds": 30 * DAY, "at_least": 4},
        "live",
    ),
    (
        "declines-by-card",
        "settlement",
        "velocity",
        "review",
        {"of": "decline", "by": "card", "seconds": DAY, "at_least": 5},
        "live",
    ),
    ("declined-before", "settlement", "declines", "review", {"at_least": 6}, "live"),
    (
        "card-from-elsewhere",
        "settlement",
        "country_mismatch",
        "review",
        {"at_least": _amounts(750_000, 750)},
        "live",
    ),
    (
        "card-of-another-currency",
        "settlement",
        "currency_mismatch",
        "review",
        {
            "countries": {"NGN": ["NG"], "GHS": ["GH"], "KES": ["KE"], "ZAR": ["ZA"]},
            "at_least": _amounts(1_000_000, 1_000),
        },
        "live",
    ),
    (
        "withdrawals-by-person",
        "withdrawal",
        "velocity",
        "review",
        {"of": "withdrawal", "by": "person", "seconds": DAY, "at_least": 6},
        "live",
    ),
    (
        "people-by-bank-account",
        "withdrawal",
        "velocity",
        "review",
        {"of": "withdrawal", "by": "bank", "counting": "people", "seconds": 30 * DAY, "at_least": 2},
        "live",
    ),
    (
        "withdrawing-people-by-device",
        "withdrawal",
        "velocity",
        "review",
        {"of": "withdrawal", "by": "device", "counting": "people", "seconds": DAY, "at_least": 4},
        "live",
    ),
    (
        "withdrawing-people-by-address",
        "withdrawal",
        "velocity",
        "review",
        {"of": "withdrawal", "by": "ip", "counting": "people", "seconds": DAY, "at_least": 10},
        "shadow",
    ),
    ("withdrawn-amount", "withdrawal", "amount", "review", {"at_least": _amounts(5_000_000, 5_000)}, "live"),
    (
        "withdrawn-by-a-new-account",
        "withdrawal",
        "new_account",
        "review",
        {"seconds": 7 * DAY, "at_least": _amounts(250_000, 250)},
        "live",
    ),
    (
        "round-trip",
        "withdrawal",
        "round_trip",
        "review",
        {"shared": ["card", "bank"], "share_bps": 2_000},
        "live",
    ),
    (
        "round-trip-by-device",
        "withdrawal",
        "round_trip",
        "review",
        {"shared": ["device"], "share_bps": 5_000},
        "shadow",
    ),
)
