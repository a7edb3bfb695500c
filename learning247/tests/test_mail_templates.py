"""What every mail has, those that are still to be written too."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "templates" / "mail"
MAILS = sorted({path.name.removesuffix(".subject.txt") for path in FOLDER.glob("*.subject.txt")})
PARTS = {"base.html", "button.html"}
# What people write themselves.
WRITTEN_BY_PEOPLE = re.compile(r"\{\{ [\w.]*(?:(?:first|last|full|student)_name|name_for_mails|title)(?:\|\w+)? \}\}")


def source(name: str, kind: str) -> str:
    return (FOLDER / f"{name}.{kind}").read_text()


def test_there_are_mails() -> None:
    assert len(MAILS) >= 10


def test_no_file_is_left_over() -> None:
    kinds = {f"{name}.{kind}" for name in MAILS for kind in ("subject.txt", "txt", "html")}

    assert {path.name for path in FOLDER.iterdir()} == kinds | PARTS


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_has_a_subject_of_one_line_text_and_html_in_the_common_layout(name: str) -> None:
    assert len(source(name, "subject.txt").strip().splitlines()) == 1
    assert source(name, "txt").strip()
    html = source(name, "html")
    assert html.startswith('{% extends "mail/base.html" %}')
    assert {"title", "preview", "heading", "content"} <= set(re.findall(r"{% block (\w+) %}", html))


@pytest.mark.parametrize("name", MAILS)
def test_what_people_write_stands_apart_in_html(name: str) -> None:
    """`title` and `preview` are plain text, which mailboxes show by themselves."""
    shown = re.sub(r"{% block (?:title|preview) %}.*?{% endblock %}", "", source(name, "html"), flags=re.S)
    bare = [found for found in WRITTEN_BY_PEOPLE.findall(shown) if f"<bdi>{found}</bdi>" not in shown]

    assert bare == []


@pytest.mark.parametrize("name", MAILS)
def test_no_subject_carries_a_code_or_a_link(name: str) -> None:
    """It stands in the table in clear, and in every list of mails."""
    assert not re.search(r"\{\{[^}]*(?:code|url|token|link)", source(name, "subject.txt"))


@pytest.mark.parametrize("name", MAILS)
def test_what_the_html_links_to_stands_in_the_text_too(name: str) -> None:
    in_html = set(re.findall(r"url=([\w.]+)", source(name, "html")))

    assert all(f"{{{{ {address} }}}}" in source(name, "txt") for address in in_html)


@pytest.mark.parametrize("name", MAILS)
def test_no_buyer_is_greeted_by_a_name_before_the_email_is_proved(name: str) -> None:
    """Else a stranger's text goes to whoever the address belongs to. Sellers have proved theirs."""
    for kind in ("subject.txt", "txt", "html"):
        assert not re.search(r"(?:buyer|user|enrollment)\.(?:(?:first|last|full|student)_name)\b", source(name, kind))
