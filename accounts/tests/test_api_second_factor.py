"""The second factor at the API: setting it up, signing in with it, and what a password alone is worth."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from accounts.enums import LinkPurpose
from accounts.models import RecoveryCode, SecondFactor, Session, SignInChallenge, User
from accounts.services.recovery_codes import recovery_codes_renew
from accounts.services.sessions import session_open
from accounts.services.single_use_links import link_issue
from accounts.tasks import purge_sign_in_challenges
from accounts.tests.builders import PASSWORD, build_totp, build_user, sign_in
from learning247.kit.clock import now
from learning247.records.models import AuditEntry, OutboundMail
from learning247.settings.ratelimits import DEFAULTS

pytestmark = pytest.mark.django_db

HOME = {"REMOTE_ADDR": "203.0.113.7", "HTTP_USER_AGENT": "Firefox"}
BASE = "/auth/second-factor"


def post(path: str, body: dict[str, Any], client: APIClient | None = None, **device: Any) -> Any:
    return (client or APIClient()).post(path, body, format="json", **(HOME | device))


def login(user: User, password: str = PASSWORD, **device: Any) -> Any:
    return post("/auth/login", {"email": user.email, "password": password}, **device)


def challenge_of(user: User) -> str:
    challenge: str = login(user).json()["extra"]["challenge"]
    return challenge


def finish(challenge: str, code: str, **device: Any) -> Any:
    return post("/auth/login/second-factor", {"challenge": challenge, "code": code}, **device)


def error_of(response: Any) -> tuple[int, str]:
    (error,) = response.json()["errors"]
    return response.status_code, error["code"]


@pytest.fixture
def client() -> APIClient:
    return APIClient()


class TestSettingUp:
    def test_from_off_to_on_to_new_recovery_codes_to_off(self, client, clock):
        user = build_user(verified=True)
        sign_in(client, user)
        other = session_open(user)
        assert client.get(BASE).json() == {"enabled": False, "enabled_at": None, "recovery_codes_left": 0}

        begun = post(f"{BASE}/totp", {"password": PASSWORD}, client)
        secret = begun.json()["secret"]
        assert (begun.status_code, begun.json()["uri"].count(secret)) == (201, 1)
        assert client.get(BASE).json()["enabled"] is False

        confirmed = post(f"{BASE}/totp/confirm", {"code": clock.code(secret)}, client)
        assert (confirmed.status_code, len(confirmed.json()["recovery_codes"])) == (200, 10)
        on = client.get(BASE).json()
        assert on == {
            "enabled": True,
            "enabled_at": clock.at.isoformat().replace("+00:00", "Z"),
            "recovery_codes_left": 10,
        }
        stranger = APIClient()
        stranger.credentials(HTTP_AUTHORIZATION=f"Bearer {other.access}")
        assert error_of(stranger.get(BASE)) == (401, "token_not_valid")

        clock.forward(seconds=30)
        renewed = post(f"{BASE}/recovery-codes", {"code": clock.code(secret)}, client)
        assert renewed.status_code == 200
        assert not set(renewed.json()["recovery_codes"]) & set(confirmed.json()["recovery_codes"])

        clock.forward(seconds=30)
        proof = {"password": PASSWORD, "code": clock.code(secret)}
        off = client.delete(f"{BASE}/totp", proof, format="json", **HOME)
        assert (off.status_code, off.content) == (204, b"")
        assert client.get(BASE).json() == {"enabled": False, "enabled_at": None, "recovery_codes_left": 0}
        assert {answer["Cache-Control"] for answer in (begun, confirmed, renewed, off)} == {"no-store"}

    def test_the_owner_is_told_where_from(self, client, clock):
        user = build_user(verified=True)
        sign_in(client, user)
        secret = post(f"{BASE}/totp", {"password": PASSWORD}, client).json()["secret"]

        post(f"{BASE}/totp/confirm", {"code": clock.code(secret)}, client)

        mail = OutboundMail.objects.get()
        assert (mail.to, "from 203.0.113.7" in mail.text, "from 203.0.113.7" in mail.html) == (user.email, True, True)
        assert secret not in mail.text + mail.html

    def test_refusals(self, client, clock):
        user = build_user(verified=True)
        sign_in(client, user)

        assert error_of(post(f"{BASE}/totp", {"password": "wrong horse battery"}, client)) == (
            400,
            "password_incorrect",
        )
        assert error_of(post(f"{BASE}/totp/confirm", {"code": "123456"}, client)) == (409, "second_factor_not_begun")
        assert error_of(post(f"{BASE}/recovery-codes", {"code": "123456"}, client)) == (
            409,
            "second_factor_not_active",
        )
        secret = post(f"{BASE}/totp", {"password": PASSWORD}, client).json()["secret"]
        wrong = post(f"{BASE}/totp/confirm", {"code": clock.wrong(secret)}, client)
        assert (error_of(wrong), wrong.json()["extra"]) == ((422, "code_invalid"), {"attempts_left": 4})
        assert not RecoveryCode.objects.exists()
        assert SecondFactor.objects.get().confirmed_at is None

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("get", BASE),
            ("post", f"{BASE}/totp"),
            ("post", f"{BASE}/totp/confirm"),
            ("delete", f"{BASE}/totp"),
            ("post", f"{BASE}/recovery-codes"),
        ],
    )
    def test_a_stranger_gets_nowhere(self, client, method, path):
        assert error_of(getattr(client, method)(path, format="json")) == (401, "not_authenticated")

    @pytest.mark.parametrize("code", [123456, None, "", "x" * 65, ["123456"], {"a": 1}])
    def test_what_is_no_text_of_that_length_is_malformed(self, client, code):
        user = build_user()
        sign_in(client, user)
        build_totp(user)

        answer = post(f"{BASE}/recovery-codes", {"code": code}, client)

        assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "code")


class TestSigningIn:
    def test_the_password_alone_gets_a_challenge_and_no_token(self, clock):
        user = build_user(verified=True)
        build_totp(user)
        recovery_codes_renew(user=user)

        response = login(user)

        assert error_of(response) == (401, "second_factor_required")
        body = response.json()
        assert set(body) == {"type", "errors", "request_id", "extra"}
        assert set(body["extra"]) == {"challenge", "expires_at", "methods"}
        assert body["extra"]["methods"] == ["totp", "recovery_code"]
        assert response.cookies == {}
        assert Session.objects.count() == 0
        assert not AuditEntry.objects.filter(action="user.signed_in").exists()
        row = SignInChallenge.objects.get()
        assert body["extra"]["challenge"] not in str(SignInChallenge.objects.values_list().get())
        assert row.expires_at - now() == pytest.approx(timedelta(minutes=5), abs=timedelta(seconds=10))

    def test_without_recovery_codes_only_the_app_is_offered(self, clock):
        user = build_user()
        build_totp(user)

        assert login(user).json()["extra"]["methods"] == ["totp"]

    def test_challenge_and_code_open_a_session(self, clock):
        user = build_user()
        secret = build_totp(user)

        response = finish(challenge_of(user), clock.code(secret))

        assert response.status_code == 200
        assert set(response.json()) == {"user", "access", "refresh"}
        assert response.json()["user"]["email"] == user.email
        assert response.cookies["refresh_token"].value == response.json()["refresh"]
        session = Session.objects.get()
        assert (session.user_id, session.ip) == (user.id, "203.0.113.7")
        assert AuditEntry.objects.get(action="user.signed_in").after == {
            "door": "api",
            "ip": "203.0.113.7",
            "user_agent": "Firefox",
            "session": str(session.id),
            "second_factor": "totp",
        }
        assert not SignInChallenge.objects.exists()

    def test_a_wrong_password_gets_the_same_answer_with_and_without_a_second_factor(self, clock):
        user, plain = build_user(), build_user()
        build_totp(user)

        answers = [login(person, "wrong horse battery") for person in (user, plain)]

        assert [error_of(answer) for answer in answers] == [(401, "invalid_credentials")] * 2
        first, second = ({**answer.json(), "request_id": ""} for answer in answers)
        assert first == second
        assert not SignInChallenge.objects.exists()

    def test_a_wrong_code_says_how_many_tries_are_left_and_opens_nothing(self, clock):
        user = build_user()
        secret = build_totp(user)
        challenge = challenge_of(user)

        refused = finish(challenge, clock.wrong(secret))

        assert (error_of(refused), refused.json()["extra"]) == ((401, "code_invalid"), {"attempts_left": 4})
        assert refused.cookies == {}
        assert Session.objects.count() == 0
        assert finish(challenge, clock.code(secret)).status_code == 200

    def test_a_challenge_opens_once(self, clock):
        user = build_user()
        secret = build_totp(user)
        challenge = challenge_of(user)
        assert finish(challenge, clock.code(secret)).status_code == 200

        assert error_of(finish(challenge, clock.code(secret, steps=1))) == (401, "challenge_invalid")
        assert Session.objects.count() == 1
        # The code was not looked at.
        assert finish(challenge_of(user), clock.code(secret, steps=1)).status_code == 200

    def test_a_code_that_somebody_saw_opens_nothing_by_another_challenge(self, clock):
        user = build_user()
        secret = build_totp(user)
        finish(challenge_of(user), clock.code(secret))

        assert error_of(finish(challenge_of(user), clock.code(secret))) == (409, "code_used")
        assert Session.objects.count() == 1

    def test_a_challenge_is_good_for_five_minutes(self, clock):
        user = build_user()
        secret = build_totp(user)
        challenge = challenge_of(user)
        SignInChallenge.objects.update(expires_at=now())

        assert error_of(finish(challenge, clock.code(secret))) == (401, "challenge_invalid")
        assert Session.objects.count() == 0
        purge_sign_in_challenges()
        assert not SignInChallenge.objects.exists()

    def test_a_challenge_is_its_own_persons(self, clock):
        user, other = build_user(), build_user()
        secret = build_totp(user)
        build_totp(other)

        assert error_of(finish(challenge_of(other), clock.code(secret))) == (401, "code_invalid")
        assert Session.objects.count() == 0

    @pytest.mark.parametrize("challenge", ["nonsense", "x" * 100, "q1mJw5cE0u7x2rY9bZ4tK8nVfLhGdSaPoXiUeRyTw3A"])
    def test_made_up_challenges_open_nothing(self, clock, challenge):
        build_totp(build_user())

        assert error_of(finish(challenge, "123456")) == (401, "challenge_invalid")

    def test_another_challenge_does_not_interrupt_the_owner(self, clock):
        user = build_user()
        secret = build_totp(user)
        mine = challenge_of(user)
        challenge_of(user)

        assert finish(mine, clock.code(secret)).status_code == 200

    def test_who_is_disabled_between_the_two_factors_stays_out(self, clock):
        user = build_user()
        secret = build_totp(user)
        challenge = challenge_of(user)
        User.objects.filter(id=user.id).update(is_active=False)

        assert error_of(finish(challenge, clock.code(secret))) == (401, "challenge_invalid")
        assert Session.objects.count() == 0

    def test_a_recovery_code_opens_once_and_its_owner_is_told(self, clock):
        user = build_user()
        build_totp(user)
        code = recovery_codes_renew(user=user)[4]

        assert finish(challenge_of(user), code.lower()).status_code == 200

        assert error_of(finish(challenge_of(user), code)) == (401, "code_invalid")
        assert RecoveryCode.objects.filter(used_at=None).count() == 9
        assert AuditEntry.objects.get(action="user.recovery_code_used").after == {
            "door": "api",
            "ip": "203.0.113.7",
            "user_agent": "Firefox",
            "left": 9,
        }
        mail = OutboundMail.objects.get()
        assert (mail.subject, "You have 9 left." in mail.text) == (
            "A recovery code of yours was used at Learning247",
            True,
        )

    def test_a_recovery_code_opens_while_codes_of_the_app_wait(self, clock):
        user = build_user()
        secret = build_totp(user)
        codes = recovery_codes_renew(user=user)
        challenge = challenge_of(user)
        for _ in range(5):
            finish(challenge, clock.wrong(secret))
        paused = finish(challenge, clock.code(secret))
        assert (error_of(paused), paused["Retry-After"]) == ((429, "second_factor_paused"), "901")

        assert finish(challenge, codes[0]).status_code == 200


class TestPasswords:
    def test_a_reset_by_mail_neither_switches_it_off_nor_signs_in(self, clock):
        user = build_user(verified=True)
        secret = build_totp(user)
        old = challenge_of(user)
        with transaction.atomic():
            token = link_issue(user=user, purpose=LinkPurpose.PASSWORD_RESET)

        reset = post("/auth/reset-password", {"token": token, "password": "another horse battery"})

        assert (reset.status_code, reset.json()) == (200, {"email": user.email})
        assert error_of(finish(old, clock.code(secret))) == (401, "challenge_invalid")
        assert error_of(login(user, "another horse battery")) == (401, "second_factor_required")
        assert Session.objects.count() == 0

    def test_a_change_makes_challenges_by_the_old_one_worthless(self, client, clock):
        user = build_user()
        secret = build_totp(user)
        challenge = challenge_of(user)
        sign_in(client, user)

        changed = post(
            "/auth/change-password",
            {"current_password": PASSWORD, "new_password": "another horse battery"},
            client,
        )

        assert changed.status_code == 200
        assert error_of(finish(challenge, clock.code(secret))) == (401, "challenge_invalid")


class TestLimits:
    @pytest.fixture(autouse=True)
    def limited(self, settings):
        settings.RATELIMIT_ENABLE = True
        settings.RATELIMIT_RATES = dict.fromkeys(DEFAULTS, "99/1d")

    def test_tries_at_the_second_factor_count_as_signing_in(self, clock, settings):
        settings.RATELIMIT_RATES = settings.RATELIMIT_RATES | {"sign_in_account": "2/1d"}
        user = build_user()
        secret = build_totp(user)
        challenge = challenge_of(user)

        codes = [clock.wrong(secret), clock.wrong(secret), clock.code(secret)]

        assert [finish(challenge, code).status_code for code in codes] == [401, 401, 429]
        assert Session.objects.count() == 0

    def test_from_where_both_factors_were_shown_its_owner_is_known(self, clock, settings):
        under_attack = {"sign_in_account": "9/1d", "sign_in_everywhere": "1/1d", "sign_in_slowed": "1/1d"}
        settings.RATELIMIT_RATES = settings.RATELIMIT_RATES | under_attack
        user = build_user()
        secret = build_totp(user)
        assert finish(challenge_of(user), clock.code(secret)).status_code == 200
        for address in ("198.51.100.1", "198.51.100.2", "198.51.100.3"):
            login(user, "wrong horse battery", REMOTE_ADDR=address)

        assert [login(user).status_code for _ in range(4)] == [401] * 4
        assert [login(user, REMOTE_ADDR="198.51.100.9").status_code for _ in range(3)] == [401, 429, 429]

    def test_the_password_alone_makes_no_address_known(self, clock, settings):
        under_attack = {"sign_in_account": "9/1d", "sign_in_everywhere": "1/1d", "sign_in_slowed": "1/1d"}
        settings.RATELIMIT_RATES = settings.RATELIMIT_RATES | under_attack
        user = build_user()
        build_totp(user)

        assert [login(user).status_code for _ in range(3)] == [401, 401, 429]

    def test_without_redis_nobody_signs_in(self, clock, settings):
        user = build_user()
        secret = build_totp(user)
        challenge = challenge_of(user)
        away = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
        settings.CACHES = {**settings.CACHES, "default": away}

        body = {"challenge": challenge, "code": clock.code(secret)}
        answer = post("/auth/login/second-factor", body, APIClient(raise_request_exception=False))
        assert answer.status_code == 503
        assert Session.objects.count() == 0
