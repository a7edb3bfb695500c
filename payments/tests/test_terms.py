"""Calendar months from any moment, in UTC, with the month's last day where the day is missing."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.terms import term_end

pytestmark = pytest.mark.property

FIRST, LAST = datetime(2000, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone
MOMENTS = st.datetimes(min_value=FIRST, max_value=LAST, timezones=st.just(UTC))
MONTHS = st.integers(min_value=1, max_value=120)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-15T10:30:00.000001", 1, "2026-02-15T10:30:00.000001"),
        ("2026-01-31T23:59:59", 1, "2026-02-28T23:59:59"),
        ("2028-01-31T00:00:00", 1, "2028-02-29T00:00:00"),
        ("2026-02-28T12:00:00", 1, "2026-03-28T12:00:00"),
        ("2026-03-31T12:00:00", 1, "2026-04-30T12:00:00"),
        ("2026-12-31T12:00:00", 1, "2027-01-31T12:00:00"),
        ("2028-02-29T12:00:00", 12, "2029-02-28T12:00:00"),
        ("2027-02-28T12:00:00", 12, "2028-02-28T12:00:00"),
        ("2026-11-22T20:00:00", 12, "2027-11-22T20:00:00"),
    ],
)
def test_the_day_stays_and_where_it_is_missing_the_last_one_counts(start: str, months: int, end: str) -> None:
    utc = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)]
    assert term_end(utc[0], months) == utc[1]


@given(start=MOMENTS, months=MONTHS)
def test_a_term_ends_in_its_own_month_at_its_own_time_on_its_own_day_or_the_last(start: datetime, months: int) -> None:
    end = term_end(start, months)
    assert (end.year - start.year) * 12 + end.month - start.month == months
    assert end.timetz() == start.timetz()
    assert end.day == min(start.day, monthrange(end.year, end.month)[1])


@given(start=MOMENTS, months=MONTHS)
def test_no_month_is_shorter_than_28_days_or_longer_than_31(start: datetime, months: int) -> None:
    assert timedelta(days=28 * months) <= term_end(start, months) - start <= timedelta(days=31 * months)


@given(first=MOMENTS, second=MOMENTS, months=MONTHS)
def test_who_begins_later_never_ends_sooner(first: datetime, second: datetime, months: int) -> None:
    early, late = sorted((first, second))
    assert term_end(early, months) <= term_end(late, months)


@given(start=MOMENTS, hours=st.integers(min_value=-14, max_value=14), months=MONTHS)
def test_the_zone_in_which_the_start_is_written_makes_no_difference(start: datetime, hours: int, months: int) -> None:
    elsewhere = start.astimezone(timezone(timedelta(hours=hours)))
    assert term_end(elsewhere, months) == term_end(start, months)
