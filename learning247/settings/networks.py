"""Networks in the environment, refused at the start when they are none."""

from collections.abc import Iterable
from ipaddress import ip_network

from django.core.exceptions import ImproperlyConfigured


def networks(name: str, given: Iterable[str]) -> list[str]:
    """The variable's networks and single addresses in their one way of writing. Raises ImproperlyConfigured."""
    try:
        return [str(ip_network(text.strip())) for text in given if text.strip()]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}. Write networks such as 10.0.0.0/8, fd00::/8.") from None
