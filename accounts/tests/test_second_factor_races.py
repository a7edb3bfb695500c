"""Many at once at one second factor, with real commits, and what happens when the guard is taken away."""

import threading
from collections import Counter
from copy import copy
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import transaction
from rest_framework.test import APIClient

from accounts.models import RecoveryCode, SecondFactor, SecondFactorTries, Session, User
from accounts.services import recovery_codes, second_factors, sessions
from accounts.services.recovery_codes import recovery_codes_renew
from accounts.services.second_factors import MAX_TRIES, second_factor_begin, second_factor_check
from accounts.services.sessions import session_open
from accounts.services.sign_in_challenges import challenge_find
from accounts.tests.builders import PASSWORD, build_totp, build_user
from accounts.tests.test_races import MANY, at_once
from accounts.totp import totp_steps_of
from learning247.kit.errors import DomainError

pytestmark = pytest.mark.race


def money(user: User, code: str) -> str:
    try:
        second_factor_check(user=user, code=code)
    except DomainError as refused:
        return refused.code
    return "right"


def challenge_of(user: User) -> str:
    body = {"email": user.email, "password": PASSWORD}
    challenge: str = APIClient().post("/auth/login", body, format="json").json()["extra"]["challenge"]
    return challenge


def finish(challenge: str, code: str) -> str:
    answer = APIClient().post("/auth/login/second-factor", {"challenge": challenge, "code": code}, format="json")
    return "signed in" if answer.status_code == 200 else answer.json()["errors"][0]["code"]


def made(user: User) -> list[str]:
    with transaction.atomic():
        return recovery_codes_renew(user=user)


def look_without_a_lock(monkeypatch: pytest.MonkeyPatch, *, times: int = MANY) -> None:
    """Everybody has read the second factor before anybody goes on."""
    everybody_has_read = threading.Barrier(times)

    def read(user_id: Any) -> SecondFactor | None:
        factor = SecondFactor.objects.filter(user_id=user_id).first()
        everybody_has_read.wait()
        return factor

    monkeypatch.setattr(second_factors, "second_factor_lock", read)


def test_of_many_uses_of_one_code_exactly_one_counts(committed_db, clock):
    user = build_user()
    code = clock.code(build_totp(user))

    assert Counter(at_once(lambda _: money(user, code))) == {"right": 1, "code_used": MANY - 1}


def test_without_the_lock_every_use_would_count(committed_db, clock, monkeypatch):
    user = build_user()
    code = clock.code(build_totp(user))
    look_without_a_lock(monkeypatch)

    assert Counter(at_once(lambda _: money(user, code))) == {"right": MANY}


def test_of_many_guesses_exactly_five_are_looked_at(committed_db, clock):
    user = build_user()
    wrong = clock.wrong(build_totp(user))

    outcomes = Counter(at_once(lambda _: money(user, wrong)))

    assert outcomes == {"code_invalid": MAX_TRIES, "second_factor_paused": MANY - MAX_TRIES}
    assert SecondFactorTries.objects.get().wrong == MAX_TRIES


def test_without_the_lock_more_would_be(committed_db, clock, monkeypatch):
    user = build_user()
    wrong = clock.wrong(build_totp(user))
    assert money(user, wrong) == "code_invalid"
    look_without_a_lock(monkeypatch)
    everybody_has_looked = threading.Barrier(MANY)

    def look_once_all_have_come(*args: Any, **kwargs: Any) -> list[int]:
        everybody_has_looked.wait()
        return totp_steps_of(*args, **kwargs)

    monkeypatch.setattr(second_factors, "totp_steps_of", look_once_all_have_come)

    assert Counter(at_once(lambda _: money(user, wrong))) == {"code_invalid": MANY}


def test_of_many_sign_ins_by_one_challenge_and_code_exactly_one_succeeds(committed_db, clock):
    user = build_user()
    code, challenge = clock.code(build_totp(user)), challenge_of(user)

    assert Counter(at_once(lambda _: finish(challenge, code))) == {"signed in": 1, "challenge_invalid": MANY - 1}

    assert Session.objects.count() == 1


def test_one_code_opens_one_of_many_challenges(committed_db, clock):
    user = build_user()
    code = clock.code(build_totp(user))
    challenges = [challenge_of(user) for _ in range(MANY)]

    outcomes = Counter(at_once(lambda number: finish(challenges[number], code)))

    assert outcomes == {"signed in": 1, "code_used": MANY - 1}
    assert Session.objects.count() == 1


def test_ten_codes_that_are_right_open_one_challenge_once(committed_db, clock):
    user = build_user()
    build_totp(user)
    codes, challenge = made(user), challenge_of(user)

    outcomes = Counter(at_once(lambda number: finish(challenge, codes[number]), times=10))

    assert outcomes == {"signed in": 1, "challenge_invalid": 9}
    assert (Session.objects.count(), RecoveryCode.objects.filter(used_at=None).count()) == (1, 9)


def test_without_the_second_look_they_would_open_it_ten_times(committed_db, clock, monkeypatch):
    user = build_user()
    build_totp(user)
    codes, challenge = made(user), challenge_of(user)
    found = challenge_find(challenge)
    monkeypatch.setattr(sessions, "challenge_find", lambda _: copy(found))

    assert Counter(at_once(lambda number: finish(challenge, codes[number]), times=10)) == {"signed in": 10}


def test_of_many_uses_of_one_recovery_code_exactly_one_succeeds(committed_db, clock):
    user = build_user()
    build_totp(user)
    code = made(user)[0]
    challenges = [challenge_of(user) for _ in range(MANY)]

    outcomes = Counter(at_once(lambda number: finish(challenges[number], code)))

    assert outcomes == {"signed in": 1, "code_invalid": MANY - 1}
    assert RecoveryCode.objects.exclude(used_at=None).count() == 1


def test_without_the_condition_a_recovery_code_would_be_used_many_times(committed_db, clock, monkeypatch):
    user = build_user()
    build_totp(user)
    code = made(user)[0]
    challenges = [challenge_of(user) for _ in range(MANY)]

    def look_and_then_write(*, user: User, code: str) -> bool:
        return RecoveryCode.objects.filter(
            user=user, digest=recovery_codes._digest(user, code.replace("-", ""))
        ).exists()

    monkeypatch.setattr(second_factors, "recovery_code_use", look_and_then_write)

    assert Counter(at_once(lambda number: finish(challenges[number], code))) == {"signed in": MANY}


def test_of_many_confirmations_one_shows_recovery_codes(committed_db, clock):
    user = build_user(verified=True)
    session = session_open(user)
    setup = second_factor_begin(user=user, password=PASSWORD, session_id=session.session_id)
    code = clock.code(setup.secret)

    def confirm(_: int) -> int:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {session.access}")
        return client.post("/auth/second-factor/totp/confirm", {"code": code}, format="json").status_code

    assert Counter(at_once(confirm)) == {200: 1, 409: MANY - 1}

    assert RecoveryCode.objects.count() == 10


def sign_in_while_it_is_switched_on(user: User, clock: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """The status of a sign-in whose password was checked before the second factor was on."""
    mine = session_open(user)
    secret = second_factor_begin(user=user, password=PASSWORD, session_id=mine.session_id).secret

    def check_slowly(**credentials: Any) -> Any:
        known = authenticate(**credentials)
        second_factors.second_factor_confirm(user=user, session_id=mine.session_id, code=clock.code(secret))
        return known

    monkeypatch.setattr(sessions, "authenticate", check_slowly)
    body = {"email": user.email, "password": PASSWORD}
    return APIClient().post("/auth/login", body, format="json").status_code


def test_who_signs_in_while_it_is_switched_on_is_asked_for_it(committed_db, clock, monkeypatch):
    assert sign_in_while_it_is_switched_on(build_user(verified=True), clock, monkeypatch) == 401

    assert Session.objects.filter(ended_at=None).count() == 1
