"""The bench measures what it says: its yardsticks are its own, its data real, an unexpected answer ends it."""

from itertools import repeat
from urllib.parse import urlsplit

import pytest

from courses.models import Course, Department, Enrollment
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
