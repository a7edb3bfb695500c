"""The buyer's browser on a hosted checkout: it reads the page's own form and presses one of its buttons."""

from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

import requests

from learning247.demo.http import TIMEOUT, NotAsExpected

REDIRECTS: Final = (302, 303, 307)


class Form(HTMLParser):
    """The first form of a page: where it posts, what stands in its fields, which buttons it has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.buttons: dict[str, str] = {}
        self.notice = ""
        self._in_notice = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "input" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")
        elif tag == "button" and "name" in given:
            self.buttons[given["value"]] = given["name"]
        self._in_notice = given.get("role") == "alert"

    def handle_data(self, data: str) -> None:
        if self._in_notice:
            self.notice += data

    def handle_endtag(self, tag: str) -> None:
        self._in_notice = False


def press(checkout_url: str, button: str) -> str:
    """Open the page, press a button by its value; where the browser is sent next, or what the page then says."""
    with requests.Session() as browser:
        browser.trust_env = False
        page = browser.get(checkout_url, timeout=TIMEOUT)
        form = Form(page.text)
        if button not in form.buttons:
            raise NotAsExpected(f"The checkout page has no button {button!r} (HTTP {page.status_code}).")
        answer = browser.post(
            urljoin(checkout_url, form.action),
            data={**form.fields, form.buttons[button]: button},
            timeout=TIMEOUT,
            allow_redirects=False,  # the web client that we would come back to does not run here
        )
    if answer.status_code in REDIRECTS:
        return answer.headers["Location"]
    return Form(answer.text).notice
