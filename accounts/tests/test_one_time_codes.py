"""One-time codes: bound to what they confirm, five tries, used once, by one and by many at once."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.errors import CodeInvalid, CodeTooSoon, CodeTriesUsedUp, CodeUsed
from accounts.models import OneTimeCode, User
from accounts.services import one_time_codes
from accounts.services.one_time_codes import (
    MAX_TRIES,
    RightCode,
    one_time_code_check,
    one_time_code_issue,
    one_time_code_purge,
    one_time_code_use,
)
from accounts.tasks import purge_one_time_codes
from accounts.tests.builders import build_user
from accounts.tests.test_races import MANY, at_once
from learning247.kit.clock import now
from learning247.kit.errors import DomainError
from learning247.kit.ids import new_id

SUBJECT = {"withdrawal": "019a5a3e", "amount_minor": 250_000, "currency": "NGN", "account": "0123456789"}


def issue(user: User, subject: dict[str, Any] = SUBJECT, *, purpose: str = "withdrawal") -> str:
    with transaction.atomic():
        return one_time_code_issue(user=user, purpose=purpose, subject=subject)


def check(user: User, code: str, subject: dict[str, Any] = SUBJECT, *, purpose: str = "withdrawal") -> RightCode:
    return one_time_code_check(user=user, purpose=purpose, subject=subject, code=code)


def use(right: RightCode) -> None:
    with transaction.atomic():
        one_time_code_use(right)


def check_and_use(user: User, code: str, subject: dict[str, Any] = SUBJECT) -> None:
    use(check(user, code, subject))


def wrong(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 1_000_000:06}"


def a_minute_later() -> None:
    OneTimeCode.objects.update(sent_at=now() - timedelta(seconds=60))


def outcome(call: Callable[[], Any]) -> str:
    try:
        call()
    except DomainError as refused:
        return refused.code
    return "right"


@pytest.mark.django_db
class TestOneByOne:
    def test_six_digits_confirm_what_they_were_mailed_for_once(self):
        user = build_user()
        code = issue(user)
        assert (len(code), code.isdigit()) == (6, True)

        right = check(user, code)
        use(right)

        with pytest.raises(CodeUsed):
            use(right)
        with pytest.raises(CodeUsed):
            check(user, code)
        with pytest.raises(CodeUsed):
            issue(user)

    def test_leading_zeros_belong_to_it(self, monkeypatch):
        monkeypatch.setattr("accounts.services.one_time_codes.secrets.randbelow", lambda _: 7)
        user = build_user()

        assert issue(user) == "000007"
        with pytest.raises(CodeInvalid):
            check(user, "7")
        check(user, "000007")

    @pytest.mark.parametrize(
        "change", [{"amount_minor": 250_001}, {"currency": "USD"}, {"account": "0123456780"}, {"extra": 1}]
    )
    def test_a_code_confirms_nothing_but_its_subject(self, change):
        user = build_user()
        code = issue(user)

        with pytest.raises(CodeInvalid) as refused:
            check(user, code, SUBJECT | change)

        assert (refused.value.tries_left, refused.value.extra) == (None, None)
        check(user, code, dict(reversed(SUBJECT.items())))

    def test_a_code_confirms_for_nobody_else_and_for_no_other_purpose(self):
        user, other = build_user(), build_user()
        code = issue(user)
        issue(other)

        OneTimeCode.objects.filter(user=other).update(code_digest=OneTimeCode.objects.get(user=user).code_digest)
        with pytest.raises(CodeInvalid):
            check(other, code)
        with pytest.raises(CodeInvalid):
            check(user, code, purpose="bank account")

    def test_codes_for_two_subjects_may_be_open_and_have_tries_of_their_own(self):
        user = build_user()
        first, second = issue(user), issue(user, {"withdrawal": "other"})
        for _ in range(MAX_TRIES):
            with pytest.raises(CodeInvalid):
                check(user, wrong(first))

        with pytest.raises(CodeTriesUsedUp):
            check(user, first)
        use(check(user, second, {"withdrawal": "other"}))

    def test_the_fifth_wrong_code_is_the_last(self):
        user = build_user()
        code = issue(user)

        left = []
        for _ in range(MAX_TRIES):
            with pytest.raises(CodeInvalid) as refused:
                check(user, wrong(code))
            left.append((refused.value.tries_left, refused.value.extra, refused.value.status, refused.value.attr))

        assert left == [(n, {"attempts_left": n}, 422, "code") for n in (4, 3, 2, 1, 0)]
        with pytest.raises(CodeTriesUsedUp):
            check(user, code)
        a_minute_later()
        with pytest.raises(CodeTriesUsedUp):
            issue(user)
        assert OneTimeCode.objects.get().used_at is None

    def test_a_new_code_makes_the_old_one_worthless_and_brings_no_try_back(self):
        user = build_user()
        first = issue(user)
        with pytest.raises(CodeInvalid):
            check(user, wrong(first))
        right = check(user, first)
        a_minute_later()
        second = issue(user)

        with pytest.raises(CodeUsed):
            use(right)
        if second != first:
            with pytest.raises(CodeInvalid) as refused:
                check(user, first)
            assert refused.value.tries_left == 3
        use(check(user, second))

    def test_another_one_is_sent_after_a_minute(self):
        user = build_user()
        code = issue(user)
        OneTimeCode.objects.update(sent_at=now() - timedelta(seconds=50))

        with pytest.raises(CodeTooSoon) as refused:
            issue(user)

        assert (refused.value.status, refused.value.retry_after) == (429, 10)
        check(user, code)

    def test_it_is_good_for_ten_minutes(self):
        user = build_user()
        code = issue(user)
        row = OneTimeCode.objects.get()
        assert row.expires_at - row.sent_at == pytest.approx(timedelta(minutes=10), abs=timedelta(seconds=1))
        OneTimeCode.objects.update(expires_at=now())

        with pytest.raises(CodeInvalid):
            check(user, code)

    def test_neither_code_nor_subject_stands_in_the_table_and_the_digest_needs_the_secret(self, settings):
        user = build_user()
        code = issue(user)

        stored = " ".join(map(str, OneTimeCode.objects.values_list().get()))

        assert code not in stored.replace("-", " ").split()
        assert "0123456789" not in stored
        settings.SECRET_KEY = "another secret, which somebody with the table alone would have to guess"
        with pytest.raises(CodeInvalid):
            check(user, code)

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "\x00" * 6, "x" * 10_000])
    def test_whatever_is_no_code_counts_as_a_try(self, code):
        user = build_user()
        issue(user)

        with pytest.raises(CodeInvalid):
            check(user, code)

        assert OneTimeCode.objects.get().tries == 1

    def test_old_ones_are_dropped(self):
        user = build_user()
        issue(user)
        assert one_time_code_purge() == 0
        OneTimeCode.objects.update(sent_at=now() - timedelta(days=31))

        purge_one_time_codes()

        assert not OneTimeCode.objects.exists()


@pytest.mark.property
@pytest.mark.django_db
@settings(deadline=None, max_examples=40)  # each case is a dozen statements, and the machine may be busy
@given(guesses=st.lists(st.integers(0, 999_999), max_size=12), at=st.integers(0, 12))
def test_whatever_is_guessed_the_code_works_within_five_wrong_tries_and_never_after(guesses, at):
    user = build_user()
    subject = {"id": str(new_id())}
    code = issue(user, subject)
    tried = [f"{guess:06}" for guess in guesses if f"{guess:06}" != code]
    tried.insert(min(at, len(tried)), code)

    outcomes = [outcome(partial(check_and_use, user, guess, subject)) for guess in tried]

    before = tried.index(code)
    reached = before < MAX_TRIES
    assert outcomes[before] == ("right" if reached else "code_attempts_used_up")
    assert outcomes.count("right") == int(reached)
    assert outcomes.count("code_invalid") == min(before if reached else len(tried) - 1, MAX_TRIES)


@pytest.mark.django_db
def test_ten_thousand_guesses_at_fresh_codes_let_nobody_by():
    user, seeded = build_user(), random.Random(247)
    outcomes: Counter[str] = Counter()
    for number in range(1_000):
        subject = {"number": number}
        code = issue(user, subject)
        for _ in range(10):
            guess = wrong(code, seeded.randrange(1, 1_000_000))
            outcomes[outcome(partial(check, user, guess, subject))] += 1

    assert outcomes == {"code_invalid": 5_000, "code_attempts_used_up": 5_000}
    assert not OneTimeCode.objects.exclude(used_at=None).exists()


@pytest.mark.race
class TestManyAtOnce:
    def test_of_many_guesses_exactly_five_are_looked_at(self, committed_db):
        user = build_user()
        code = issue(user)

        outcomes = Counter(at_once(lambda n: outcome(lambda: check(user, wrong(code, n + 1)))))

        assert outcomes == {"code_invalid": MAX_TRIES, "code_attempts_used_up": MANY - MAX_TRIES}
        assert OneTimeCode.objects.get().tries == MAX_TRIES

    def test_without_the_lock_more_would_be(self, committed_db, monkeypatch):
        user = build_user()
        code = issue(user)
        monkeypatch.setattr(
            one_time_codes,
            "one_time_code_lock",
            lambda user_id, purpose, subject_digest: OneTimeCode.objects.filter(
                user_id=user_id, purpose=purpose, subject_digest=subject_digest
            ).first(),
        )
        everybody_has_looked = threading.Barrier(MANY)
        digest = one_time_codes._digest

        def digest_once_all_have_looked(row, guess):
            everybody_has_looked.wait()
            return digest(row, guess)

        monkeypatch.setattr(one_time_codes, "_digest", digest_once_all_have_looked)

        outcomes = Counter(at_once(lambda n: outcome(lambda: check(user, wrong(code, n + 1)))))

        assert outcomes == {"code_invalid": MANY}

    def test_of_many_uses_of_the_right_code_exactly_one_counts(self, committed_db):
        user = build_user()
        code = issue(user)

        outcomes = Counter(at_once(lambda _: outcome(partial(check_and_use, user, code))))

        assert outcomes == {"right": 1, "code_used": MANY - 1}

    def test_of_many_wishes_for_a_code_one_is_issued(self, committed_db):
        user = build_user()

        outcomes = Counter(at_once(lambda _: outcome(lambda: issue(user))))

        assert outcomes == {"right": 1, "code_too_soon": MANY - 1}
        assert OneTimeCode.objects.count() == 1

    def test_a_right_code_that_many_hold_is_used_once(self, committed_db):
        user = build_user()
        right = check(user, issue(user))

        assert Counter(at_once(lambda _: outcome(partial(use, right)))) == {"right": 1, "code_used": MANY - 1}

    def test_without_the_condition_that_it_is_unused_every_use_would_count(self, committed_db, monkeypatch):
        user = build_user()
        right = check(user, issue(user))
        among_all = OneTimeCode.objects.filter
        monkeypatch.setattr(
            OneTimeCode.objects,
            "filter",
            lambda **which: among_all(**{name: value for name, value in which.items() if name != "used_at"}),
        )

        assert Counter(at_once(lambda _: outcome(partial(use, right)))) == {"right": MANY}

    def test_of_many_wishes_for_another_code_one_is_issued_and_it_alone_is_good(self, committed_db):
        user = build_user()
        first = issue(user)
        a_minute_later()
        issued: dict[int, str] = {}

        def again(number: int) -> None:
            issued[number] = issue(user)

        outcomes = Counter(at_once(lambda number: outcome(partial(again, number))))

        assert outcomes == {"right": 1, "code_too_soon": MANY - 1}
        (second,) = issued.values()
        if second != first:
            assert outcome(lambda: check(user, first)) == "code_invalid"
        use(check(user, second))

    def test_without_the_lock_many_would_be_issued_and_all_but_the_last_be_worthless(self, committed_db, monkeypatch):
        user = build_user()
        issue(user)
        a_minute_later()
        everybody_has_looked = threading.Barrier(MANY)

        def look_without_a_lock(user_id: Any, purpose: str, subject_digest: str) -> OneTimeCode | None:
            row = OneTimeCode.objects.filter(user_id=user_id, purpose=purpose, subject_digest=subject_digest).first()
            everybody_has_looked.wait()
            return row

        monkeypatch.setattr(one_time_codes, "one_time_code_lock", look_without_a_lock)

        assert Counter(at_once(lambda _: outcome(lambda: issue(user)))) == {"right": MANY}

    def test_it_is_issued_and_used_in_the_transaction_of_what_it_is_for(self, committed_db):
        user = build_user()
        with pytest.raises(RuntimeError, match="issued in the transaction"):
            one_time_code_issue(user=user, purpose="withdrawal", subject=SUBJECT)
        code = issue(user)
        right = check(user, code)
        with pytest.raises(RuntimeError, match="used up in the transaction"):
            one_time_code_use(right)

        with pytest.raises(ZeroDivisionError), transaction.atomic():
            one_time_code_use(right)
            raise ZeroDivisionError  # what it confirms fails
        use(check(user, code))
