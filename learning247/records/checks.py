"""What a check of `manage.py prove` gets and gives.

A check is a generator: it takes a `Scope`, walks its rows through it, and yields a `Breach` for each row that breaks
the rule. Nothing is collected, so a million rows need no more memory than one batch. Two ways to walk:

* `scope.ranges(queryset)` yields key ranges (first and last key, both inclusive) for a set-based statement per range,
  such as `… WHERE entry_id BETWEEN %s AND %s GROUP BY entry_id HAVING sum(amount_minor) <> 0`: the database does the
  work, and only breaches come back. This is the quick one.
* `scope.rows(queryset, "id", "balance_minor")` yields the rows themselves, for rules that need Python.

Both count what they examine, and both stop at the row that was the last one when the walk began, so a check ends
while sales go on. Every batch is a statement of its own (no server-side cursor, which pooled transactions would
lose): a rule that compares two tables compares them **in one statement**, which sees one moment.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

BATCH_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Breach:
    """One broken row, named so that a person finds it: `"entry 0192…: sums to NGN -1.00"`; and the currencies whose
    money is in doubt by it, where that can be said."""

    detail: str
    currencies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyRange:
    """`rows` rows whose keys lie in first..last, both inclusive."""

    first: Any
    last: Any
    rows: int


class Scope:
    """Walks rows in keyset batches and counts them in `examined`."""

    def __init__(self, *, batch_rows: int = BATCH_ROWS) -> None:
        self.examined = 0
        self._batch_rows = batch_rows

    def ranges(self, queryset: QuerySet[Any], *, key: str = "pk") -> Iterator[KeyRange]:
        """Ranges of `key` (unique, indexed, not null) over `queryset`, in ascending order."""
        for batch in self._batches(queryset, key, ()):
            yield KeyRange(first=batch[0][0], last=batch[-1][0], rows=len(batch))

    def rows(self, queryset: QuerySet[Any], *fields: str, key: str = "pk") -> Iterator[tuple[Any, ...]]:
        """`fields` of every row of `queryset`, in ascending order of `key` (unique, indexed, not null)."""
        for batch in self._batches(queryset, key, fields):
            for row in batch:
                yield row[1:]

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement, which should be breaches or few: they are held in memory."""
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    def _batches(self, queryset: QuerySet[Any], key: str, fields: tuple[str, ...]) -> Iterator[list[tuple[Any, ...]]]:
        last = queryset.order_by(f"-{key}").values_list(key, flat=True).first()
        if last is None:
            return
        rest = queryset.filter(**{f"{key}__lte": last}).order_by(key).values_list(key, *fields)
        batch = list(rest[: self._batch_rows])
        while batch:
            self.examined += len(batch)
            yield batch
            if len(batch) < self._batch_rows:
                return
            batch = list(rest.filter(**{f"{key}__gt": batch[-1][0]})[: self._batch_rows])
