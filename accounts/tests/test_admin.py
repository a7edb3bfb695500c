"""The staff console's page of people, and the command that makes the first administrator."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Session, User
from accounts.services.sessions import session_open
from accounts.tests.builders import PASSWORD, build_admin, build_user
from learning247.records.errors import ReasonRequired
from learning247.records.models import AuditEntry, OutboundMail

pytestmark = pytest.mark.django_db

REASON = "Asked for by phone, called back"


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    """Pages link to static files, which nobody collected for a test."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


def signed_in_as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def support_agent() -> User:
    agent = build_user(is_staff=True)
    agent.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user", "add_user"]))
    return agent


def profile_form(user: User, **changes: object) -> dict[str, object]:
    form: dict[str, object] = {
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "phone": user.phone,
        "country": user.country,
        "bio": user.bio,
        "avatar_url": user.avatar_url,
        "role": user.role,
        "platform_fee_bps": "",
        "reason": REASON,
    }
    if user.is_active:
        form["is_active"] = "on"
    return form | changes


def page_of(user: User) -> str:
    return reverse("admin:accounts_user_change", args=[user.pk])


def test_staff_sign_in_by_email():
    build_admin(email="boss@example.com")
    client = Client()

    response = client.post(
        reverse("admin:login"), {"username": "Boss@Example.com", "password": PASSWORD, "next": "/admin/"}
    )

    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_people_are_found_by_email_and_filtered():
    build_user(email="ada@example.com")
    build_user(email="bola@example.com", is_active=False)
    client = signed_in_as(build_admin())
    people = reverse("admin:accounts_user_changelist")

    found = client.get(people, {"q": "ada@"}).content.decode()
    disabled = client.get(people, {"is_active__exact": "0", "email_verified_at__isempty": "1"}).content.decode()

    assert ("ada@example.com" in found, "bola@example.com" in found) == (True, False)
    assert ("ada@example.com" in disabled, "bola@example.com" in disabled) == (False, True)


def test_a_person_is_added_with_an_email_in_lower_case():
    form = {
        "email": "New@Example.com",
        "first_name": "New",
        "last_name": "Person",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "reason": REASON,
    }
    refused = signed_in_as(build_admin()).post(reverse("admin:accounts_user_add"), form | {"reason": " "})
    assert refused.context["adminform"].form.errors == {"reason": [ReasonRequired.detail]}
    assert not User.objects.filter(email="new@example.com").exists()

    response = signed_in_as(build_admin()).post(reverse("admin:accounts_user_add"), form)

    assert response.status_code == 302
    assert User.objects.get(email="new@example.com").check_password(PASSWORD)
    assert AuditEntry.objects.get(action="user.created").reason == REASON


def test_a_superuser_gives_a_role_and_the_change_is_on_record():
    boss, user = build_admin(), build_user()

    response = signed_in_as(boss).post(page_of(user), profile_form(user, role="admin", is_staff="on"))

    assert response.status_code == 302
    user.refresh_from_db()
    assert (user.role, user.is_staff) == ("admin", True)
    entry = AuditEntry.objects.get(action="user.changed")
    assert (entry.actor, entry.subject_id, entry.reason) == (boss, str(user.pk), REASON)
    before, after = entry.before, entry.after
    assert before is not None and after is not None
    assert (before["role"], after["role"]) == ("user", "admin")


def test_support_changes_a_profile_but_gives_no_rights_and_no_fee():
    user = build_user()
    rights = {"role": "admin", "is_staff": "on", "is_superuser": "on", "platform_fee_bps": "0"}

    response = signed_in_as(support_agent()).post(page_of(user), profile_form(user, first_name="Renamed", **rights))

    assert response.status_code == 302
    user.refresh_from_db()
    assert user.first_name == "Renamed"
    entry = AuditEntry.objects.get(action="user.changed")
    assert entry.before is not None and entry.after is not None
    changed = {name for name in entry.before if entry.before[name] != entry.after[name]}
    assert (changed, entry.after["first_name"]) == ({"first_name"}, "Renamed")
    assert (user.role, user.is_staff, user.is_superuser, user.platform_fee_bps) == ("user", False, False, None)


@pytest.mark.parametrize("right", ["group", "permission"])
@pytest.mark.parametrize("page", ["change", "password"])
def test_support_edits_nobody_who_has_a_right_whether_or_not_they_are_staff_at_present(page, right):
    person = build_user()
    if right == "group":
        person.groups.add(Group.objects.get(name="finance"))
    else:
        person.user_permissions.add(Permission.objects.get(codename="add_refund"))
    url = page_of(person) if page == "change" else reverse("admin:auth_user_password_change", args=[person.pk])
    form = {**profile_form(person, email="mine@example.com"), "password1": "new horse 77", "password2": "new horse 77"}
    before = User.objects.values().get(pk=person.pk)

    response = signed_in_as(support_agent()).post(url, form | {"usable_password": "true"})

    assert response.status_code == 403
    assert User.objects.values().get(pk=person.pk) == before
    assert signed_in_as(build_admin()).get(url).status_code == 200


@pytest.mark.parametrize("page", ["change", "password"])
def test_support_edits_no_administrator_and_sets_nobody_elses_staff_password(page):
    boss = build_admin()
    url = page_of(boss) if page == "change" else reverse("admin:auth_user_password_change", args=[boss.pk])
    before = User.objects.values().get(pk=boss.pk)

    response = signed_in_as(support_agent()).post(
        url, profile_form(boss, first_name="Renamed", password1="another password", password2="another password")
    )

    assert (response.status_code, response["Content-Type"]) == (403, "application/json")
    assert User.objects.values().get(pk=boss.pk) == before


@pytest.mark.parametrize("usable", ["true", "false"])
def test_a_password_set_by_staff_ends_the_persons_sessions_and_is_on_record(usable):
    boss, user, bystander = build_admin(), build_user(), build_user()
    theirs, others = session_open(user), session_open(bystander)
    form = {"usable_password": usable, "reason": REASON}
    if usable == "true":
        form |= {"password1": "another horse battery", "password2": "another horse battery", "set-password": "Save"}
    else:
        form |= {"unset-password": "Disable"}

    response = signed_in_as(boss).post(reverse("admin:auth_user_password_change", args=[user.pk]), form)

    assert response.status_code == 302
    user.refresh_from_db()
    assert user.check_password("another horse battery") == (usable == "true")
    assert not user.check_password(PASSWORD)
    assert Session.objects.get(user=user).end_reason == "password_changed"
    assert Session.objects.get(user=bystander).ended_at is None
    answers = [
        Client().get("/auth/me", headers={"Authorization": f"Bearer {held.access}"}) for held in (theirs, others)
    ]
    assert [answer.status_code for answer in answers] == [401, 200]
    entry = AuditEntry.objects.get(action="user.password_changed")
    assert (entry.actor, entry.subject_id, entry.before, entry.reason) == (boss, str(user.pk), None, REASON)
    assert entry.after == {"sessions_ended": 1, "ip": "127.0.0.1", "user_agent": ""}
    assert OutboundMail.objects.get().to == user.email


@pytest.mark.parametrize("reason", ["", "   "])
def test_without_a_reason_nothing_about_a_person_is_changed(reason):
    boss, user = build_admin(), build_user()
    before = User.objects.values().get(pk=user.pk)
    client = signed_in_as(boss)
    password = {"usable_password": "true", "password1": "another horse battery", "password2": "another horse battery"}

    profile = client.post(page_of(user), profile_form(user, role="admin", reason=reason))
    other = client.post(reverse("admin:auth_user_password_change", args=[user.pk]), password | {"reason": reason})

    assert (profile.status_code, other.status_code) == (200, 200)
    assert "Say why: it goes on record with your name." in profile.content.decode()
    assert 'name="reason"' in other.content.decode()
    assert User.objects.values().get(pk=user.pk) == before
    assert not AuditEntry.objects.exists()


def test_a_refused_password_ends_no_session():
    boss, user = build_admin(), build_user()
    session_open(user)

    response = signed_in_as(boss).post(
        reverse("admin:auth_user_password_change", args=[user.pk]),
        {"usable_password": "true", "password1": "short", "password2": "short", "reason": REASON},
    )

    assert response.status_code == 200
    assert Session.objects.get().ended_at is None
    assert not AuditEntry.objects.exists()


def test_a_changed_email_is_no_longer_verified():
    user = build_user(verified=True)

    signed_in_as(build_admin()).post(page_of(user), profile_form(user, email="Other@Example.com"))

    user.refresh_from_db()
    assert (user.email, user.email_verified) == ("other@example.com", False)


def test_nobody_deletes_a_person():
    user = build_user()

    response = signed_in_as(build_admin()).post(reverse("admin:accounts_user_delete", args=[user.pk]), {"post": "yes"})

    assert response.status_code == 403
    assert User.objects.filter(pk=user.pk).exists()


class TestSeedAdmin:
    @pytest.fixture(autouse=True)
    def environment(self, monkeypatch):
        monkeypatch.setenv("ADMIN_EMAIL", "Boss@example.com")
        monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)

    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("seed_admin", *arguments, stdout=out)
        return out.getvalue().strip()

    def test_makes_the_administrator_once(self):
        assert self.run() == "boss@example.com is administrator."
        assert self.run() == "boss@example.com is administrator already; nothing was changed."

        boss = User.objects.get()
        assert (boss.role, boss.is_staff, boss.is_superuser, boss.email_verified) == ("admin", True, True, True)
        assert boss.check_password(PASSWORD)
        assert AuditEntry.objects.get().after == {
            "role": "admin",
            "is_staff": True,
            "is_superuser": True,
            "is_active": True,
        }

    def test_leaves_the_password_that_an_administrator_chose(self, monkeypatch):
        self.run()
        monkeypatch.setenv("ADMIN_PASSWORD", "another horse battery")

        self.run()

        assert User.objects.get().check_password(PASSWORD)

    def test_somebody_elses_account_is_left_alone_and_its_password_too(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", StringIO())
        session_open(build_user(email="boss@example.com"))
        before = User.objects.values().get()

        with pytest.raises(CommandError, match=r"no administrator's, and nothing was changed.* With --take-over"):
            self.run()

        assert User.objects.values().get() == before
        assert Session.objects.get().ended_at is None
        assert not AuditEntry.objects.exists() and not OutboundMail.objects.exists()

    def test_whoever_signed_up_with_the_address_before_does_not_become_administrator_by_it(self):
        session_open(build_user(email="boss@example.com", password="the squatter's password"))

        assert self.run("--take-over") == "boss@example.com is administrator."

        assert User.objects.get().check_password(PASSWORD)
        assert Session.objects.get().end_reason == "password_changed"

    def test_a_weak_password_is_refused_and_makes_nobody(self, monkeypatch):
        monkeypatch.setenv("ADMIN_PASSWORD", "short")

        with pytest.raises(CommandError, match=r"Choose another password\. This password is too short"):
            self.run()
        assert User.objects.count() == 0

    def test_says_what_to_set_where_nobody_can_be_asked(self, monkeypatch):
        monkeypatch.delenv("ADMIN_EMAIL")
        monkeypatch.setattr("sys.stdin", StringIO())

        with pytest.raises(CommandError, match="Set ADMIN_EMAIL, or run this in a terminal to be asked"):
            self.run()
