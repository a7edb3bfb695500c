"""How often something was seen lately: counted in Redis, from the decisions in the database where Redis cannot say.

The decisions are the truth, the counters a quicker way to it. A counter is a sorted set, what it counts with the time
at which it was seen; adding and counting are one step for all of a check's counters, so of 32 at once each is told
another number. Redis may be away or lose everything:

* Whoever finds Redis away notes in the database that the counters are stale; who finds them stale, or finds that Redis
  has forgotten that they were complete, counts in the database, one at a time of the same card, address and person.
* `counters_rebuild` fills counters of another generation from the decisions and puts them in force in a moment in which
  no check is under way, so that none is missed. What counts by the old generation is told that it is not complete.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha1
from typing import Any, Final, NamedTuple

from django.db import transaction
from django_redis import get_redis_connection
from redis.exceptions import NoScriptError, RedisError

from learning247.kit.clock import now
from learning247.kit.redis_pause import redis_is_paused, redis_pause
from learning247.risk.enums import By, Counting
from learning247.risk.locks import counted_lock, counters_takeover_lock
from learning247.risk.models import CounterState, Decision
from learning247.risk.rules import LONGEST_WINDOW, Count
from learning247.risk.selectors import counts_in_database, decision_batches
from learning247.risk.sightings import HASHED, Sighting

# A decision gets its time before it commits: by no more than this.
LONGEST_CHECK: Final = timedelta(minutes=10)

# KEYS: is the generation complete, what to add to, what to count. ARGV: now, the oldest to keep, for how long a counter
# is kept (ms), how many to add to, the members; then from when on to count. Times are microseconds, exact in a double.
_COUNT: Final = b"""
local adds = tonumber(ARGV[4])
for i = 1, adds do
    redis.call('ZADD', KEYS[1 + i], 'GT', ARGV[1], ARGV[4 + i])
    redis.call('ZREMRANGEBYSCORE', KEYS[1 + i], '-inf', ARGV[2])
    redis.call('PEXPIRE', KEYS[1 + i], ARGV[3])
end
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local answers = {}
for i = 1, #KEYS - 1 - adds do
    answers[i] = redis.call('ZCOUNT', KEYS[1 + adds + i], '(' .. ARGV[4 + adds + i], '+inf')
end
return answers
"""
_COUNT_SHA: Final = sha1(_COUNT).hexdigest()  # noqa: S324 - the name that Redis gives a script
_KEPT_MS: Final = int(LONGEST_WINDOW.total_seconds() * 1_000)


class _Place(NamedTuple):
    """A counter, and what it counts."""

    key: str
    member: str


def counts_of(sighting: Sighting, counts: Sequence[Count], generation: int | None) -> dict[str, int]:
    """Count this one and say how many there are by now; in the transaction that records it."""
    found = None if generation is None else _counts_in_redis(sighting, counts, generation)
    if found is None:
        # It was read before the wait for whoever put another one in force; from here on nobody does.
        current = CounterState.objects.filter(stale=False).values_list("generation", flat=True).first()
        if current is not None and current != generation:
            found = _counts_in_redis(sighting, counts, current)
    if found is not None:
        return found
    counted_lock(place.key for place in _places(sighting, generation=0))
    return counts_in_database(sighting, counts)


def _counts_in_redis(sighting: Sighting, counts: Sequence[Count], generation: int) -> dict[str, int] | None:
    """None where Redis cannot say."""
    if redis_is_paused():
        _missed()
        return None
    asked = [count for count in counts if sighting.by.get(count.by)]
    places = list(_places(sighting, generation=generation))
    keys = [_complete(generation), *(place.key for place in places)]
    keys += [_key(generation, count.of, count.by, count.counting, sighting.by[count.by]) for count in asked]
    arguments = [
        _micros(sighting.moment),
        _micros(sighting.moment - LONGEST_WINDOW),
        _KEPT_MS,
        len(places),
        *(place.member for place in places),
        *(_micros(sighting.moment - timedelta(seconds=count.seconds)) for count in asked),
    ]
    try:
        answers = _run(keys, arguments)
    except RedisError as error:
        redis_pause(error)
        _missed()
        return None
    if answers is None:
        return None
    return {count.key: int(answer) for count, answer in zip(asked, answers, strict=True)}


def _run(keys: list[str], arguments: list[Any]) -> list[Any] | None:
    redis = get_redis_connection("default")
    try:
        answers: list[Any] | None = redis.evalsha(_COUNT_SHA, len(keys), *keys, *arguments)
    except NoScriptError:  # Redis has begun anew
        answers = redis.eval(_COUNT, len(keys), *keys, *arguments)
    return answers


def _missed() -> None:
    """This one is not in Redis: what is there is not complete any more."""
    CounterState.objects.filter(stale=False).update(stale=True)


def counters_are_good() -> bool:
    """Whether checks count in Redis. Raises RedisError."""
    state = CounterState.objects.filter(stale=False).first()
    redis = get_redis_connection("default")
    return state is not None and redis.get(_complete(state.generation)) == _run_of(redis)


def counters_rebuild() -> bool:
    """Fill the counters from the decisions, where they are not good; whether that was needed. Raises RedisError."""
    if counters_are_good():
        return False
    redis, started = get_redis_connection("default"), now()
    old = CounterState.objects.get_or_create(pk=1)[0].generation
    redis.delete(_complete(old))
    _fill(redis, old + 1, since=started - LONGEST_WINDOW)
    with transaction.atomic(durable=True):
        counters_takeover_lock()
        if not CounterState.objects.filter(generation=old).exists():
            return False  # another run was quicker
        # What was under way while they were filled is recorded by now.
        _fill(redis, old + 1, since=started - LONGEST_CHECK)
        redis.set(_complete(old + 1), _run_of(redis))
        CounterState.objects.update(generation=old + 1, stale=False)
    return True


def _fill(redis: Any, generation: int, *, since: datetime) -> None:
    counted = Decision.objects.filter(created_at__gt=since).order_by("created_at", "id")
    counted = counted.only("purpose", "subject_id", "person_id", "ip", "device", "card", "bank", "created_at")
    for batch in decision_batches(counted):
        with redis.pipeline(transaction=False) as pipeline:
            for decision in batch:
                for place in _places_of(decision, generation):
                    pipeline.zadd(place.key, {place.member: _micros(decision.created_at)}, gt=True)
                    pipeline.pexpire(place.key, _KEPT_MS)
            pipeline.execute()


def _places_of(decision: Decision, generation: int) -> Iterable[_Place]:
    by = {By.PERSON.value: str(decision.person_id)}
    by |= {one.value: getattr(decision, one) for one in HASHED if getattr(decision, one)}
    return _spread(generation, decision.purpose, by, str(decision.subject_id), str(decision.person_id))


def _places(sighting: Sighting, *, generation: int) -> Iterable[_Place]:
    return _spread(
        generation,
        sighting.purpose,
        dict(sighting.by),
        sighting.member(Counting.EVENTS),
        sighting.member(Counting.PEOPLE),
    )


def _spread(generation: int, of: str, by: dict[str, str], event: str, person: str) -> Iterator[_Place]:
    """Every counter that one sighting belongs to: whatever rule comes, what it counts has been counted."""
    for name, value in by.items():
        yield _Place(_key(generation, of, name, Counting.EVENTS, value), event)
        if name != By.PERSON:
            yield _Place(_key(generation, of, name, Counting.PEOPLE, value), person)


def _key(generation: int, of: str, by: str, counting: str, value: str) -> str:
    return f"risk:{generation}:{of!s}:{by!s}:{counting!s}:{value}"


def _complete(generation: int) -> str:
    return f"risk:{generation}:complete"


def _run_of(redis: Any) -> bytes:
    """Names one life of the Redis server: it comes back from a crash without what it had not written to disk yet."""
    return str(redis.info("server")["run_id"]).encode()


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)
