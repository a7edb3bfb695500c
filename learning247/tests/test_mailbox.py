"""The local mailbox: what a laptop sends is kept, listed and shown, and nothing in a mail can do anything there."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from learning247.mailbox.messages import mail_list
from learning247.tests.test_production_settings import GOOD, ROOT

HTML = '<!DOCTYPE html><html><head><title>x</title></head><body><a href="https://example.com/a">Go</a></body></html>'
WHERE = """
import json, django
django.setup()
from django.urls import Resolver404, resolve
try:
    found = resolve("/dev/mailbox").url_name
except Resolver404:
    found = None
print(json.dumps(found))
"""


@pytest.fixture
def directory(settings: Any, tmp_path: Path) -> Path:
    settings.EMAIL_BACKEND = settings.KEEPS_MAILS
    settings.MAILBOX_DIRECTORY = tmp_path / "mailbox"
    settings.ROOT_URLCONF = "learning247.mailbox.urls"
    return tmp_path / "mailbox"


def send(to: str = "ada@example.com", *, subject: str = "Hello", text: str = "Hello.\n", html: str = HTML) -> None:
    mail = EmailMultiAlternatives(subject, text, "Learning247 <no-reply@example.com>", [to])
    if html:
        mail.attach_alternative(html, "text/html")
    assert mail.send() == 1


def addresses_listed(query: str = "") -> list[str]:
    return re.findall(r'"to"><bdi>([^<]*)<', Client().get(f"/dev/mailbox{query}").content.decode())


def test_mails_are_listed_newest_first(directory: Path) -> None:
    for name in ("ada", "bola", "chidi"):
        send(f"{name}@example.com")

    assert addresses_listed() == ["chidi@example.com", "bola@example.com", "ada@example.com"]


def test_a_part_of_an_address_finds_its_mails_in_any_case(directory: Path) -> None:
    send("ada@example.com")
    send("bola@example.com")

    assert addresses_listed("?to=ADA@") == ["ada@example.com"]
    assert "No mail to <bdi>&lt;b&gt;</bdi>" in Client().get("/dev/mailbox?to=<b>").content.decode()


def test_an_empty_mailbox_says_so(directory: Path) -> None:
    assert "No mail yet." in Client().get("/dev/mailbox").content.decode()


def test_a_mail_comes_through_whole(directory: Path) -> None:
    send("ada@example.com", subject="Réçu № 1: ثريا", text="Ṣọlá, line one\nline two\n", html="<p>Ṣọlá</p>\n")

    (mail,) = mail_list(directory=directory)
    assert (mail.to, mail.subject, mail.text.splitlines(), mail.html.strip()) == (
        "ada@example.com",
        "Réçu № 1: ثريا",
        ["Ṣọlá, line one", "line two"],
        "<p>Ṣọlá</p>",
    )
    assert mail.sender == "Learning247 <no-reply@example.com>"
    assert mail.sent_at is not None


def test_its_page_shows_the_text_with_links_and_the_html_in_a_sandbox(directory: Path) -> None:
    send(subject="<b>Verify</b>", text="Open https://example.com/v#token=a:b-c\n")
    (mail,) = mail_list(directory=directory)

    answer = Client().get(f"/dev/mailbox/{mail.id}")
    page = answer.content.decode()

    assert '<a href="https://example.com/v#token=a:b-c"' in page
    assert "<bdi>&lt;b&gt;Verify&lt;/b&gt;</bdi>" in page
    assert f'src="/dev/mailbox/{mail.id}/html" sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_html_runs_nothing_fetches_nothing_and_opens_links_in_a_tab(directory: Path) -> None:
    send()
    (mail,) = mail_list(directory=directory)

    answer = Client().get(f"/dev/mailbox/{mail.id}/html")

    assert answer.content.decode().strip() == HTML.replace("<head>", '<head><base target="_blank">')
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'")
    assert "script" not in policy
    assert (answer["X-Frame-Options"], answer["Cache-Control"]) == ("SAMEORIGIN", "no-store")


def test_a_mail_of_text_alone_has_no_frame(directory: Path) -> None:
    send(html="")
    (mail,) = mail_list(directory=directory)

    assert "<iframe" not in Client().get(f"/dev/mailbox/{mail.id}").content.decode()


def test_its_source_is_a_file_for_a_mail_program(directory: Path) -> None:
    send()
    (mail,) = mail_list(directory=directory)

    answer = Client().get(f"/dev/mailbox/{mail.id}/source")

    assert answer["Content-Type"] == "message/rfc822"
    assert answer.content == (directory / f"{mail.id}.eml").read_bytes()


@pytest.mark.parametrize("path", ["{id}", "{id}/html", "{id}/source", "../secrets", "%2e%2e%2fsecrets.eml"])
def test_what_is_no_mail_is_not_there(directory: Path, path: str) -> None:
    directory.mkdir()
    (directory.parent / "secrets.eml").write_bytes(b"Subject: secret\n\nsecret")

    assert Client().get(f"/dev/mailbox/{path.format(id=uuid4())}").status_code == 404


def test_it_is_not_there_in_tests() -> None:
    assert Client().get("/dev/mailbox").status_code == 404


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({"DJANGO_SETTINGS_MODULE": "learning247.settings.production"}, None),
        ({"DJANGO_SETTINGS_MODULE": "learning247.settings.local"}, "mailbox"),
        (
            {
                "DJANGO_SETTINGS_MODULE": "learning247.settings.local",
                "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            },
            None,
        ),
    ],
)
def test_it_is_there_on_a_laptop_that_keeps_its_mails_and_nowhere_else(environment: dict[str, str], found: str) -> None:
    said = subprocess.run(
        [sys.executable, "-c", WHERE], env=GOOD | environment, cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert json.loads(said.stdout) == found
