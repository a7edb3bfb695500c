"""Everything that we hold about one person, as one JSON document that is written while it is read."""

from collections.abc import Iterator
from typing import Any, Final

from django.contrib.auth.base_user import AbstractBaseUser

from learning247.kit.api.renderers import to_json
from learning247.kit.clock import now
from learning247.kit.money import EXPONENTS, Money
from learning247.records.checks import Scope
from learning247.records.personal_tables import PersonalTable, personal_tables

FORMAT: Final = "learning247.personal-data/1"
BATCH_ROWS: Final = 1_000
_MINOR: Final = "_minor"


def personal_data_stream(user: AbstractBaseUser) -> Iterator[bytes]:
    """The document in pieces: `{"format", "person", "exported_at", "withheld", "data": {section: [row, …], …}}`.

    A row has its columns by name. Times are UTC, amounts decimal strings next to their currency (`amount_minor` comes
    as `amount`), bytes are text. Rows are read in batches of keys, so the longest history takes no more memory than a
    short one; each batch is a statement of its own, and what is written meanwhile may be in the document or not.
    """
    tables = personal_tables()
    head = {
        "format": FORMAT,
        "person": user.pk,
        "exported_at": now(),
        "withheld": {table.section: dict(table.withheld) for table in tables if table.withheld},
    }
    yield to_json(head)[:-1] + b',"data":{'
    for number, table in enumerate(tables):
        yield (b"," if number else b"") + to_json(table.section) + b":["
        for row_number, row in enumerate(_rows(table, user)):
            yield (b",\n" if row_number else b"\n") + to_json(row)
        yield b"]"
    yield b"}}\n"


def _rows(table: PersonalTable, user: AbstractBaseUser) -> Iterator[dict[str, Any]]:
    columns = table.columns()
    for queryset in table.rows(user):
        for values in Scope(batch_rows=BATCH_ROWS).rows(queryset, *columns):
            yield _shown(table, dict(zip(columns, values, strict=True)))


def _shown(table: PersonalTable, row: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in row.items():
        currency = row.get(table.currencies.get(name, "currency"))
        if name.endswith(_MINOR) and currency in EXPONENTS:
            shown[name.removesuffix(_MINOR)] = None if value is None else Money(value, currency).amount
        elif isinstance(value, bytes | memoryview):
            shown[name] = bytes(value).decode(errors="backslashreplace")
        else:
            shown[name.replace("__", "_")] = value
    return shown
