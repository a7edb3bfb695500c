"""Every page of the console fits a telephone: nothing is wider than the screen but what scrolls by itself.

Pictures of all of them, at both widths, are in var/screenshots.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django.contrib.admin
import pytest
from django.conf import settings as django_settings
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from playwright.sync_api import Page, sync_playwright

from accounts.models import User
from accounts.tests.builders import PASSWORD
from accounts.tests.test_google_browser import CHROMIUM, FLAGS, SCREENSHOTS
from accounts.totp import totp_code, totp_step
from courses.models import Course, Department, Enrollment
from learning247.kit.clock import now
from learning247.records.models import InboundEvent, OutboundMail
from learning247.tests.permissions import table
from learning247.tests.permissions.console_requests import ACTION_ROWS, QUERIES, _address, _row
from learning247.tests.permissions.routes import console_pages
from learning247.tests.permissions.world import World
from payments.models import Payment, Product

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: apt-get install chromium")
WIDTHS = {"mobile": 375, "desktop": 1280}
# Answers that are no page to look at, or are looked at signed out.
NO_PAGES = ("/admin/autocomplete/", "/admin/jsi18n/", "/admin/login/", "/admin/payments/dispute/{dispute_id}/evidence/")
# Actions that ask before they act.
ASKING = (
    *("/admin/accounts/user/ erase", "/admin/accounts/user/ reset_second_factor"),
    *("/admin/courses/course/ publish", "/admin/courses/department/ delete_selected"),
    *("/admin/courses/enrollment/ export", "/admin/courses/enrollment/ revoke"),
    *("/admin/payments/paymentreview/ approve", "/admin/payments/paymentreview/ note"),
)
UNBROKEN = "Supercalifragilisticexpialidocious" * 3
# Whatever of the page reaches beyond the screen and stands in nothing that scrolls by itself.
TOO_WIDE = """
() => {
  const width = document.documentElement.clientWidth;
  const scrolls = (e) => e.closest('.results, .scrolls, #change-history, .selector, select, textarea');
  const wide = [...document.querySelectorAll('body *')].filter((e) => {
    const box = e.getBoundingClientRect();
    const shown = box.width > 1 && box.height > 1 && getComputedStyle(e).visibility !== 'hidden';
    return shown && box.right > width + 1 && !scrolls(e) && !e.closest('.sticky, #nav-sidebar, .hidden, svg');
  });
  const named = (e) => [e.tagName.toLowerCase() + (e.id ? '#' + e.id : ''), ...e.classList].join('.');
  const page = document.documentElement.scrollWidth > width ? ['the page'] : [];
  return [...page, ...wide.slice(0, 6).map(named)];
}
"""
CHOOSE = """
([box, action, chosen]) => {
  const form = document.getElementById('changelist-form');
  form.querySelectorAll(`input[name=${box}]`).forEach((e) => { e.checked = e.value === chosen; });
  form.querySelector('select[name=action]').value = action;
  form.querySelector('button[name=index]').click();
}
"""


@contextmanager
def browser(cookies: dict[str, str], url: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = chromium.new_context()
        context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
        yield context.new_page()
        chromium.close()


def look(page: Page, name: str, found: dict[str, Any]) -> None:
    for width, pixels in WIDTHS.items():
        page.set_viewport_size({"width": pixels, "height": 800})
        wide = page.evaluate(TOO_WIDE)
        if wide:
            found[f"{name}, {width}"] = wide
        page.screenshot(path=SCREENSHOTS / f"console-{name}-{width}.png", full_page=True)


def lengthen() -> None:
    """What people and providers write is long at times, and has no blanks."""
    User.objects.filter(is_staff=False).update(first_name=UNBROKEN[:40], bio=UNBROKEN * 3)
    Course.objects.update(description=UNBROKEN * 3, link=f"https://classroom.example.com/{UNBROKEN}")
    Product.objects.update(title=f"Product {UNBROKEN}")
    Department.objects.update(description=UNBROKEN)
    Enrollment.objects.update(student_name=UNBROKEN, student_email=f"{UNBROKEN}@example.com", notes=UNBROKEN)
    Payment.objects.update(failure_reason=UNBROKEN, gateway_reference=UNBROKEN[:60])
    OutboundMail.objects.update(reason=f"SMTPRecipientsRefused: {UNBROKEN}", subject=UNBROKEN)
    InboundEvent.objects.update(reason=UNBROKEN, headers={"x-signature": UNBROKEN * 2}, body=UNBROKEN.encode())


def test_every_page_of_the_console_fits_a_telephone_and_a_desk(api_server: str, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    settings.STATIC_ROOT = Path(django.contrib.admin.__file__).parent / "static"
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    committed = transaction.atomic()
    committed._from_testcase = True  # type: ignore[attr-defined] # see transaction_of_test; this one is not undone
    with committed:
        world = World()
        lengthen()
        actions = {row: str(ACTION_ROWS[row](world) if row in ACTION_ROWS else _row(world, row)) for row in ASKING}
    rows = table.rows(table.PAGES)
    pages = {
        path: f"{_address(world, path)}{QUERIES.get(path, '')}"
        for path in sorted(console_pages())
        if rows[path]["admin"].startswith("200") and path not in NO_PAGES
    }
    pages |= {"refused": "/admin/payments/payment/add/", "missing": "/admin/nothing/"}
    cookies = {name: morsel.value for name, morsel in world.console("admin").cookies.items()}
    assert django_settings.SESSION_COOKIE_NAME in cookies
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}

    with browser({}, api_server) as page:
        page.goto(f"{api_server}/admin/")
        look(page, "login", found)
    with browser(cookies, api_server) as page:
        for path, address in pages.items():
            page.goto(f"{api_server}{address}")
            look(page, _name(path), found)
        for row, chosen in actions.items():
            path, _, action = row.partition(" ")
            page.goto(f"{api_server}{path}")
            page.evaluate(CHOOSE, [ACTION_CHECKBOX_NAME, action, chosen])
            page.wait_for_selector("input[name=apply]", state="attached")
            look(page, _name(row), found)
        _set_up_a_second_factor(page, f"{api_server}/admin/second-factor/", found)

    assert "\n".join(f"{name}: {wide}" for name, wide in found.items()) == ""


def _set_up_a_second_factor(page: Page, address: str, found: dict[str, Any]) -> None:
    page.goto(address)
    page.fill("input[name=password]", PASSWORD)
    page.click("input[type=submit]")
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    look(page, "second-factor-qr", found)
    page.fill("input[name=code]", totp_code(secret=secret, step=totp_step(now())))
    page.click("input[type=submit]")
    page.wait_for_selector(".recovery-codes")
    look(page, "second-factor-codes", found)


def _name(path: str) -> str:
    return re.sub(r"[^a-z]+", "-", path.removeprefix("/admin/")).strip("-") or "index"
