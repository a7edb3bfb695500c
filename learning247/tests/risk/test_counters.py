"""Counting in Redis, without it, and after it lost everything: always the same numbers."""

from collections import Counter
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from redis.exceptions import ConnectionError as RedisAway

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.kit.redis_pause import redis_resume
from learning247.records.tests.races import at_once
from learning247.risk import counters
from learning247.risk.counters import counters_are_good, counters_rebuild
from learning247.risk.enums import RuleKind
from learning247.risk.models import CounterState, Decision
from learning247.tests.risk.builders import check, only_rule

BY_CARD = "settlement by card, events in 3600s"
PEOPLE_BY_CARD = "settlement by card, people in 3600s"


@pytest.fixture
def counted(committed_db):
    only_rule(
        RuleKind.VELOCITY, {"of": "settlement", "by": "card", "seconds": 3_600, "at_least": 20}, rule="tried-events"
    )
    only_rule(
        RuleKind.VELOCITY,
        {"of": "settlement", "by": "card", "counting": "people", "seconds": 3_600, "at_least": 20},
        rule="tried-people",
    )


@pytest.fixture
def away(monkeypatch):
    """Redis does not answer the checker."""

    def refuse(*_):
        raise RedisAway("away")

    def switch(off: bool) -> None:
        redis_resume()
        monkeypatch.setattr(counters, "_run", refuse if off else run)

    run = counters._run
    return switch


def seen(decision):
    return decision.inputs["counts"][BY_CARD], decision.inputs["counts"][PEOPLE_BY_CARD]


def thirty_two_at_once():
    people = [build_user().pk for _ in range(32)]
    return at_once(32, lambda number: check(person=people[number // 2], card="one"))


def test_thirty_two_at_once_are_each_told_another_number_by_redis(counted):
    counters_rebuild()
    decisions = thirty_two_at_once()
    assert sorted(seen(one)[0] for one in decisions) == list(range(1, 33))
    assert max(seen(one)[1] for one in decisions) == 16
    assert Counter(one.outcome for one in decisions) == {"allow": 19, "review": 13}


def test_thirty_two_at_once_are_each_told_another_number_without_redis(counted, away):
    away(True)
    decisions = thirty_two_at_once()
    assert sorted(seen(one)[0] for one in decisions) == list(range(1, 33))
    assert Counter(one.outcome for one in decisions) == {"allow": 19, "review": 13}


def test_without_the_lock_several_are_told_the_same_number(counted, away, monkeypatch):
    away(True)
    monkeypatch.setattr(counters, "counted_lock", lambda keys: None)
    assert sorted(seen(one)[0] for one in thirty_two_at_once()) != list(range(1, 33))


def test_asked_thirty_two_times_about_the_same_there_is_one_decision_and_it_counts_once(counted):
    counters_rebuild()
    person, subject = build_user().pk, build_user().pk
    decisions = at_once(32, lambda _: check(person=person, subject=subject, card="one"))
    assert len({one.pk for one in decisions}) == Decision.objects.count() == 1
    assert seen(check(card="one")) == (2, 2)


def test_what_redis_missed_while_it_was_away_is_counted_when_it_is_back(counted, away):
    counters_rebuild()
    assert seen(check(card="one")) == (1, 1)
    away(True)
    assert seen(check(card="one")) == (2, 2)
    assert CounterState.objects.get().stale
    away(False)
    # Redis answers again, and knows of one.
    assert seen(check(card="one")) == (3, 3)
    assert not counters_are_good()
    assert counters_rebuild()
    assert counters_are_good()
    assert seen(check(card="one")) == (4, 4)
    assert not counters_rebuild()


def test_emptied_redis_is_filled_from_the_decisions(counted):
    counters_rebuild()
    for _ in range(3):
        check(card="one")
    redis.Redis.from_url(settings.REDIS_URL).flushdb()

    assert seen(check(card="one")) == (4, 4)
    assert counters_rebuild()

    assert seen(check(card="one")) == (5, 5)


def test_a_redis_that_was_started_again_is_filled_again(counted, monkeypatch):
    counters_rebuild()
    assert counters_are_good()
    monkeypatch.setattr(counters, "_run_of", lambda redis: b"another life")
    assert not counters_are_good()
    assert counters_rebuild()
    assert counters_are_good()


def test_checks_while_the_counters_are_rebuilt_are_neither_lost_nor_doubled(counted):
    def work(number):
        if number % 8 == 0:
            CounterState.objects.update(stale=True)
            counters_rebuild()
        return seen(check(card="one"))[0]

    at_once(32, work)
    counters_rebuild()  # where the last of them was not the quickest
    assert seen(check(card="one")) == (33, 33)


def test_redis_and_the_database_agree_on_what_is_within_a_time(counted, away, monkeypatch):
    counters_rebuild()
    start = now()
    found: dict[bool, list[int]] = {}
    for off in (False, True):
        away(off)
        found[off] = []
        for seconds in (0, 3_599.999999, 3_600, 3_600.000001):
            at = start + timedelta(seconds=seconds)
            monkeypatch.setattr("learning247.risk.services.decisions.now", lambda at=at: at)
            found[off].append(seen(check(card=f"card {off}"))[0])
    assert found == {False: [1, 2, 2, 3], True: [1, 2, 2, 3]}
