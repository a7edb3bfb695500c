"""Signing in with Google as a person does it: in Chromium, from the web client's button to a signed-in profile."""

import shutil
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from accounts.models import Session, User
from accounts.tests.builders import build_totp, build_user
from accounts.totp import totp_code, totp_step
from learning247.kit.clock import now
from learning247.settings.env import BASE_DIR

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
SCREENSHOTS = BASE_DIR / "var" / "screenshots"
MILLISECONDS = 20_000

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium")


@pytest.fixture
def web_client(gateways: Any, settings: Any) -> str:
    """The address of the stand-in for the web client, which the API now takes for its own."""
    url = f"{gateways.sandbox.url}/client"
    settings.FRONTEND_URL = url
    settings.CORS_ALLOWED_ORIGINS = [gateways.sandbox.url]
    return url


class Journey:
    """One window, and a picture of each station."""

    def __init__(self, browser: Browser, name: str) -> None:
        self.page: Page = browser.new_page(viewport={"width": 900, "height": 700})
        self.page.set_default_timeout(MILLISECONDS)
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self._name, self._number = name, 0

    def picture(self, of: str) -> None:
        self._number += 1
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{self._name}-{self._number}-{of}.png")

    def says(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()

    def to_google(self, web_client: str) -> None:
        self.page.goto(f"{web_client}/sign-in")
        self.picture("sign-in")
        self.page.get_by_role("button", name="Sign in with Google").click()
        self.says("Choose an account")
        self.picture("at-google")


def in_a_browser(act: Callable[[Journey], None], name: str) -> None:
    """Playwright keeps an event loop in this thread, in which Django refuses its ORM: ask the database afterwards."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        journey = Journey(browser, name)
        act(journey)
        assert journey.problems == []
        browser.close()


def test_from_the_button_to_a_signed_in_profile(web_client):
    def act(journey: Journey) -> None:
        page = journey.page
        journey.to_google(web_client)
        page.get_by_role("button", name="Ada Obi").click()
        journey.says("You are signed in.")
        assert page.url == f"{web_client}/auth/callback", "the code is not in the address any more"
        assert page.locator("#email").inner_text() == "ada.google@example.com"
        assert page.locator("#first_name").inner_text() == "Ada"
        assert page.locator("#email_verified").inner_text() == "verified"
        cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
        assert set(cookies) == {"refresh_token"}
        assert (cookies["refresh_token"]["path"], cookies["refresh_token"]["httpOnly"]) == ("/auth", True)
        assert page.evaluate("document.cookie") == ""
        assert page.evaluate("sessionStorage.length + localStorage.length") == 0
        journey.picture("signed-in")
        page.go_back()
        assert "#code" not in page.url

    in_a_browser(act, "google")

    assert User.objects.get().email == "ada.google@example.com"
    assert "Chrome" in Session.objects.get().user_agent


def test_whoever_has_a_second_factor_is_asked_for_it_after_google(web_client):
    ada = build_user(email="ada.google@example.com", first_name="Ada", verified=True)

    def link(journey: Journey) -> None:
        journey.to_google(web_client)
        journey.page.get_by_role("button", name="Ada Obi").click()
        journey.says("You are signed in.")

    # The first time ends a second factor from before.
    in_a_browser(link, "google-link")
    Session.objects.all().delete()
    secret = build_totp(ada)

    def act(journey: Journey) -> None:
        page = journey.page
        journey.to_google(web_client)
        page.get_by_role("button", name="Ada Obi").click()
        journey.says("Enter a code of your authenticator app")
        assert page.context.cookies() == []
        journey.picture("second-factor")
        page.get_by_label("Code").fill(totp_code(secret=secret, step=totp_step(now())))
        page.get_by_role("button", name="Continue").click()
        journey.says("You are signed in.")
        journey.picture("signed-in")

    in_a_browser(act, "google-second-factor")

    assert Session.objects.count() == 1


def test_a_name_with_markup_in_it_is_shown_as_text(web_client):
    markup = "<img src=x onerror=\"document.title='taken over'\">"

    def act(journey: Journey) -> None:
        page = journey.page
        journey.to_google(web_client)
        page.get_by_text("Use another account").click()
        page.get_by_label("Email", exact=True).fill("markup@example.com")
        page.get_by_label("First name").fill(markup)
        page.get_by_role("button", name="Continue").click()
        journey.says("You are signed in.")
        assert page.locator("#first_name").inner_text() == markup
        assert page.title() == "Signing in"
        journey.picture("markup")
        journey.to_google(web_client)  # where the name is listed now
        assert page.title() == "Choose an account"

    in_a_browser(act, "google-markup")

    assert User.objects.get().first_name == markup


def test_whoever_cancels_or_is_not_verified_reads_why_and_can_go_back(web_client):
    def act(journey: Journey) -> None:
        page = journey.page
        journey.to_google(web_client)
        page.get_by_role("button", name="Cancel").click()
        journey.says("You cancelled at Google.")
        journey.picture("cancelled")
        page.get_by_role("link", name="Back to signing in").click()
        journey.to_google(web_client)
        page.get_by_role("button", name="Uma Bello").click()
        journey.says("Google has not verified this email.")
        assert not page.locator("#profile").is_visible()
        journey.picture("not-verified")

    in_a_browser(act, "google-refused")

    assert not User.objects.exists()


def test_a_link_that_somebody_else_sends_signs_nobody_in(web_client):
    """Login cross-site request forgery: the attacker's own code, for the victim to open."""

    def act(journey: Journey) -> None:
        journey.page.goto(f"{web_client}/auth/callback#code=attackers-own-code")
        journey.says("This sign-in was not begun in this window.")
        journey.picture("foreign-code")
        assert journey.page.context.cookies() == []

    in_a_browser(act, "google-foreign")

    assert not Session.objects.exists()
