"""What the bench's processes run on: the settings of a laptop, and what only a measurement needs."""

from datetime import timedelta

from learning247.settings.base import SIMPLE_JWT
from learning247.settings.local import *  # noqa: F403
from learning247.settings.ratelimits import DEFAULTS

# The yardsticks are routed here and nowhere else.
ROOT_URLCONF = "learning247.bench.urls"
SIMPLE_JWT = {**SIMPLE_JWT, "ACCESS_TOKEN_LIFETIME": timedelta(days=1)}
# Everything is counted, as everywhere, and nothing is refused.
RATELIMIT_RATES = dict.fromkeys(DEFAULTS, "999999999/15m")
