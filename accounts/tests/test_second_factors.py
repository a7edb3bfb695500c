"""The second factor as services see it: set up, asked for, counted, switched off."""

from collections import Counter
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.devices import Device
from accounts.enums import SecondFactorMethod, SessionEnd
from accounts.errors import (
    EmailNotVerified,
    FreshSignInRequired,
    PasswordIncorrect,
    SecondFactorActive,
    SecondFactorCodeInvalid,
    SecondFactorCodeUsed,
    SecondFactorNotActive,
    SecondFactorNotBegun,
    SecondFactorOwn,
    SecondFactorPaused,
)
from accounts.models import RecoveryCode, SecondFactor, SecondFactorTries, Session, User
from accounts.selectors import second_factor_state
from accounts.services.second_factors import (
    MAX_TRIES,
    TotpSetup,
    second_factor_begin,
    second_factor_check,
    second_factor_confirm,
    second_factor_disable,
    second_factor_recovery_codes_renew,
    second_factor_reset,
)
from accounts.services.sessions import session_open
from accounts.tests.builders import PASSWORD, build_admin, build_totp, build_user
from learning247.kit.clock import now
from learning247.kit.errors import DomainError
from learning247.records.models import AuditEntry, OutboundMail

pytestmark = pytest.mark.django_db

HOME = Device(user_agent="Firefox", ip="203.0.113.7")
ELSEWHERE = Device(user_agent="curl", ip="198.51.100.9")


def outcome(user: User, code: str, device: Device = ELSEWHERE) -> str:
    try:
        second_factor_check(user=user, code=code, device=device)
    except DomainError as refused:
        return refused.code
    return "right"


def begin(user: User, password: str = PASSWORD) -> TotpSetup:
    return second_factor_begin(user=user, password=password, session_id=user.id)


def disable(user: User, code: str, *, password: str = PASSWORD, device: Device = ELSEWHERE) -> None:
    second_factor_disable(user=user, password=password, session_id=user.id, code=code, device=device)


def recorded(action: str) -> list[Any]:
    return list(AuditEntry.objects.filter(action=action).order_by("id").values_list("after", flat=True))


def mails() -> list[str]:
    return list(OutboundMail.objects.order_by("created_at").values_list("subject", flat=True))


def set_up(user: User, clock: Any, device: Device = HOME) -> tuple[TotpSetup, list[str]]:
    session = session_open(user, device=device)
    setup = begin(user)
    codes = second_factor_confirm(
        user=user, session_id=session.session_id, code=clock.code(setup.secret), device=device
    )
    return setup, codes


class TestSettingUp:
    def test_a_code_of_the_app_switches_it_on_and_shows_ten_recovery_codes(self, clock):
        user = build_user(verified=True)
        setup = begin(user)
        assert (second_factor_state(user).enabled, outcome(user, clock.code(setup.secret))) == (
            False,
            "second_factor_not_active",
        )
        session = session_open(user)

        codes = second_factor_confirm(
            user=user, session_id=session.session_id, code=clock.code(setup.secret), device=HOME
        )

        assert (len(set(codes)), {len(code) for code in codes}) == (10, {19})
        state = second_factor_state(user)
        assert (state.enabled_at, state.recovery_codes_left) == (clock.at, 10)
        assert recorded("user.second_factor_enabled") == [
            {"ip": HOME.ip, "user_agent": HOME.user_agent, "sessions_ended": 0}
        ]
        assert mails() == ["Your second factor at Learning247 is on"]

    def test_every_other_session_ends(self, clock):
        user, somebody = build_user(verified=True), build_user()
        mine, other, theirs = session_open(user), session_open(user), session_open(somebody)
        setup = begin(user)

        second_factor_confirm(user=user, session_id=mine.session_id, code=clock.code(setup.secret))

        ended = Session.objects.exclude(ended_at=None).values_list("id", "end_reason")
        assert list(ended) == [(other.session_id, SessionEnd.SECOND_FACTOR)]
        assert Session.objects.get(id=theirs.session_id).ended_at is None

    def test_the_first_code_is_used_up_by_it(self, clock):
        user = build_user(verified=True)
        setup, _ = set_up(user, clock)

        assert outcome(user, clock.code(setup.secret)) == "code_used"
        clock.forward(seconds=30)
        assert outcome(user, clock.code(setup.secret)) == "right"

    def test_beginning_again_makes_the_first_secret_worthless(self, clock):
        user = build_user(verified=True)
        first = begin(user)
        second = begin(user)
        session = session_open(user)

        with pytest.raises(SecondFactorCodeInvalid):
            second_factor_confirm(user=user, session_id=session.session_id, code=clock.code(first.secret))
        assert not second_factor_state(user).enabled
        second_factor_confirm(user=user, session_id=session.session_id, code=clock.code(second.secret))

    def test_what_is_on_is_neither_begun_nor_confirmed_again(self, clock):
        user = build_user(verified=True)
        setup, _ = set_up(user, clock)
        before = SecondFactor.objects.values().get()

        with pytest.raises(SecondFactorActive):
            begin(user)
        with pytest.raises(SecondFactorActive):
            second_factor_confirm(user=user, session_id=user.id, code=clock.code(setup.secret, steps=1))

        assert SecondFactor.objects.values().get() == before

    def test_what_was_never_begun_or_begun_an_hour_ago_is_not_confirmed(self, clock):
        user = build_user(verified=True)
        with pytest.raises(SecondFactorNotBegun):
            second_factor_confirm(user=user, session_id=user.id, code="123456")
        setup = begin(user)
        clock.forward(minutes=61)

        with pytest.raises(SecondFactorNotBegun):
            second_factor_confirm(user=user, session_id=user.id, code=clock.code(setup.secret))

        assert not second_factor_state(user).enabled

    def test_it_takes_the_password_and_an_email_that_is_really_theirs(self):
        with pytest.raises(PasswordIncorrect):
            begin(build_user(verified=True), "wrong horse battery")
        with pytest.raises(EmailNotVerified):
            begin(build_user())

        assert not SecondFactor.objects.exists()

    def test_who_has_no_password_has_signed_in_lately(self, clock):
        user = build_user(verified=True)
        user.set_unusable_password()
        user.save()
        session = session_open(user)
        Session.objects.update(created_at=now() - timedelta(minutes=16))
        with pytest.raises(FreshSignInRequired):
            second_factor_begin(user=user, password="", session_id=session.session_id)
        assert not SecondFactor.objects.exists()
        Session.objects.update(created_at=now())

        second_factor_begin(user=user, password="", session_id=session.session_id)

        assert SecondFactor.objects.get().confirmed_at is None

    def test_neither_secret_nor_recovery_codes_stand_in_the_tables(self, clock):
        user = build_user(verified=True)
        setup, codes = set_up(user, clock)

        stored = " ".join(map(str, [*SecondFactor.objects.values_list(), *RecoveryCode.objects.values_list()]))

        assert setup.secret not in stored
        assert not any(code in stored or code.replace("-", "") in stored for code in codes)
        assert setup.secret not in " ".join(map(str, AuditEntry.objects.values_list()))

    def test_under_another_key_the_secret_cannot_be_read(self, clock, settings):
        user = build_user()
        secret = build_totp(user)
        settings.FIELD_ENCRYPTION_KEYS = ["another key, which somebody with a copy of the table would have to guess"]

        with pytest.raises(Exception, match="cannot be read"):
            second_factor_check(user=user, code=clock.code(secret))


class TestCodes:
    @pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
    def test_the_phones_clock_may_be_one_step_off(self, clock, steps, right):
        user = build_user()
        secret = build_totp(user)

        assert outcome(user, clock.code(secret, steps=steps)) == ("right" if right else "code_invalid")

    def test_a_code_opens_once_and_closes_the_ones_before_it(self, clock):
        user = build_user()
        secret = build_totp(user)

        tried = [clock.code(secret, steps=steps) for steps in (0, 0, -1, 1, 1, 0)]

        assert [outcome(user, code) for code in tried] == [
            *("right", "code_used", "code_used", "right", "code_used", "code_used"),
        ]
        assert SecondFactorTries.objects.count() == 0

    def test_a_code_may_be_typed_as_the_app_shows_it(self, clock):
        user = build_user()
        code = clock.code(build_totp(user))

        assert outcome(user, f" {code[:3]} {code[3:]} ") == "right"

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "\x00" * 6, "x" * 10_000])
    def test_whatever_is_no_code_counts_as_a_try(self, clock, code):
        user = build_user()
        build_totp(user)

        assert outcome(user, code) == "code_invalid"
        assert SecondFactorTries.objects.get().wrong == 1

    def test_a_code_opens_for_nobody_else(self, clock):
        user, other = build_user(), build_user()
        secret = build_totp(user)
        build_totp(other)

        assert outcome(other, clock.code(secret)) == "code_invalid"
        assert outcome(build_user(), clock.code(secret)) == "second_factor_not_active"

    def test_recovery_codes_move_no_money(self, clock):
        user = build_user(verified=True)
        _, codes = set_up(user, clock)

        assert outcome(user, codes[0]) == "code_invalid"
        assert second_factor_state(user).recovery_codes_left == 10


class TestTries:
    def test_after_five_wrong_codes_the_right_one_has_to_wait(self, clock):
        user = build_user()
        secret = build_totp(user)

        left = []
        for _ in range(MAX_TRIES):
            with pytest.raises(SecondFactorCodeInvalid) as wrong:
                second_factor_check(user=user, code=clock.wrong(secret))
            left.append((wrong.value.status, wrong.value.attr, wrong.value.extra))

        assert left == [(422, "code", {"attempts_left": n}) for n in (4, 3, 2, 1, 0)]
        with pytest.raises(SecondFactorPaused) as paused:
            second_factor_check(user=user, code=clock.code(secret))
        assert (paused.value.status, paused.value.retry_after) == (429, 901)
        assert SecondFactor.objects.get().used_step == -1
        assert mails() == ["Wrong codes for your Learning247 account"]
        clock.forward(minutes=15)
        assert outcome(user, clock.code(secret)) == "right"

    def test_each_further_wrong_code_doubles_the_wait_up_to_a_day(self, clock):
        user = build_user()
        secret = build_totp(user)
        waits = []
        for _ in range(MAX_TRIES + 9):
            assert outcome(user, clock.wrong(secret)) == "code_invalid"
            until = SecondFactorTries.objects.get().paused_until
            waits.append((until - clock.at) / timedelta(minutes=1) if until else 0)
            clock.at = until or clock.at

        assert waits == [0, 0, 0, 0, 15, 30, 60, 120, 240, 480, 960, 1440, 1440, 1440]
        assert mails() == ["Wrong codes for your Learning247 account"]

    def test_the_right_code_brings_all_tries_back(self, clock):
        user = build_user()
        secret = build_totp(user)
        for _ in range(MAX_TRIES - 1):
            outcome(user, clock.wrong(secret))

        assert outcome(user, clock.code(secret)) == "right"
        with pytest.raises(SecondFactorCodeInvalid) as wrong:
            second_factor_check(user=user, code=clock.wrong(secret))
        assert wrong.value.tries_left == MAX_TRIES - 1

    def test_who_guesses_from_elsewhere_does_not_keep_the_owner_out_at_home(self, clock):
        user = build_user()
        secret = build_totp(user)
        session_open(user, device=HOME)
        for _ in range(MAX_TRIES):
            outcome(user, clock.wrong(secret), ELSEWHERE)

        assert outcome(user, clock.code(secret), ELSEWHERE) == "second_factor_paused"
        assert outcome(user, clock.code(secret), HOME) == "right"
        assert outcome(user, clock.code(secret, steps=1), ELSEWHERE) == "second_factor_paused"

    def test_at_home_the_longest_wait_is_an_hour(self, clock):
        user = build_user()
        secret = build_totp(user)
        session_open(user, device=HOME)
        SecondFactorTries.objects.create(user=user, known=True, wrong=100)

        assert outcome(user, clock.wrong(secret), HOME) == "code_invalid"

        assert SecondFactorTries.objects.get().paused_until == clock.at + timedelta(hours=1)

    def test_the_whole_network_of_an_ipv6_customer_is_home_and_the_next_one_is_not(self, clock):
        user = build_user()
        secret = build_totp(user)
        session_open(user, device=Device(ip="2001:db8:1:2::7"))

        outcome(user, clock.wrong(secret), Device(ip="2001:db8:1:3::9"))
        outcome(user, clock.wrong(secret), Device(ip="2001:db8:2::7"))

        assert sorted(SecondFactorTries.objects.values_list("known", "wrong")) == [(False, 1), (True, 1)]

    def test_where_somebody_was_before_the_second_factor_is_not_home(self, clock):
        user = build_user()
        thief = session_open(user, device=ELSEWHERE)
        long_ago = now() - timedelta(days=1)
        Session.objects.filter(id=thief.session_id).update(
            refreshed_at=long_ago, ended_at=now(), end_reason=SessionEnd.SECOND_FACTOR
        )
        secret = build_totp(user)

        outcome(user, clock.wrong(secret), ELSEWHERE)

        assert SecondFactorTries.objects.get().known is False

    def test_setting_it_up_anew_brings_no_try_back(self, clock):
        user = build_user(verified=True)
        secret = begin(user).secret
        for _ in range(MAX_TRIES):
            with pytest.raises(SecondFactorCodeInvalid):
                second_factor_confirm(user=user, session_id=user.id, code=clock.wrong(secret))
        setup = begin(user)

        with pytest.raises(SecondFactorPaused):
            second_factor_confirm(user=user, session_id=user.id, code=clock.code(setup.secret))

    def test_refusals_are_on_record_once_per_address_and_quarter_of_an_hour(self, clock):
        user = build_user()
        secret = build_totp(user)
        for _ in range(MAX_TRIES):
            outcome(user, clock.wrong(secret), ELSEWHERE)

        assert recorded("user.second_factor_refused") == [
            {"door": "api", "ip": ELSEWHERE.ip, "user_agent": ELSEWHERE.user_agent}
        ]

    def test_ten_thousand_guesses_let_nobody_by(self, clock):
        user = build_user()
        secret = build_totp(user)
        right = {clock.code(secret, steps=steps) for steps in (-1, 0, 1)}
        guesses = [f"{number:06}" for number in range(10_003) if f"{number:06}" not in right][:10_000]

        outcomes = Counter(outcome(user, guess) for guess in guesses)

        assert outcomes == {"code_invalid": MAX_TRIES, "second_factor_paused": 10_000 - MAX_TRIES}
        assert SecondFactor.objects.get().used_step == -1


class TestSwitchingOff:
    def test_password_and_code_together_switch_it_off(self, clock):
        user = build_user(verified=True)
        setup, _ = set_up(user, clock)
        clock.forward(seconds=30)

        disable(user, clock.code(setup.secret), device=HOME)

        assert (second_factor_state(user).enabled, RecoveryCode.objects.count()) == (False, 0)
        assert Session.objects.get().ended_at is None
        assert mails()[-1] == "Your second factor at Learning247 is off"
        assert recorded("user.second_factor_disabled") == [
            {"ip": HOME.ip, "user_agent": HOME.user_agent, "method": SecondFactorMethod.TOTP}
        ]

    def test_who_lost_the_phone_uses_a_recovery_code(self, clock):
        user = build_user(verified=True)
        _, codes = set_up(user, clock)

        disable(user, codes[3].lower().replace("-", " "))

        assert not SecondFactor.objects.exists()

    def test_one_of_the_two_is_not_enough(self, clock):
        user = build_user(verified=True)
        setup, codes = set_up(user, clock)

        with pytest.raises(PasswordIncorrect):
            disable(user, clock.code(setup.secret, steps=1), password="wrong horse battery")
        with pytest.raises(PasswordIncorrect):
            disable(user, codes[0], password="wrong horse battery")
        with pytest.raises(SecondFactorCodeInvalid):
            disable(user, clock.wrong(setup.secret))
        with pytest.raises(SecondFactorCodeUsed):
            disable(user, clock.code(setup.secret))

        state = second_factor_state(user)
        assert (state.enabled, state.recovery_codes_left) == (True, 10)
        assert mails() == ["Your second factor at Learning247 is on"]

    def test_what_is_off_cannot_be_switched_off(self):
        user = build_user()
        with pytest.raises(SecondFactorNotActive):
            disable(user, "123456")


class TestRecoveryCodes:
    def test_a_new_set_makes_the_old_one_worthless(self, clock):
        user = build_user(verified=True)
        setup, old = set_up(user, clock)
        clock.forward(seconds=30)

        new = second_factor_recovery_codes_renew(user=user, code=clock.code(setup.secret), device=HOME)

        assert (len(new), set(new) & set(old), second_factor_state(user).recovery_codes_left) == (10, set(), 10)
        with pytest.raises(SecondFactorCodeInvalid):
            disable(user, old[0])
        disable(user, new[0])
        assert mails()[1] == "You have new recovery codes at Learning247"

    def test_a_recovery_code_makes_no_new_ones(self, clock):
        user = build_user(verified=True)
        _, codes = set_up(user, clock)

        with pytest.raises(SecondFactorCodeInvalid):
            second_factor_recovery_codes_renew(user=user, code=codes[0])

        assert second_factor_state(user).recovery_codes_left == 10


class TestReset:
    def test_staff_switch_off_what_somebody_has_lost(self, clock):
        user, staff = build_user(verified=True), build_admin()
        set_up(user, clock)

        second_factor_reset(user=user, actor=staff, reason="Showed her passport in a call")

        assert (second_factor_state(user).enabled, RecoveryCode.objects.count()) == (False, 0)
        assert Session.objects.get().end_reason == SessionEnd.SECOND_FACTOR
        assert mails()[-1] == "Your second factor at Learning247 was reset"
        entry = AuditEntry.objects.get(action="user.second_factor_reset")
        assert (entry.actor_id, entry.subject_id) == (staff.id, str(user.id))
        assert entry.reason == "Showed her passport in a call"
        assert entry.after == {"second_factor_since": None, "sessions_ended": 1}
        assert "passport" not in OutboundMail.objects.latest("created_at").text

    def test_nobody_resets_their_own_and_nothing_is_reset_twice(self, clock):
        staff = build_admin()
        build_totp(staff)
        with pytest.raises(SecondFactorOwn):
            second_factor_reset(user=staff, actor=staff, reason="Quicker")
        with pytest.raises(SecondFactorNotActive):
            second_factor_reset(user=build_user(), actor=staff, reason="Mistaken")

        assert SecondFactor.objects.get().user == staff
        assert not AuditEntry.objects.exists()

    def test_an_operator_does_it_at_the_machine(self):
        user = build_admin(email="boss@example.com")
        build_totp(user)
        with pytest.raises(CommandError, match="Give a reason"):
            call_command("reset_second_factor", "boss@example.com", reason=" ")
        with pytest.raises(CommandError, match="nobody with the email"):
            call_command("reset_second_factor", "none@example.com", reason="Lost")

        call_command("reset_second_factor", "Boss@example.com", reason="Phone stolen", stdout=StringIO())

        assert not SecondFactor.objects.exists()
        assert AuditEntry.objects.get().reason == "Phone stolen"
        with pytest.raises(CommandError, match="is not on"):
            call_command("reset_second_factor", "boss@example.com", reason="Again")
