"""Rows for the tests of records."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model

from learning247.records.models import InboundEvent
from learning247.records.services.inbox import event_receive


def a_user(email: str = "ada@example.com", **fields: Any) -> Any:
    values = {"first_name": "Ada", "last_name": "Obi", "password": None, **fields}
    return get_user_model().objects.create_user(email, **values)


def a_received_event(
    external_id: str = "charge.success:1",
    *,
    source: str = "paystack",
    event_type: str = "charge.success",
    body: bytes = b'{"event":"charge.success"}',
) -> InboundEvent:
    event_id, _ = event_receive(source=source, external_id=external_id, event_type=event_type, headers={}, body=body)
    return InboundEvent.objects.get(pk=event_id)


def noting(seen: list[Any], what: Callable[[InboundEvent], Any], outcome: str) -> Callable[[InboundEvent], str]:
    """A handler that adds `what(event)` to `seen`."""

    def handler(event: InboundEvent) -> str:
        seen.append(what(event))
        return outcome

    return handler
