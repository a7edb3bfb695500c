"""Names as people write them, and as attackers do, from the sign-up by HTTP to the mail server."""

from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme

from accounts.models import Session, User
from accounts.tests.builders import PASSWORD, build_user
from learning247.kit.clock import now
from learning247.records.models import OutboundMail
from learning247.records.tests.mail_server import PASSWORD as SERVER_PASSWORD
from learning247.records.tests.mail_server import USER, MailServer, mail_server, trusted

HEADERS = {
    "Content-Type", "MIME-Version", "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted",
}  # fmt: skip


@pytest.fixture
def server(settings: Any, tmp_path: Path) -> Iterator[MailServer]:
    authority = trustme.CA()
    with mail_server(authority) as server:
        settings.EMAIL_BACKEND = "learning247.kit.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = USER, SERVER_PASSWORD
        settings.EMAIL_SSL_CAFILE = trusted(authority, tmp_path)
        yield server


def register(api: str, **fields: Any) -> requests.Response:
    body = {"email": "ada@example.com", "password": PASSWORD, "first_name": "Ada", "last_name": "Obi"} | fields
    return requests.post(f"{api}/auth/register", json=body, timeout=10)


@pytest.mark.parametrize(
    "name",
    [
        'Ada "The Boss" O\'Neill',
        "ثريا بنت عبد الله",
        "<script>alert(1)</script>",
        "{{ settings.SECRET_KEY }}{% now %}",
        "Ada\\r\\nBcc: all@example.com",
        "=?utf-8?q?Ada=0D=0ABcc=3A_all=40example=2Ecom?=",
        "👩🏾‍🏫" * 14,
        "x" * 100,
        ".\u200dAda",
    ],
)
def test_a_name_is_text_in_the_mail_and_nothing_else(
    api_server: str, run_jobs: Callable[[], list[str]], server: MailServer, name: str
) -> None:
    answer = register(api_server, first_name=name, last_name=name)
    assert (answer.status_code, answer.json()["user"]["first_name"]) == (201, name)
    run_jobs()
    User.objects.update(email_verified_at=now())
    requests.post(f"{api_server}/auth/forgot-password", json={"email": "ada@example.com"}, timeout=10)
    run_jobs()

    assert [envelope.rcpt_tos for envelope in server.accepted] == [["ada@example.com"]] * 2
    for mail in server.mails:
        assert set(mail.keys()) == HEADERS
        assert (mail["To"], mail["From"]) == ("ada@example.com", "Learning247 <no-reply@learning247.example>")
    welcome, reset = server.mails
    assert (welcome["Subject"], reset["Subject"]) == (
        "Verify your email for Learning247",
        "Set a new password for Learning247",
    )
    text, html = reset.get_body(("plain",)), reset.get_body(("html",))
    assert text is not None and html is not None
    assert text.get_content().startswith(f"Hello {name},\r\n")
    assert f"Hello <bdi>{escape(name)}</bdi></h1>" in html.get_content()


@pytest.mark.parametrize(
    "name",
    [
        "Ada\r\nBcc: all@example.com",
        "Ada\nSubject: You won",
        "Ada\rX",
        "Ada\u2028X",
        "Ada\x85X",
        "Ada\u202egnp.exe",
        "Ada\u2066X",
        "x" * 101,
        "x" * 10_240,
        "",
        "   ",
        ["Ada"],
        {"a": 1},
        7,
        None,
    ],
)
@pytest.mark.parametrize("field", ["first_name", "last_name"])
@pytest.mark.django_db
def test_a_name_that_is_more_than_a_line_of_text_is_refused_and_nobody_is_made(
    client: Any, name: Any, field: str
) -> None:
    body = {"email": "ada@example.com", "password": PASSWORD, "first_name": "Ada", "last_name": "Obi", field: name}

    answer = client.post("/auth/register", body, content_type="application/json")

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, field)
    assert (User.objects.count(), Session.objects.count(), OutboundMail.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize("field", ["first_name", "last_name", "email", "password"])
@pytest.mark.django_db
def test_a_nul_is_refused_before_any_field_is_looked_at(client: Any, field: str) -> None:
    body = {"email": "ada@example.com", "password": PASSWORD, "first_name": "Ada", "last_name": "Obi"}

    answer = client.post("/auth/register", body | {field: body[field] + "\0"}, content_type="application/json")

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, None)
    assert User.objects.count() == 0


@pytest.mark.parametrize(
    "email",
    [
        "ada@example.com\r\nBcc: all@example.com",
        "ada@example.com,all@example.com",
        "Ada <ada@example.com>",
        "x" * 10_240 + "@example.com",
        ["ada@example.com", "all@example.com"],
    ],
)
@pytest.mark.parametrize("path", ["register", "login", "forgot-password"])
@pytest.mark.django_db
def test_an_address_that_is_more_than_one_address_is_refused(client: Any, path: str, email: Any) -> None:
    build_user(email="ada@example.com")
    body = {"email": email, "password": PASSWORD, "first_name": "Ada", "last_name": "Obi"}

    answer = client.post(f"/auth/{path}", body, content_type="application/json")

    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "email")
    assert (User.objects.count(), OutboundMail.objects.count()) == (1, 0)
