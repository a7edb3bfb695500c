"""Numbers for Prometheus: who gets them, that they are right over several workers, and that nobody makes them many."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from celery import current_app
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.test import APIClient

from accounts.tests.builders import build_user
from learning247.kit.clock import now
from learning247.kit.ids import new_id
from learning247.records.models import InboundEvent, OutboundMail
from learning247.records.services.heartbeat import heartbeat_write
from learning247.settings import ratelimits as rates
from learning247.tests.waiting import poll
from payments.tests.conftest import free_port

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-this-suite-alone-0123456789"


@pytest.fixture
def token(settings: Any) -> str:
    settings.METRICS_TOKEN = TOKEN
    return TOKEN


def numbers(text: str) -> dict[tuple[str, ...], float]:
    """(name, then label=value in order) -> value."""
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(client: APIClient) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return numbers(answer.content.decode())


def asked(method: str, route: str, status: int) -> tuple[str, ...]:
    return ("http_requests_total", f"method={method}", f"route={route}", f"status={status}")


class TestWhoMay:
    @pytest.mark.parametrize("shown", [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", TOKEN, f"Basic {TOKEN}"])
    def test_whoever_does_not_show_the_token_finds_nothing(self, token: str, shown: str | None) -> None:
        client = APIClient()

        refused = client.get("/metrics", headers=None if shown is None else {"Authorization": shown})
        nothing = client.get("/metricz")

        assert refused.status_code == nothing.status_code == 404
        assert refused.json()["errors"] == nothing.json()["errors"]

    @pytest.mark.parametrize("shown", ["Bearer", "Bearer ", f"Bearer {TOKEN}"])
    def test_without_a_token_configured_there_is_nothing(self, settings: Any, shown: str) -> None:
        settings.METRICS_TOKEN = ""

        assert APIClient().get("/metrics", headers={"Authorization": shown}).status_code == 404

    @pytest.mark.django_db
    def test_a_scraper_that_accepts_text_gets_text_and_no_limit(self, token: str, settings: Any) -> None:
        settings.RATELIMIT_ENABLE = True
        settings.RATELIMIT_RATES = dict.fromkeys(rates.DEFAULTS, "1/1d")
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/openmetrics-text;version=1.0.0"}

        answered = [APIClient().get("/metrics", headers=headers) for _ in range(3)]

        assert [(one.status_code, one["Content-Type"].split(";")[0]) for one in answered] == [(200, "text/plain")] * 3


@pytest.mark.django_db
class TestNumbers:
    def test_requests_are_counted_by_route_and_status(self, token: str) -> None:
        client, before = APIClient(), scrape(APIClient())

        for course in (new_id(), new_id(), new_id()):
            client.get(f"/api/courses/{course}")
        client.get("/health/live")

        after = scrape(client)
        requested = [key for key in after if key[0] == "http_requests_total"]
        missing = next(key for key in requested if "courses/<" in key[2] and key[3] == "status=404")
        assert after[missing] - before.get(missing, 0) == 3
        live = asked("GET", "/health/live", 200)
        assert after[live] - before.get(live, 0) == 1
        timed = ("http_request_duration_seconds_count", *missing[1:3])
        assert after[timed] - before.get(timed, 0) == 3

    def test_whatever_is_asked_for_there_are_no_more_numbers(self, token: str) -> None:
        client = APIClient(raise_request_exception=False)

        def ask(number: int) -> None:
            client.get(f"/nothing/{number}")
            client.get(f"/api/courses/{new_id()}?q={number}")
            client.generic(f"MADEUP{number}", "/health/live")
            client.get("/health/live", headers={"User-Agent": f"agent {number}", "Host": f"h{number}.example"})

        ask(0)
        before = set(scrape(client))
        scrape(client)  # which counts itself
        before |= set(scrape(client))
        for number in range(1, 20):
            ask(number)

        assert set(scrape(client)) == before
        assert asked("other", "/health/live", 405) in before
        assert asked("GET", "unmatched", 404) in before

    def test_what_waits_and_what_was_given_up(self, token: str) -> None:
        at = now()
        for number, status in enumerate(["pending", "pending", "parked", "done"]):
            InboundEvent.objects.create(
                source="paystack", external_id=str(number), event_type="t", headers={}, body=b"{}", status=status,
                received_at=at - timedelta(minutes=10 * number), reason="x" if status == "parked" else "",
                done_at=at if status == "done" else None,
            )  # fmt: skip
        for number, status in enumerate(["pending", "parked", "parked", "sent"]):
            OutboundMail.objects.create(
                key=str(number), to="a@x.example", subject="s", status=status, created_at=at - timedelta(hours=1)
            )

        found = scrape(APIClient())

        assert (found["inbox_pending",], found["inbox_parked",]) == (2, 1)
        assert (found["mail_pending",], found["mail_parked",]) == (1, 2)
        assert 600 <= found["inbox_oldest_pending_seconds",] < 660
        assert 3600 <= found["mail_oldest_pending_seconds",] < 3660
        assert found["platform_up", "dependency=database"] == found["platform_up", "dependency=redis"] == 1

    def test_jobs_that_no_worker_has_taken_and_the_heartbeat(self, token: str) -> None:
        assert ("worker_heartbeat_age_seconds",) not in scrape(APIClient())
        for _ in range(3):
            current_app.send_task("records.sweep_mail", queue="mail")
        heartbeat_write()

        found = scrape(APIClient())

        assert {key[1]: found[key] for key in found if key[0] == "queue_length"} == {
            "queue=money": 0, "queue=default": 0, "queue=mail": 3, "queue=webhooks": 0,
        }  # fmt: skip
        assert 0 <= found["worker_heartbeat_age_seconds",] < 30

    def test_refusals_by_limits_are_counted_by_scope(self, token: str, settings: Any) -> None:
        settings.RATELIMIT_ENABLE = True
        settings.RATELIMIT_RATES = dict.fromkeys(rates.DEFAULTS, "9999/1d") | {"sign_in_account": "1/1d"}
        email = build_user().email
        key = ("http_requests_throttled_total", "scope=sign_in")
        before = scrape(APIClient()).get(key, 0)

        answered = [
            APIClient().post("/auth/login", {"email": email, "password": "wrong horse"}, format="json").status_code
            for _ in range(4)
        ]

        assert answered == [401, 429, 429, 429]
        assert scrape(APIClient())[key] - before == 3

    def test_while_redis_is_away_the_rest_is_told(self, token: str, settings: Any) -> None:
        settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"

        found = scrape(APIClient())

        assert (found["platform_up", "dependency=database"], found["platform_up", "dependency=redis"]) == (1, 0)
        assert ("inbox_pending",) in found
        assert not [key for key in found if key[0] == "queue_length"]


class TestSeveralWorkers:
    @pytest.fixture
    def gunicorn(self, worker_environment: Any, tmp_path: Path) -> Iterator[str]:
        port = free_port()
        place = {"WEB_HOST": "127.0.0.1", "PORT": str(port), "WEB_CONCURRENCY": "3", "WEB_THREADS": "4"}
        metrics = {"METRICS_TOKEN": TOKEN, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics")}
        (tmp_path / "metrics").mkdir()
        (tmp_path / "metrics" / "counter_1.db").write_bytes(b"of an earlier run")
        with (tmp_path / "web.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn"],
                cwd=ROOT,
                env=worker_environment() | place | metrics,
                stdout=log,
                stderr=log,
            )
        url = f"http://127.0.0.1:{port}"
        try:
            assert poll(lambda: self.serves(url), seconds=60)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)

    def serves(self, url: str) -> bool:
        try:
            return requests.get(url, timeout=5).status_code == 200
        except requests.RequestException:
            return False

    @pytest.mark.race
    def test_whichever_is_asked_tells_what_all_of_them_counted(self, gunicorn: str, tmp_path: Path) -> None:
        sent = 0

        def ask(number: int) -> int:
            return requests.get(f"{gunicorn}/health/live", timeout=30).status_code

        def two_took_part() -> bool:
            nonlocal sent
            with ThreadPoolExecutor(12) as pool:  # each a connection of its own
                assert set(pool.map(ask, range(24))) == {200}
            sent += 24
            return len(list((tmp_path / "metrics").glob("counter_*.db"))) > 1

        assert poll(two_took_part)
        shown = [
            numbers(requests.get(f"{gunicorn}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30).text)
            for _ in range(6)
        ]

        assert [found[asked("GET", "/health/live", 200)] for found in shown] == [sent] * 6

    def test_what_an_earlier_run_counted_is_not_counted_again(self, gunicorn: str, tmp_path: Path) -> None:
        assert not (tmp_path / "metrics" / "counter_1.db").exists()
