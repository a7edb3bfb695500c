"""Which events there are: the apps that publish them say so in `apps.ready()`."""

_types: dict[str, str] = {}

PING = "ping"


def register_event_types(types: dict[str, str]) -> None:
    """type (`sale.settled`) -> what it says, for the docs. The same again is quiet. Raises ValueError for another."""
    for name, meaning in types.items():
        if _types.setdefault(name, meaning) != meaning:
            raise ValueError(f"The event {name} means something else already.")


def event_types() -> dict[str, str]:
    """type -> what it says, sorted."""
    return dict(sorted(_types.items()))


def require_known(event_type: str) -> None:
    """Raises ValueError where no app has registered the type."""
    if event_type not in _types and event_type != PING:
        raise ValueError(f"No app has registered the event {event_type}.")
