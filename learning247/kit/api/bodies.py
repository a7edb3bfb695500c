"""The body of a request, checked against the shape that its door takes."""

from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer


def read_body(shape: type[BaseSerializer[Any]], request: Request, *, partial: bool = False) -> dict[str, Any]:
    """What the body says in that shape; `partial`: required fields may be missing. Raises ValidationError."""
    body = shape(data=request.data, partial=partial)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
