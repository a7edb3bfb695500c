"""How long a text may be is written once: at the column that keeps it."""

from django.db.models import Model


def longest(model: type[Model], field: str) -> int:
    """The most characters that the model's field takes."""
    length: int | None = getattr(model._meta.get_field(field), "max_length", None)
    assert length is not None, f"{model.__name__}.{field} has no cap"
    return length
