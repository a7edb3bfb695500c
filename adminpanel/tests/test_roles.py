"""The staff's groups: there after migrating, with the rights that their work needs, and what those open."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.builders import build_user, sign_in
from adminpanel.roles import ROLES, roles_seed

pytestmark = pytest.mark.django_db


def rights_of(name: str) -> set[str]:
    rows = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def member_of(name: str) -> User:
    user = build_user(is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    return user


@pytest.mark.parametrize("name", ROLES)
def test_migrating_makes_each_group_with_all_of_its_rights(name):
    assert rights_of(name) == {f"{app}.{right}" for app, rights in ROLES[name].items() for right in rights}


def test_no_group_may_change_people_or_its_own_rights_and_money_moves_by_finance_and_reviewers():
    changes = {right for name in ROLES for right in rights_of(name) if ".view_" not in right}

    assert changes == {
        "courses.change_enrollment",
        "courses.change_course",
        "records.change_outboundmail",
        "payments.add_refund",
        "payments.change_dispute",
        "payments.change_paymentreview",
        "payments.add_coupon",
        "payments.change_coupon",
        "wallets.change_adjustmentproposal",
        "risk.add_ruleversion",
        "risk.change_ruleversion",
        "wallets.change_payoutfreeze",
        "wallets.change_payoutprofile",
        "wallets.change_withdrawal",
        "wallets.change_withdrawalreview",
    }
    assert [name for name in ROLES if "payments.change_dispute" in rights_of(name)] == ["finance"]
    assert [name for name in ROLES if "payments.add_refund" in rights_of(name)] == ["finance"]
    assert [name for name in ROLES if "payments.change_paymentreview" in rights_of(name)] == ["reviewer"]
    assert [name for name in ROLES if "wallets.change_withdrawalreview" in rights_of(name)] == ["reviewer"]
    assert [name for name in ROLES if "wallets.change_withdrawal" in rights_of(name)] == ["finance"]


def test_migrating_again_brings_back_what_is_missing_and_leaves_what_staff_added():
    group = Group.objects.get(name="support")
    added = Permission.objects.get(codename="view_inboundevent")
    group.permissions.set([added])

    call_command("migrate", verbosity=0)

    assert "records.view_inboundevent" in rights_of("support")
    assert "courses.change_enrollment" in rights_of("support")
    assert Group.objects.count() == 3


def test_a_permission_that_does_not_exist_yet_is_no_error():
    Group.objects.all().delete()
    Permission.objects.filter(codename="change_enrollment").delete()

    roles_seed(app_config=apps.get_app_config("courses"), using="default", apps=apps)

    assert rights_of("support") == {"courses.view_department", "courses.view_course", "courses.view_enrollment"}


@pytest.mark.parametrize(
    ("name", "reading", "writing"), [("support", 200, 404), ("reviewer", 403, 403), ("finance", 403, 403)]
)
def test_enrolments_are_supports_to_read_and_change(name, reading, writing):
    client = APIClient()
    sign_in(client, member_of(name))
    nobodys = "/api/admin/course-enrollments/019a5a3e-6f0c-7d1b-9a53-0b8f3f6a2c11/mark-sent"

    statuses = (
        client.get("/api/admin/course-enrollments").status_code,
        client.patch(nobodys, {"sent": True}, format="json").status_code,
    )

    assert statuses == (reading, writing)


@pytest.mark.parametrize(
    ("name", "open_pages"),
    [
        ("support", {"accounts/user", "courses/enrollment", "payments/payment", "records/outboundmail"}),
        ("reviewer", {"accounts/user", "courses/course", "payments/payment"}),
        ("finance", {"accounts/user", "payments/payment", "wallets/ledgeraccount"}),
    ],
)
def test_the_console_shows_each_group_its_pages_and_no_other(client, name, open_pages, settings):
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    client.force_login(member_of(name))
    pages = (
        "accounts/user", "courses/course", "courses/enrollment", "payments/payment", "wallets/ledgeraccount",
        "auth/group", "records/auditentry", "records/outboundmail",
    )  # fmt: skip

    opened = {page for page in pages if client.get(f"/admin/{page}/").status_code == 200}

    assert opened == open_pages | ({"courses/course"} if name == "support" else set())


def test_whoever_leaves_the_group_is_refused_with_the_same_token():
    clerk = member_of("support")
    client = APIClient()
    sign_in(client, clerk)
    assert client.get("/api/admin/course-enrollments").status_code == 200

    clerk.groups.clear()

    assert client.get("/api/admin/course-enrollments").status_code == 403
