"""Which columns hold something sealed by FIELD_ENCRYPTION_KEY: a registry that apps fill in `apps.ready()`, so that all
of it can be sealed anew when the key changes. A column that is in none stays sealed by the old key and is lost with it;
`learning247/tests/test_encryption.py` looks for such."""

from dataclasses import dataclass

from django.db.models import Model

from learning247.records.registry import AlreadyRegistered


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A text column of `model` that is empty or sealed for `purpose` (kit/encryption.py)."""

    model: type[Model]
    column: str
    purpose: str

    @property
    def name(self) -> str:
        """`accounts.SecondFactor.secret`."""
        return f"{self.model._meta.label}.{self.column}"


_columns: dict[str, SealedColumn] = {}


def register_sealed_columns(*columns: SealedColumn) -> None:
    """Declare them; again the same is quiet (`ready()` may run twice in tests). Raises AlreadyRegistered."""
    for column in columns:
        if _columns.setdefault(column.name, column) != column:
            raise AlreadyRegistered(f"{column.name} is sealed for {_columns[column.name].purpose} already.")


def sealed_columns() -> list[SealedColumn]:
    """Every one, by name."""
    return [_columns[name] for name in sorted(_columns)]
