"""The bench measures what it says: its yardsticks are its own, its data real, an unexpected answer ends it."""

import subprocess
import sys
from dataclasses import replace
from itertools import repeat
from typing import Any
from urllib.parse import urlsplit

import pytest

from courses.models import Course, Department, Enrollment
from learning247.bench import http
from learning247.bench.data import content_build
from learning247.bench.load import Unexpected, drive, request_bytes
from learning247.records.services.prove import checks_run
from wallets.models import JournalLine, LedgerAccount


def ask(url, path, *, status=200):
    port = urlsplit(url).port
    request = request_bytes(path, port=port, headers={})
    return drive(repeat(request), port=port, connections=2, seconds=0.2, status=status)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/bench/empty", "/bench/row/00000000-0000-0000-0000-000000000000"])
def test_the_yardsticks_are_routed_for_the_bench_alone(client, path):
    assert client.get(path).status_code == 404


def test_every_answer_is_counted_and_has_its_length(api_server):
    measured = ask(api_server, "/health/live")

    assert measured.answers == len(measured.latencies) > 0
    assert measured.rate == measured.answers / 0.2


def test_an_answer_that_nobody_expected_ends_the_measurement(api_server):
    with pytest.raises(Unexpected, match=r"200 was expected: HTTP/1\.1 404"):
        ask(api_server, "/nothing/here")


def test_a_site_is_made_through_the_guards_and_its_books_are_in_order(committed_db):
    content_build(courses=30, entries=7)

    assert (Department.objects.count(), Course.objects.count(), Enrollment.objects.count()) == (24, 30, 30)
    assert sum(Department.objects.values_list("course_count", flat=True)) == 30
    assert JournalLine.objects.count() == 21
    assert LedgerAccount.objects.get(owner__isnull=False, kind="available", currency="NGN").balance_minor == 14_000_000
    broken = {result.code for result in checks_run() if not result.holds}
    assert broken == {"I15"}, "the rights behind the enrollments were given by nobody"


@pytest.fixture
def site(committed_db, settings):
    settings.ROOT_URLCONF = "learning247.bench.urls"
    made: Any = None  # nothing is asked of a web process here
    return http.Site(30, 7, made, tuple(http.endpoints_of(content_build(courses=30, entries=7))))


def test_the_yardsticks_cost_the_statements_that_they_stand_for(site):
    counted = {endpoint.name: figures.statements for endpoint, figures in http._counted(site).items()}

    assert (counted[http.E], counted[http.Q]) == (0, 1)
    assert counted["Q with a token"] == counted["E with a token"] + 1 == 2
    assert (counted["departments"], counted["departments, 304"]) == (1, 1)
    assert counted["departments, miss"] > 1


def test_an_endpoint_that_answers_otherwise_is_not_counted(site):
    lost = replace(site.endpoints[1], paths=("/bench/nothing",))

    with pytest.raises(SystemExit, match=r"^Q: \.get\(pk\): 200 was expected: 404$"):
        http._counted(replace(site, endpoints=(lost,)))


def test_the_bench_runs_on_its_own_settings_whatever_the_environment_names(django_db_setup):
    script = """
import sys
from learning247.bench.__main__ import main
from django.conf import settings
sys.argv = ["bench", "--help"]
try:
    main()
except SystemExit:
    print(settings.ROOT_URLCONF, settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"])
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.splitlines()[-1] == "learning247.bench.urls 1 day, 0:00:00"
