"""Commands of whoever runs the server."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command, get_commands
from rest_framework.test import APIClient

from accounts.models import RecoveryRequest, Session, SingleUseLink, User
from accounts.services.recovery import recovery_answer, recovery_request
from accounts.tests.builders import PASSWORD, build_user, sign_in
from learning247.records.models import AuditEntry, OutboundMail

pytestmark = pytest.mark.django_db
NEW = "another horse battery"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What somebody types, line by line, where the terminal shows nothing."""
    lines: list[str] = []
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("accounts.management.prompts.getpass", lambda _: lines.pop(0))
    monkeypatch.setattr("builtins.input", lambda _: lines.pop(0))
    return lines


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue().strip()


class TestChangePassword:
    def test_is_ours_and_not_djangos(self) -> None:
        assert get_commands()["changepassword"] == "accounts"

    def test_ends_every_session_and_link_tells_the_person_and_is_on_record(self, typed: list[str]) -> None:
        user = build_user(email="ada@example.com")
        recovery_request(email=user.email)
        recovery_answer(RecoveryRequest.objects.get().id)
        client = APIClient()
        sign_in(client, user)
        sign_in(APIClient(), user)
        typed += [NEW, NEW]

        assert run("changepassword", "Ada@Example.com") == "ada@example.com has the new password; sessions ended: 2."

        user.refresh_from_db()
        assert user.check_password(NEW)
        assert client.get("/auth/me").status_code == 401
        assert set(Session.objects.values_list("end_reason", flat=True)) == {"password_changed"}
        assert not SingleUseLink.objects.exists()
        assert OutboundMail.objects.latest("created_at").subject == "Your password for Learning247 was changed"
        entry = AuditEntry.objects.get(action="user.password_changed")
        assert (entry.actor, entry.subject_id) == (None, str(user.id))
        assert entry.after == {"sessions_ended": 2, "ip": None, "user_agent": "manage.py"}

    @pytest.mark.parametrize(
        ("lines", "said"),
        [
            ([NEW, "another horse batterx"], "The two differ"),
            (["short", "short"], "Nothing was changed. This password is too short"),
            (["", ""], "Nothing was changed. This password is too short"),
        ],
    )
    def test_a_password_that_will_not_do_changes_nothing(self, typed: list[str], lines: list[str], said: str) -> None:
        user = build_user(email="ada@example.com")
        sign_in(APIClient(), user)
        typed += lines

        with pytest.raises(CommandError, match=said):
            run("changepassword", "ada@example.com")

        self._nothing_changed(user)

    def test_nobody_is_nobody(self, typed: list[str]) -> None:
        with pytest.raises(CommandError, match=r"There is nobody with the email nobody@example\.com\."):
            run("changepassword", "nobody@example.com")

    def test_where_nobody_can_be_asked_it_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        user = build_user(email="ada@example.com")
        sign_in(APIClient(), user)
        monkeypatch.setattr("sys.stdin", StringIO())

        with pytest.raises(CommandError, match="Run this in a terminal"):
            run("changepassword", "ada@example.com")

        self._nothing_changed(user)

    def _nothing_changed(self, user: User) -> None:
        user.refresh_from_db()
        assert user.check_password(PASSWORD)
        assert Session.objects.get().ended_at is None
        assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("arguments", [(), ("--noinput", "--email", "boss@example.com")])
def test_no_superuser_is_made_without_a_record(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=r"Use `manage\.py seed_admin`"):
        run("createsuperuser", *arguments)

    assert not User.objects.exists()


class TestSeedAdminAtATerminal:
    @pytest.fixture(autouse=True)
    def nothing_in_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ADMIN_EMAIL", raising=False)
        monkeypatch.delenv("ADMIN_PASSWORD", raising=False)

    @pytest.mark.parametrize(("answer", "made"), [("yes", True), ("no", False), ("", False), ("y", False)])
    def test_asks_before_it_touches_somebody_elses_account(self, typed: list[str], answer: str, made: bool) -> None:
        user = build_user(email="boss@example.com")
        typed += ["boss@example.com", NEW, NEW, answer]

        if made:
            assert run("seed_admin") == "boss@example.com is administrator."
        else:
            with pytest.raises(CommandError, match="nothing was changed"):
                run("seed_admin")

        user.refresh_from_db()
        assert (user.is_superuser, user.check_password(NEW)) == (made, made)
        assert not typed

    def test_asks_for_email_and_twice_for_the_password(self, typed: list[str]) -> None:
        typed += ["Boss@Example.com", PASSWORD, PASSWORD]

        assert run("seed_admin") == "boss@example.com is administrator."
        assert User.objects.get().check_password(PASSWORD)

    @pytest.mark.parametrize("lines", [["boss@example.com", PASSWORD, "mistyped"], ["no address", PASSWORD, PASSWORD]])
    def test_a_slip_makes_nobody(self, typed: list[str], lines: list[str]) -> None:
        typed += lines

        with pytest.raises(CommandError):
            run("seed_admin")
        assert not User.objects.exists()
