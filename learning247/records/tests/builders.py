"""Rows for the tests of records."""

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
