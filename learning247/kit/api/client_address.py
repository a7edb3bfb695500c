"""From which address a request came."""

from django.http import HttpRequest
from rest_framework.request import Request


def client_address(request: Request | HttpRequest) -> str:
    """The peer's IP address; empty where the server was told of none (a unix socket)."""
    return str(request.META.get("REMOTE_ADDR", ""))
