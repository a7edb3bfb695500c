"""The console's own doors: what goes on record there, and what another password ends."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from accounts.models import Session, User
from accounts.services.sessions import session_open
from accounts.tests.builders import PASSWORD, build_admin, build_user
from learning247.records.models import AuditEntry, OutboundMail

pytestmark = pytest.mark.django_db

NEW = "another horse battery"
WHERE = {"door": "console", "ip": "127.0.0.1", "user_agent": "Firefox"}


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    """Pages link to static files, which nobody collected for a test."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


def sign_in_to_console(email: str, password: str = PASSWORD) -> Client:
    client = Client(headers={"User-Agent": "Firefox"})
    client.post(reverse("admin:login"), {"username": email, "password": password})
    return client


def in_console(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def signed_in_as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def set_own_password(client: Client, old: str = PASSWORD, new: str = NEW) -> int:
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post(reverse("admin:password_change"), form).status_code


class TestRecord:
    def test_of_coming_in_and_going_out(self):
        boss = build_admin(email="boss@example.com")

        client = sign_in_to_console("Boss@example.com")
        assert in_console(client)
        client.post(reverse("admin:logout"))

        assert not in_console(client)
        entries = AuditEntry.objects.order_by("id").values_list("action", "actor", "subject_id", "after")
        assert list(entries) == [
            ("user.signed_in", boss.id, str(boss.id), WHERE),
            ("user.signed_out", boss.id, str(boss.id), WHERE),
        ]

    @pytest.mark.parametrize(
        ("fields", "password"),
        [
            ({"is_staff": True}, "wrong horse battery"),
            ({"is_staff": False}, PASSWORD),
            ({"is_active": False}, PASSWORD),
        ],
    )
    def test_of_who_did_not_come_in(self, fields, password):
        user = build_user(email="ada@example.com", **fields)

        assert not in_console(sign_in_to_console("ada@example.com", password))

        entry = AuditEntry.objects.get()
        assert (entry.action, entry.actor, entry.subject_id) == ("user.sign_in_refused", None, str(user.id))
        assert entry.after == WHERE

    def test_nothing_is_kept_of_who_is_nobody(self):
        assert not in_console(sign_in_to_console("nobody@example.com"))

        assert not AuditEntry.objects.exists()


class TestOwnPassword:
    def test_another_one_ends_the_apis_sessions_and_the_other_consoles_and_keeps_this_one(self):
        boss = build_admin(email="boss@example.com")
        session_open(boss)
        here, elsewhere = sign_in_to_console("boss@example.com"), sign_in_to_console("boss@example.com")

        assert set_own_password(here) == 302

        assert Session.objects.get().end_reason == "password_changed"
        assert (in_console(here), in_console(elsewhere)) == (True, False)
        entry = AuditEntry.objects.get(action="user.password_changed")
        assert (entry.actor, entry.after) == (
            boss,
            {"sessions_ended": 1, "ip": "127.0.0.1", "user_agent": "Firefox"},
        )
        assert OutboundMail.objects.get().subject == "Your password for Learning247 was changed"

    @pytest.mark.parametrize(("old", "new"), [("wrong horse battery", NEW), (PASSWORD, "short")])
    def test_a_refused_one_ends_nothing(self, old, new):
        boss = build_admin()
        session_open(boss)

        assert set_own_password(signed_in_as(boss), old, new) == 200

        boss.refresh_from_db()
        assert boss.check_password(PASSWORD)
        assert Session.objects.get().ended_at is None
        assert not AuditEntry.objects.exists()


class TestRights:
    def person_form(self, user: User, **changes: object) -> dict[str, object]:
        form = {name: getattr(user, name) for name in ("email", "first_name", "last_name", "role")}
        return {**form, "is_active": "on", "platform_fee_bps": "", "reason": "Joins support", **changes}

    def test_a_group_that_somebody_is_given_is_on_record_and_an_unchanged_form_is_not(self):
        boss, user = build_admin(), build_user()
        page = reverse("admin:accounts_user_change", args=[user.pk])
        client = signed_in_as(boss)

        client.post(page, self.person_form(user))
        assert not AuditEntry.objects.exists()
        client.post(page, self.person_form(user, groups=[Group.objects.get(name="support").pk], is_staff="on"))

        entry = AuditEntry.objects.get()
        assert (entry.action, entry.actor, entry.subject_id) == ("user.changed", boss, str(user.pk))
        assert entry.reason == "Joins support"
        before, after = entry.before, entry.after
        assert before is not None and after is not None
        changed = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
        assert changed == {"groups": ([], ["support"]), "is_staff": (False, True)}

    def test_what_a_group_may_is_on_record(self):
        boss, group = build_admin(), Group.objects.create(name="auditors")
        right = Permission.objects.get(codename="view_auditentry")

        response = signed_in_as(boss).post(
            reverse("admin:auth_group_change", args=[group.pk]),
            {"name": "auditors", "permissions": [right.pk], "reason": "Audit"},
        )

        assert response.status_code == 302
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.actor, entry.subject_id) == ("group.changed", boss, str(group.pk))
        assert entry.reason == "Audit"
        assert (entry.before, entry.after) == (
            {"name": "auditors", "permissions": []},
            {"name": "auditors", "permissions": ["records.view_auditentry"]},
        )

    def test_a_new_group_is_on_record(self):
        signed_in_as(build_admin()).post(reverse("admin:auth_group_add"), {"name": "interns", "reason": "New"})

        entry = AuditEntry.objects.get()
        assert (entry.action, entry.before, entry.after) == (
            "group.created",
            None,
            {"name": "interns", "permissions": []},
        )

    def test_a_clerk_gives_no_group_a_right_whatever_rights_the_clerk_was_given(self):
        clerk = build_user(is_staff=True)
        clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
        group = Group.objects.get(name="support")
        before = list(group.permissions.values_list("id", flat=True))

        response = signed_in_as(clerk).post(
            reverse("admin:auth_group_change", args=[group.pk]), {"name": "mine", "permissions": []}
        )

        assert response.status_code == 403
        assert list(Group.objects.get(name="support").permissions.values_list("id", flat=True)) == before

    def test_nobody_deletes_a_group(self):
        group = Group.objects.get(name="support")

        response = signed_in_as(build_admin()).post(
            reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"}
        )

        assert response.status_code == 403
        assert Group.objects.filter(pk=group.pk).exists()

    def test_a_disabled_persons_sessions_end_for_good(self):
        user = build_user()
        session_open(user)
        form = self.person_form(user)
        del form["is_active"]

        signed_in_as(build_admin()).post(reverse("admin:accounts_user_change", args=[user.pk]), form)

        user.refresh_from_db()
        assert not user.is_active
        assert Session.objects.get().end_reason == "disabled"
