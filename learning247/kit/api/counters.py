"""Counters in Redis for django-ratelimit, which counts through a cache: `add` the first, else `incr`."""

from hashlib import sha1
from typing import Any, Final

from django.core.cache.backends.base import BaseCache
from django_redis import get_redis_connection
from redis.exceptions import NoScriptError

_COUNT: Final = b"""
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return count
"""
_GIVE_BACK: Final = b"""
local count = tonumber(redis.call('GET', KEYS[1]) or 0)
if count > 0 then redis.call('DECR', KEYS[1]) end
"""
_COUNT_SHA: Final = sha1(_COUNT).hexdigest()  # noqa: S324 - the name that Redis gives a script
_PREFIX: Final = "limits:"


class CounterCache(BaseCache):
    """What django-ratelimit asks of a cache, in one round trip instead of two, and with errors that can be told apart.

    Only for its use: `add(key, 1, …)` counts, and the `incr(key)` that follows says how many there are now. Django
    gives every thread an instance of its own. Raises RedisError.
    """

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._counted: tuple[str, int] | None = None

    def add(self, key: str, value: Any, timeout: float | None = None, version: int | None = None) -> bool:
        """With 1: count, and say whether it is the first within `timeout` seconds. With 0: only say that it is not."""
        if value == 0:
            return False
        assert value == 1 and timeout is not None, "django-ratelimit counts one by one"
        count = self._count(_PREFIX + key, int(timeout))
        self._counted = (key, count)
        return count == 1

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        assert self._counted is not None and self._counted[0] == key, "add comes first"
        return self._counted[1]

    @property
    def counted_key(self) -> str:
        """What was counted last, for `give_back`."""
        assert self._counted is not None, "add comes first"
        return self._counted[0]

    def give_back(self, key: str) -> None:
        """Count one less, in a window that has not ended."""
        get_redis_connection("default").eval(_GIVE_BACK, 1, _PREFIX + key)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        count = get_redis_connection("default").get(_PREFIX + key)
        return default if count is None else int(count)

    def _count(self, key: str, seconds: int) -> int:
        redis = get_redis_connection("default")
        try:
            return int(redis.evalsha(_COUNT_SHA, 1, key, seconds))
        except NoScriptError:  # Redis has begun anew
            return int(redis.eval(_COUNT, 1, key, seconds))
