"""The demo tells its story, and refuses to tell it when anything in it is not true."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections

from accounts.models import User
from accounts.services.admins import admin_seed
from courses.selectors.catalogue import course_document
from learning247.demo import __main__ as program
from learning247.demo.browser import Form, press
from learning247.demo.http import Api, NotAsExpected
from learning247.demo.story import Story
from learning247.demo.telling import Teller, shown
from learning247.mailbox.messages import mail_list
from learning247.records.services.prove import checks_run
from wallets.models import JournalEntry


@pytest.fixture
def worker(gateways: SimpleNamespace, run_jobs: Callable[[], list[str]]) -> Iterator[None]:
    """Runs jobs as they come, as the stack's worker does."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.05):
            run_jobs()
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.fixture
def telling(gateways: SimpleNamespace, worker: None, settings: Any, tmp_path: Path) -> SimpleNamespace:
    """`.story()` makes a story over the demo's catalogue; what it says stands in `.lines`."""
    settings.EMAIL_BACKEND = settings.KEEPS_MAILS
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.MAILBOX_DIRECTORY = tmp_path
    call_command("load_demo", verbosity=0)
    lines: list[str] = []

    def books_hold() -> bool:
        return all(result.holds for result in checks_run())

    def latest_mail(address: str) -> str:
        return next((mail.text for mail in mail_list(directory=tmp_path, to=address, limit=1)), "")

    def seed_staff(email: str, password: str) -> None:
        admin_seed(email=email, password=password)

    def story(prove: Callable[[], bool] = books_hold) -> Story:
        return Story(gateways.url, gateways.control, Teller(lines.append), latest_mail, seed_staff, prove)

    return SimpleNamespace(story=story, lines=lines)


def test_the_story_is_true_and_can_be_told_again_on_the_same_data(telling):
    telling.story().tell()
    first = "".join(telling.lines)
    assert "wallet after: 80 %, once" in first
    assert "USD 24.00" in first
    assert "NGN 25,000.00" in first
    assert "of which the creator bears 80 %" in first
    assert "won: the sale stands" in first
    assert "with her name and her reason on record" in first
    assert "paid" in first and "Your bank" not in first
    assert "It could not be paid, and the money is back in your wallet." in first
    assert "Traceback" not in first
    assert "{" not in first, "nobody reads JSON here"
    telling.story().tell()
    kinds = ("sale", "refund", "dispute", "dispute_released", "unsettled_capture", "unsettled_release")
    counted = {kind: JournalEntry.objects.filter(kind=kind).count() for kind in kinds}
    assert counted == {
        "sale": 8,
        "refund": 2,
        "dispute": 2,
        "dispute_released": 2,
        "unsettled_capture": 2,
        "unsettled_release": 2,
    }
    assert User.objects.filter(first_name="Ngozi").count() == 2


def test_another_fee_than_20_percent_ends_the_story_in_one_sentence(telling, settings):
    settings.PLATFORM_FEE_BPS = 1_000
    with pytest.raises(NotAsExpected, match=r"The wallet after.* should be 24\.00, 24\.00 and is 27\.00, 27\.00\.$"):
        telling.story().tell()


def test_a_course_that_leaks_its_link_ends_the_story(telling, monkeypatch):
    def leaky(reference: str) -> bytes:
        return course_document(reference).replace(b'"link":null', b'"link":"http://classroom.example.com/leak"')

    monkeypatch.setattr("courses.views.courses.course_document", leaky)
    with pytest.raises(NotAsExpected, match=r"shown to somebody not signed in should be nothing and is http"):
        telling.story().tell()


def test_books_that_do_not_hold_end_the_story(telling):
    with pytest.raises(NotAsExpected, match="something does not hold"):
        telling.story(prove=lambda: False).tell()


def test_a_broken_story_leaves_the_sandbox_as_it_was(telling, gateways, settings):
    settings.PLATFORM_FEE_BPS = 1_000
    with pytest.raises(NotAsExpected):
        telling.story().tell()
    assert gateways.control.faults()["rules"] == []
    assert gateways.control.state()["paused"] == []


def test_where_nothing_runs_it_says_so_and_ends_with_1(monkeypatch, capsys):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    for name in ("PORT", "SANDBOX_PORT"):
        monkeypatch.setenv(name, port)
    assert program.main() == 1
    said = capsys.readouterr().out
    assert "Start the stack with `make run`" in said
    assert "Traceback" not in said


def test_a_problem_is_one_sentence_and_exit_code_1(monkeypatch, capsys):
    def wrong(story: Story) -> None:
        raise NotAsExpected("The sale should be 24.00 and is 25.00.")

    monkeypatch.setattr(Story, "tell", wrong)
    assert program.main() == 1
    assert capsys.readouterr().out.endswith("\nNot as expected: The sale should be 24.00 and is 25.00.\n")


def test_a_form_is_read_as_a_browser_reads_it():
    form = Form(
        '<p role="alert">Declined &amp; sorry.</p><form method="post" action="/pay"><input name="card" value="4242">'
        '<button name="action" value="pay">Pay</button><button name="action" value="abandon">Go</button></form>'
    )
    assert (form.action, form.fields) == ("/pay", {"card": "4242"})
    assert form.buttons == {"pay": "action", "abandon": "action"}
    assert form.notice == "Declined & sorry."


def test_a_page_without_the_button_is_named(gateways):
    with pytest.raises(NotAsExpected, match=r"no button 'pay' \(HTTP 404\)"):
        press(f"{gateways.sandbox.paystack_url}/checkout/nothing", "pay")


def test_an_answer_with_another_status_is_told_with_its_reason(gateways):
    with pytest.raises(NotAsExpected, match="GET /api/wallet/balance answered 401 instead of 200: "):
        Api(gateways.url).get("/api/wallet/balance")


@pytest.mark.parametrize(
    ("currency", "amount", "text"), [("NGN", "25000.00", "NGN 25,000.00"), ("JPY", "1200", "JPY 1,200")]
)
def test_amounts_keep_every_place(currency, amount, text):
    assert shown(currency, amount) == text
