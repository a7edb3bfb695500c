"""One call and its answer, as the provider handlers see them: no framework types, no sockets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """An incoming API request. ``path`` is relative to the provider's prefix; header names are lower case."""

    provider: str
    method: str
    path: str
    route: str
    arguments: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    request_id: str

    def question(self, name: str, default: str = "") -> str:
        """The last value of a query parameter."""
        return dict(self.query).get(name, default)


@dataclass
class Reply:
    """An answer: status, JSON body and headers beyond Content-Type."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Reply]


class RefusalError(Exception):
    """A provider's error answer, raised anywhere below a handler and sent as it stands."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply.body))
        self.reply = reply
