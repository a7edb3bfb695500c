"""Products that last for a term: calendar months, in UTC."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

# With more than this left, the same product need not be bought again yet.
RENEWAL_WINDOW = timedelta(days=7)


def term_end(starts_at: datetime, months: int) -> datetime:
    """The same day and time `months` calendar months later, in UTC; the month's last day where that day is missing.

    From 31 January one month lasts until 28 (29) February, from 29 February twelve until 28 February. Counted from this
    start alone: the month after the one that ended on 28 February ends on 28 March.
    """
    start = starts_at.astimezone(UTC)
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))
