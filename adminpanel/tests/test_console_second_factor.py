"""The second factor in the staff console: no way around it, and what staff do for who has lost theirs."""

from typing import Any

import pytest
import segno
from django.contrib.auth.models import Permission
from django.test import Client
from rest_framework.test import APIClient

from accounts.errors import SecondFactorOwn
from accounts.models import SecondFactor, SecondFactorTries, Session, User
from accounts.selectors import second_factor_active
from accounts.services.recovery_codes import recovery_codes_renew
from accounts.services.second_factors import second_factor_begin, second_factor_confirm
from accounts.services.sessions import session_open
from accounts.tests.builders import PASSWORD, build_admin, build_totp, build_user, sign_in
from accounts.tests.conftest import Clock, clock
from accounts.totp import totp_uri
from adminpanel.forms import SHOWN
from learning247.records.models import AuditEntry, OutboundMail
from learning247.settings.ratelimits import DEFAULTS

__all__ = ["clock"]

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/accounts/user/"
SETUP = "/admin/second-factor/"


@pytest.fixture(autouse=True)
def plain_static_files(settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture
def boss() -> User:
    return build_admin(email="boss@example.com")


def enter(code: str = "", password: str = PASSWORD, client: Client | None = None) -> tuple[Client, Any]:
    client = client or Client()
    form = {"username": "boss@example.com", "password": password, "code": code}
    return client, client.post("/admin/login/", form)


def inside(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


class TestSigningIn:
    def test_the_password_alone_opens_nothing(self, boss: User, clock: Clock) -> None:
        build_totp(boss)

        client, answer = enter()

        assert (answer.status_code, inside(client)) == (200, False)
        assert "with it a code of your authenticator app" in answer.content.decode()
        assert "_auth_user_id" not in client.session
        assert not AuditEntry.objects.exists()

    def test_password_and_code_open_it(self, boss: User, clock: Clock) -> None:
        secret = build_totp(boss)

        client, answer = enter(clock.code(secret))

        assert (answer.status_code, inside(client)) == (302, True)
        assert AuditEntry.objects.get().after == {
            "door": "console",
            "ip": "127.0.0.1",
            "user_agent": "",
            "second_factor": "totp",
        }

    def test_a_recovery_code_does_too(self, boss: User, clock: Clock) -> None:
        build_totp(boss)

        client, _ = enter(recovery_codes_renew(user=boss)[0])

        assert inside(client)

    def test_a_wrong_code_and_a_used_one_open_nothing_and_are_counted(self, boss: User, clock: Clock) -> None:
        secret = build_totp(boss)
        enter(clock.code(secret))

        for code in (clock.wrong(secret), clock.code(secret)):
            client, answer = enter(code)
            assert (answer.status_code, inside(client)) == (200, False)

        assert SecondFactorTries.objects.get().wrong == 1
        assert AuditEntry.objects.filter(action="user.second_factor_refused").count() == 1

    def test_a_right_code_without_the_password_is_not_looked_at(self, boss: User, clock: Clock) -> None:
        secret = build_totp(boss)

        client, answer = enter(clock.code(secret), password="wrong horse battery")

        assert "authenticator app or" not in answer.content.decode()
        assert (inside(client), SecondFactor.objects.get().used_step) == (False, -1)

    def test_after_five_wrong_codes_the_page_says_when_again(self, boss: User, clock: Clock) -> None:
        secret = build_totp(boss)
        for _ in range(5):
            enter(clock.wrong(secret))

        client, answer = enter(clock.code(secret))

        assert (answer.status_code, answer["Retry-After"], inside(client)) == (429, "901", False)

    def test_tries_at_the_api_count_here(self, boss: User, clock: Clock) -> None:
        secret = build_totp(boss)
        body = {"email": boss.email, "password": PASSWORD}
        challenge = APIClient().post("/auth/login", body, format="json").json()["extra"]["challenge"]
        for _ in range(5):
            proof = {"challenge": challenge, "code": clock.wrong(secret)}
            APIClient().post("/auth/login/second-factor", proof, format="json")

        assert enter(clock.code(secret))[1].status_code == 429

    def test_who_has_none_leaves_the_field_empty(self, boss: User) -> None:
        client, answer = enter()

        assert (answer.status_code, inside(client)) == (302, True)
        assert 'name="code"' in Client().get("/admin/login/").content.decode()

    def test_the_limits_of_signing_in_come_first(self, boss: User, clock: Clock, settings: Any) -> None:
        settings.RATELIMIT_ENABLE = True
        settings.RATELIMIT_RATES = dict.fromkeys(DEFAULTS, "99/1d") | {"sign_in_account": "1/1d"}
        secret = build_totp(boss)
        enter(clock.wrong(secret))

        assert enter(clock.code(secret))[1].status_code == 429
        assert SecondFactor.objects.get().used_step == -1


class TestSessions:
    def test_one_that_the_password_alone_opened_ends_when_it_is_switched_on(self, boss: User, clock: Clock) -> None:
        client, _ = enter()
        api = session_open(boss)
        secret = second_factor_begin(user=boss, password=PASSWORD, session_id=api.session_id).secret
        assert inside(client)

        second_factor_confirm(user=boss, session_id=api.session_id, code=clock.code(secret))

        assert not inside(client)
        clock.forward(seconds=30)
        enter(clock.code(secret), client=client)
        assert inside(client)

    def test_one_ends_when_the_second_factor_is_reset_or_another_is_set_up(self, boss: User, clock: Clock) -> None:
        client, _ = enter(clock.code(build_totp(boss)))
        assert inside(client)

        SecondFactor.objects.all().delete()
        assert not inside(client)
        build_totp(boss)
        assert not inside(client)


class TestRequired:
    @pytest.fixture(autouse=True)
    def required(self, settings: Any) -> None:
        settings.STAFF_SECOND_FACTOR_REQUIRED = True

    def test_without_one_staff_are_led_to_set_one_up_and_are_not_in(self, boss: User) -> None:
        client, answer = enter()

        assert (answer.status_code, answer["Location"], inside(client)) == (302, SETUP, False)
        assert "_auth_user_id" not in client.session
        assert [entry.action for entry in AuditEntry.objects.all()] == ["user.second_factor_begun"]

    def test_a_session_from_before_ends(self, boss: User, settings: Any) -> None:
        settings.STAFF_SECOND_FACTOR_REQUIRED = False
        client, _ = enter()
        assert inside(client)
        settings.STAFF_SECOND_FACTOR_REQUIRED = True

        assert not inside(client)

    def test_nor_into_the_staff_part_of_the_api_until_it_is_set_up(self, boss: User, clock: Clock) -> None:
        client = APIClient()
        signed_in = sign_in(client, boss)

        refused = client.get("/api/admin/course-enrollments")
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, "second_factor_setup_required")

        setup = client.post("/auth/second-factor/totp", {"password": PASSWORD}, format="json").json()
        code = {"code": clock.code(setup["secret"])}
        assert client.post("/auth/second-factor/totp/confirm", code, format="json").status_code == 200
        assert client.get("/api/admin/course-enrollments").status_code == 200
        assert Session.objects.get(ended_at=None).id == signed_in.session_id
        clock.forward(seconds=30)
        assert inside(enter(clock.code(setup["secret"]))[0])

    def test_people_who_are_no_staff_need_none(self) -> None:
        client = APIClient()
        sign_in(client, build_user())

        assert client.get("/auth/me").status_code == 200
        assert client.get("/api/admin/course-enrollments").json()["errors"][0]["code"] == "permission_denied"


class TestSettingUp:
    """In the console itself, for who has to and who wants to."""

    @pytest.fixture
    def required(self, settings: Any) -> None:
        settings.STAFF_SECOND_FACTOR_REQUIRED = True

    def secret_on(self, page: Any) -> str:
        """The key as text; the QR code says the same."""
        text: str = page.content.decode()
        secret = str(page.context["secret"])
        assert f'<code class="secret">{secret}</code>' in text
        uri = totp_uri(secret=secret.replace(" ", ""), account="boss@example.com")
        assert segno.make(uri, error="m", micro=False).svg_inline(scale=5, border=4, dark="#000", light="#fff") in text
        return secret.replace(" ", "")

    def test_qr_code_then_a_code_of_it_then_recovery_codes_once_and_one_is_in(
        self, boss: User, required: None, clock: Clock
    ) -> None:
        elsewhere = session_open(boss)
        client, _ = enter()
        page = client.get(SETUP)
        secret = self.secret_on(page)
        assert "no-store" in page["Cache-Control"]
        assert (secret in str(dict(client.session)), second_factor_active(boss)) == (False, None)

        done: Any = client.post(SETUP, {"code": clock.code(secret)})

        codes = done.context["recovery_codes"]
        assert (len(codes), done.status_code, inside(client)) == (10, 200, True)
        assert all(f"<code>{code}</code>" in done.content.decode() for code in codes)
        again = client.get(SETUP).content.decode()
        assert "Recovery codes left: 10" in again
        assert codes[0] not in again
        assert Session.objects.get(id=elsewhere.session_id).ended_at is not None
        assert [entry.action for entry in AuditEntry.objects.order_by("id")] == [
            "user.second_factor_begun",
            "user.second_factor_enabled",
            "user.signed_in",
        ]
        assert OutboundMail.objects.get().key.startswith("second_factor_on")
        clock.forward(seconds=30)
        assert inside(enter(clock.code(secret))[0])
        assert inside(enter(codes[0])[0])

    def test_a_wrong_code_switches_nothing_on_and_is_counted(self, boss: User, required: None, clock: Clock) -> None:
        client, _ = enter()
        secret = self.secret_on(client.get(SETUP))

        answer = client.post(SETUP, {"code": clock.wrong(secret)})

        assert (answer.status_code, inside(client), second_factor_active(boss)) == (200, False, None)
        assert SecondFactorTries.objects.get().wrong == 1
        assert self.secret_on(answer) == secret
        for _ in range(4):
            client.post(SETUP, {"code": clock.wrong(secret)})
        paused = client.post(SETUP, {"code": clock.code(secret)})
        assert (paused.status_code, paused["Retry-After"], second_factor_active(boss)) == (429, "901", None)

    def test_who_has_not_shown_the_password_sees_no_page(self, boss: User, required: None) -> None:
        for client in (Client(), enter(password="wrong horse battery")[0]):
            for answer in (client.get(SETUP), client.post(SETUP, {"code": "123456"})):
                assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={SETUP}")
        assert not SecondFactor.objects.exists()

    def test_what_was_begun_lasts_an_hour(self, boss: User, required: None, clock: Clock) -> None:
        client, _ = enter()
        secret = self.secret_on(client.get(SETUP))
        clock.forward(minutes=61)

        assert client.post(SETUP, {"code": clock.code(secret)})["Location"].startswith("/admin/login/")
        assert second_factor_active(boss) is None

    @pytest.mark.parametrize("change", ["password", "is_active", "is_staff"])
    def test_another_password_or_a_lost_right_takes_it_away(
        self, boss: User, required: None, clock: Clock, change: str
    ) -> None:
        client, _ = enter()
        secret = self.secret_on(client.get(SETUP))
        if change == "password":
            boss.set_password("another horse battery")
        else:
            setattr(boss, change, False)
        boss.save()

        assert client.post(SETUP, {"code": clock.code(secret)})["Location"].startswith("/admin/login/")
        assert second_factor_active(boss) is None

    def test_it_is_the_browser_that_began_it_and_no_other(self, boss: User, required: None, clock: Clock) -> None:
        planted = Client()
        planted.get("/admin/login/")
        client, _ = enter()
        session_before = client.session.session_key
        enter(client=client)

        assert client.session.session_key != session_before
        assert planted.get(SETUP).status_code == 302

    def test_somebody_else_who_signed_in_meanwhile_gets_their_own(
        self, boss: User, settings: Any, clock: Clock
    ) -> None:
        settings.STAFF_SECOND_FACTOR_REQUIRED = True
        client, _ = enter()
        settings.STAFF_SECOND_FACTOR_REQUIRED = False
        client.force_login(build_admin(email="other@example.com"))

        page = client.get(SETUP).content.decode()

        assert 'name="password"' in page
        assert 'class="secret"' not in page

    def test_who_has_proved_no_email_is_told_how(self, boss: User, required: None) -> None:
        User.objects.update(email_verified_at=None)

        client, answer = enter()

        assert (answer.status_code, inside(client)) == (200, False)
        assert "before it a verified email" in answer.content.decode()
        assert not SecondFactor.objects.exists()

    def test_who_is_signed_in_and_wants_one_shows_the_password_again(self, boss: User, clock: Clock) -> None:
        client, _ = enter()
        other, _ = enter()
        assert f'<a href="{SETUP}">Second factor</a>' in client.get("/admin/").content.decode()
        assert (
            "<svg" not in client.get(SETUP).content.decode().partition('id="content-main"')[2].partition("</form>")[0]
        )
        refused = client.post(SETUP, {"password": "wrong horse battery"})
        assert (refused.status_code, SecondFactor.objects.exists()) == (200, False)

        assert client.post(SETUP, {"password": PASSWORD})["Location"] == SETUP
        secret = self.secret_on(client.get(SETUP))
        client.post(SETUP, {"code": clock.code(secret)})

        assert (inside(client), inside(other)) == (True, False)

    def test_one_that_is_on_is_left_alone(self, boss: User, clock: Clock) -> None:
        secret = build_totp(boss)
        client, _ = enter(clock.code(secret))

        assert "Your second factor is on since" in client.get(SETUP).content.decode()
        client.post(SETUP, {"password": PASSWORD})

        assert SecondFactor.objects.get().confirmed_at is not None


class TestReset:
    def reset(self, staff: User, *people: User, reason: str = "Came with her passport") -> Any:
        client = Client()
        client.force_login(staff)
        factor = second_factor_active(staff)
        if factor is not None:
            session = client.session
            session[SHOWN] = str(factor)
            session.save()
        chosen = {"action": "reset_second_factor", "_selected_action": [str(person.id) for person in people]}
        return client.post(PEOPLE, chosen | ({"apply": "yes", "reason": reason} if reason else {}), follow=True)

    def test_it_asks_for_a_reason_and_then_switches_it_off(self, boss: User) -> None:
        ada = build_user(email="ada@example.com", verified=True)
        build_totp(ada)
        session_open(ada)

        page = self.reset(boss, ada, reason="").content.decode()
        assert "ada@example.com" in page
        assert SecondFactor.objects.exists()

        done = self.reset(boss, ada).content.decode()

        assert "the second factor is off, and every session has ended" in done
        assert not SecondFactor.objects.exists()
        assert Session.objects.get().ended_at is not None
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.actor, entry.reason) == ("user.second_factor_reset", boss, "Came with her passport")
        assert OutboundMail.objects.get().to == "ada@example.com"

    def test_a_blank_reason_is_none(self, boss: User) -> None:
        ada = build_user()
        build_totp(ada)

        self.reset(boss, ada, reason="  ")

        assert SecondFactor.objects.exists()

    def test_staff_are_reset_by_superusers_alone_and_nobody_by_who_only_looks(self, boss: User) -> None:
        build_totp(boss)
        ada = build_user()
        build_totp(ada)
        changes, looks = build_user(is_staff=True), build_user(is_staff=True)
        changes.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
        looks.user_permissions.set(Permission.objects.filter(codename="view_user"))

        self.reset(changes, boss)
        self.reset(looks, ada)
        assert SecondFactor.objects.count() == 2
        assert not AuditEntry.objects.exists()

        self.reset(changes, ada)
        assert SecondFactor.objects.get().user == boss

    def test_one_at_a_time(self, boss: User) -> None:
        people = [build_user(), build_user()]
        for person in people:
            build_totp(person)

        assert "Choose one person" in self.reset(boss, *people).content.decode()
        assert SecondFactor.objects.count() == 2

    def test_never_ones_own(self, boss: User) -> None:
        build_totp(boss)

        assert SecondFactorOwn.detail in self.reset(boss, boss).content.decode()

        assert SecondFactor.objects.get().user == boss
        assert not AuditEntry.objects.exists()

    def test_a_reason_that_was_written_beside_the_action_is_not_asked_for_again(self, boss: User) -> None:
        ada = build_user()
        build_totp(ada)
        client = Client()
        client.force_login(boss)
        chosen = {"action": "reset_second_factor", "_selected_action": [str(ada.id)], "reason": "Lost her phone"}

        page = client.post(PEOPLE, chosen, follow=True).content.decode()

        assert 'name="reason" value="Lost her phone"' in page
        assert SecondFactor.objects.exists()

    def test_the_page_of_a_person_shows_that_it_is_on_and_no_secret(self, boss: User, clock: Clock) -> None:
        ada = build_user()
        secret = build_totp(ada)
        recovery_codes_renew(user=ada)
        client = Client()
        client.force_login(boss)

        page = client.get(f"{PEOPLE}{ada.id}/change/").content.decode()

        assert "recovery codes left: 10" in page
        assert secret not in page
        assert SecondFactor.objects.get().secret not in page
        assert '<div class="readonly">Off</div>' in client.get(f"{PEOPLE}{boss.id}/change/").content.decode()
