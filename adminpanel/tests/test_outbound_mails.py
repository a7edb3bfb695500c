"""Outbound mails in the console: that they went, never what is in them; and parked ones go again."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.tests.builders import build_admin, build_user
from learning247.kit.clock import now
from learning247.records.models import AuditEntry, OutboundMail
from learning247.records.services.mail import mail_queue

pytestmark = pytest.mark.django_db
LIST = reverse("admin:records_outboundmail_changelist")


def parked(*, good_for: timedelta | None = timedelta(minutes=15)) -> OutboundMail:
    """A mail with a link that could not be sent."""
    mail_queue(
        key=f"reset:{good_for}",
        to="ada@example.com",
        template="reset_password",
        context={"first_name": "Ada", "url": "https://www.example.com/#token=secret-of-ada"},
        secret_until=None if good_for is None else now() + good_for,
    )
    OutboundMail.objects.update(status="parked", attempts=10, reason="ConnectionRefusedError: no server")
    return OutboundMail.objects.latest("created_at")


def signed_in_as(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def support_agent() -> User:
    agent = build_user(is_staff=True)
    agent.groups.add(Group.objects.get(name="support"))
    return agent


def send_again(user: User, mail: OutboundMail, reason: str = "The server is back.") -> Any:
    form = {"action": "send_again", "_selected_action": [str(mail.pk)], "reason": reason, "index": "0"}
    return signed_in_as(user).post(LIST, form, follow=True)


@pytest.mark.parametrize("good_for", [timedelta(minutes=15), None])
def test_no_page_shows_what_is_in_a_mail(good_for: timedelta | None) -> None:
    mail = parked(good_for=good_for)
    client = signed_in_as(build_admin())

    for page in (LIST, reverse("admin:records_outboundmail_change", args=[mail.pk])):
        shown = client.get(page)
        assert shown.status_code == 200
        assert "ada@example.com" in shown.content.decode()
        assert "secret-of-ada" not in shown.content.decode()
        assert mail.sealed_body[:20] not in shown.content.decode() or not mail.sealed_body


def test_support_sends_a_parked_mail_again_with_a_reason() -> None:
    agent, mail = support_agent(), parked()

    page = send_again(agent, mail)

    assert "Will be sent again: 1." in page.content.decode()
    mail.refresh_from_db()
    assert (mail.status, mail.attempts) == ("pending", 0)
    entry = AuditEntry.objects.get(action="mail.resent")
    assert (entry.actor, entry.reason) == (agent, "The server is back.")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_without_a_reason_that_can_be_kept_nothing_is_sent(reason: str) -> None:
    mail = parked()

    send_again(build_admin(), mail, reason)

    mail.refresh_from_db()
    assert (mail.status, AuditEntry.objects.filter(action="mail.resent").count()) == ("parked", 0)


def test_one_whose_link_has_expired_is_named_and_stays_parked() -> None:
    mail = parked(good_for=timedelta(seconds=-1))

    page = send_again(build_admin(), mail)

    assert "what they carry has expired or is forgotten: 1." in page.content.decode()
    mail.refresh_from_db()
    assert mail.status == "parked"


def test_whoever_may_only_look_sends_nothing() -> None:
    mail, agent = parked(), support_agent()
    Group.objects.get(name="support").permissions.filter(codename="change_outboundmail").delete()

    send_again(agent, mail)

    mail.refresh_from_db()
    assert (mail.status, AuditEntry.objects.filter(action="mail.resent").count()) == ("parked", 0)
