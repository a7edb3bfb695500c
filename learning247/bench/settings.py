"""What the bench's processes run on: the settings of a laptop, and what only a measurement needs."""

from datetime import timedelta

from learning247.settings.base import CACHES, SIMPLE_JWT
from learning247.settings.env import env
from learning247.settings.local import *  # noqa: F403

# The yardsticks are routed here and nowhere else.
ROOT_URLCONF = "learning247.bench.urls"
SIMPLE_JWT = {**SIMPLE_JWT, "ACCESS_TOKEN_LIFETIME": timedelta(days=1)}
CACHES = {
    "default": {
        **CACHES["default"],
        "KEY_PREFIX": env("BENCH_CACHE_PREFIX", default="bench"),
        "KEY_FUNCTION": "learning247.bench.misses.key_of_this_request",
    }
}
